//! A tenant with one app, one chat and a few people, and the app's calls.

use feishu_sim::{AppSettings, ChatSettings, FeishuSim, ManualClock, SimSettings, UserSettings};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{Answer, exchange};

pub(crate) const APP: &str = "cli_test0001";
pub(crate) const SECRET: &str = "app-secret";
pub(crate) const CHAT: &str = "oc_test0001";
pub(crate) const SEND: &str = "im/v1/messages?receive_id_type=chat_id";

/// The simulator, its clock, and the token of its app.
pub(crate) struct Tenant {
    pub(crate) sim: FeishuSim,
    pub(crate) clock: ManualClock,
    pub(crate) token: String,
}

pub(crate) fn settings() -> SimSettings {
    SimSettings::new([])
        .app(AppSettings::new(APP, SECRET))
        .chat(ChatSettings::new(CHAT).app(APP).member("ou_ann").member("ou_ben"))
        .user(UserSettings::new("ou_ann").mobile("13800000001").email("ann@corp.example"))
        .user(UserSettings::new("ou_ben").mobile("+4915100000002"))
        .user(UserSettings::new("ou_cleo").email("cleo@corp.example").resigned())
}

pub(crate) async fn tenant() -> Tenant {
    tenant_of(settings()).await
}

pub(crate) async fn tenant_of(settings: SimSettings) -> Tenant {
    let clock = ManualClock::starting_at(Timestamp::from_second(1_700_000_000).unwrap());
    let sim = FeishuSim::start(settings.clock(clock.clone())).await.unwrap();
    let mut tenant = Tenant { sim, clock, token: String::new() };
    tenant.token = tenant.new_token(APP, SECRET).await;
    tenant
}

impl Tenant {
    pub(crate) async fn ask_token(&self, app_id: &str, secret: &str) -> Answer {
        let asked = json!({"app_id": app_id, "app_secret": secret});
        self.call_as("", "POST", "auth/v3/tenant_access_token/internal", &asked).await
    }

    pub(crate) async fn new_token(&self, app_id: &str, secret: &str) -> String {
        let answer = self.ask_token(app_id, secret).await.json();
        answer["tenant_access_token"].as_str().unwrap().to_owned()
    }

    /// A call with this `Authorization` header's value, or none where it is empty.
    pub(crate) async fn call_as(&self, who: &str, method: &str, path: &str, body: &Value) -> Answer {
        let who = if who.is_empty() { String::new() } else { format!("Authorization: {who}\r\n") };
        let head = format!("{method} /open-apis/{path} HTTP/1.1\r\nContent-Type: application/json\r\n{who}");
        exchange(self.sim.address(), &head, body.to_string().as_bytes()).await.unwrap()
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call_as(&format!("Bearer {}", self.token), method, path, body).await
    }

    pub(crate) async fn send(&self, message: &Value) -> Answer {
        self.call("POST", SEND, message).await
    }

    /// Sends a card and returns the id of its message.
    pub(crate) async fn sent(&self, card: &Value) -> String {
        let answer = self.send(&message(card)).await;
        assert_eq!(api_code(&answer), 0, "{answer:?}");
        answer.json()["data"]["message_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn update(&self, message_id: &str, card: &Value) -> Answer {
        let body = json!({"content": card.to_string()});
        self.call("PATCH", &format!("im/v1/messages/{message_id}"), &body).await
    }
}

/// The code in the body; the status has to be the one that goes with it.
pub(crate) fn api_code(answer: &Answer) -> i64 {
    let code = answer.json()["code"].as_i64().unwrap();
    let status = match code {
        0 => 200,
        99_991_400 => 429,
        _ => 400,
    };
    assert_eq!(answer.status, status, "{answer:?}");
    code
}

pub(crate) fn shared_card(content: &str) -> Value {
    json!({"config": {"update_multi": true}, "elements": [{"tag": "markdown", "content": content}]})
}

pub(crate) fn message(card: &Value) -> Value {
    json!({"receive_id": CHAT, "msg_type": "interactive", "content": card.to_string()})
}

pub(crate) fn with_uuid(mut message: Value, uuid: &str) -> Value {
    message["uuid"] = json!(uuid);
    message
}

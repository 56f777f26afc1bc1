//! Log in with Feishu: OAuth 2.0 by authorisation code with PKCE (reference "Feishu", 9). The token is used once, to ask
//! who it is, and thrown away.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::AppBot;
use crate::feishu::exchange::{self, JSON};

/// How much of what Feishu says is passed on, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Who logged in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LoginUser {
    /// Their id for this app.
    pub open_id: String,
    /// Their company.
    pub tenant_key: String,
    /// What they are called.
    #[serde(default)]
    pub name: String,
}

/// Why it is not known who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginTrouble {
    /// Feishu's code, if it answered.
    pub code: Option<i64>,
    /// Its words; no secret.
    pub said: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

#[derive(Deserialize)]
struct UserAnswer {
    data: LoginUser,
}

/// What says whether an answer is one.
#[derive(Deserialize)]
struct AnswerCode {
    code: i64,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    error_description: String,
}

impl AppBot {
    /// Where a browser is sent to log in.
    pub fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        let mut url = self.accounts();
        url.set_path("/open-apis/authen/v1/authorize");
        url.query_pairs_mut().clear().extend_pairs([
            ("client_id", self.app_id()),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("state", state),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]);
        url.into()
    }

    /// Whose code it is.
    pub async fn user_of(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<LoginUser, LoginTrouble> {
        let asked = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("client_id", self.app_id()),
            ("client_secret", self.credentials.secret.expose()),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ]);
        let body = serde_json::to_vec(&asked).map_err(|error| unsaid(&error.to_string()))?;
        let ask = || {
            let request = self.client.post(self.api(&["authen", "v2", "oauth", "token"]));
            request.header(CONTENT_TYPE, JSON).body(body.clone())
        };
        let TokenAnswer { access_token } = match answer(ask()).await {
            // Their own fault, says the documentation: once more is worth it.
            Err(LoginTrouble { code: Some(20_050 | 20_072), .. }) => answer(ask()).await?,
            other => other?,
        };
        let request = self.client.get(self.api(&["authen", "v1", "user_info"]));
        let UserAnswer { data } = answer(request.bearer_auth(access_token)).await?;
        Ok(data)
    }

    fn api(&self, path: &[&str]) -> Url {
        self.url(&super::ApiCall::new(reqwest::Method::GET, path, Vec::new()))
    }

    /// Log-ins have a host of their own beside each platform's: `accounts.feishu.cn` beside `open.feishu.cn`.
    fn accounts(&self) -> Url {
        let mut url = self.base.clone();
        let host =
            url.host_str().and_then(|host| host.strip_prefix("open.")).map(|rest| format!("accounts.{rest}"));
        if let Some(host) = host
            && url.set_host(Some(&host)).is_err()
        {
            return self.base.clone();
        }
        url
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, LoginTrouble> {
    let answer = exchange::once(request).await.map_err(|verdict| unsaid(verdict.as_str()))?;
    let said: AnswerCode = serde_json::from_slice(&answer.body)
        .map_err(|_| unsaid(&format!("HTTP {} without a readable answer", answer.status)))?;
    if said.code != 0 {
        let words = if said.msg.is_empty() { said.error_description } else { said.msg };
        let words: String = words.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect();
        return Err(LoginTrouble { code: Some(said.code), said: format!("{} {words}", said.code) });
    }
    serde_json::from_slice(&answer.body).map_err(|_| unsaid("a successful answer without what was asked for"))
}

fn unsaid(what: &str) -> LoginTrouble {
    LoginTrouble { code: None, said: what.to_owned() }
}

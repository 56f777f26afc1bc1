//! Nothing that can be printed shows a secret, a token, or where a call went.

use std::time::Duration;

use config::Secret;
use feishu_sim::{Call, Fault, Lasting};
use worker::feishu::{AppBot, AppCredentials, OnceKey, http_client};

use super::harness::{APP, CHAT, SECRET, bot, content_of, harness, settings};

#[tokio::test]
async fn neither_the_bot_nor_its_troubles_show_a_secret_a_token_or_an_address() {
    let harness = harness(settings()).await;
    let mut outcomes = Vec::new();
    for fault in [
        Fault::Reset,
        Fault::ServerError { status: 502 },
        Fault::EndlessBody,
        Fault::Refusal { code: 230_002, msg: "see https://open.feishu.cn/secret".to_owned() },
    ] {
        harness.sim.fault_call(APP, Call::Send, &fault, Lasting::Times(1)).unwrap();
        outcomes.push(harness.send(&content_of("hello"), "k1").await);
    }
    harness.sim.away().await.unwrap();
    outcomes.push(harness.send(&content_of("hello"), "k1").await);
    let fresh = bot(&harness.sim.base_url(), SECRET);
    outcomes.push(fresh.send(CHAT, &content_of("hello"), &OnceKey::of(["k"]), harness.clock.now()).await);

    let all = format!("{outcomes:?}");
    for hidden in [SECRET, "t-", "://", &harness.sim.address().to_string()] {
        assert!(!all.contains(hidden), "{hidden}: {all}");
    }
    let shown = format!("{:?}", harness.bot);
    assert!(shown.contains(APP) && !shown.contains(SECRET) && !shown.contains("\"t-"), "{shown}");
}

#[test]
fn a_base_url_has_to_lead_to_a_web_server() {
    let client = http_client(Duration::from_secs(1), None).unwrap();
    for (url, wrong) in [("open.feishu.cn", "not a URL"), ("ftp://open.feishu.cn", "must begin with")] {
        let credentials = AppCredentials { id: APP.to_owned(), secret: Secret::new(SECRET) };
        let error = AppBot::new(client.clone(), url, credentials).unwrap_err().to_string();
        assert!(error.contains(wrong) && error.contains(APP) && !error.contains(SECRET), "{error}");
    }
}

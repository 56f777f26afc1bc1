//! The bot's security settings: signature, keywords, addresses.

use std::time::Duration;

use feishu_sim::BotSettings;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;

use crate::support::{TOKEN, card, hook, request_on, send, start, start_at, text};

/// A vector of the platform's algorithm.
const SECRET: &str = "test-secret-0001";
const SIGNED_AT: i64 = 1_599_360_473;
const SIGN: &str = "lSz04MPgcGjqfLJwLlyXYCHjTa9PD1lLsEkeqKCUtFg=";

fn signed(timestamp: &Value, sign: &str) -> Value {
    json!({"timestamp": timestamp, "sign": sign, "msg_type": "text", "content": {"text": "hello"}})
}

#[tokio::test]
async fn a_signed_message_is_accepted_with_its_timestamp_as_string_or_number() {
    let (sim, _clock) = start_at(BotSettings::new(TOKEN).secret(SECRET), SIGNED_AT).await;
    assert_eq!(send(&sim, &signed(&json!("1599360473"), SIGN)).await.code(), 0);
    assert_eq!(send(&sim, &signed(&json!(SIGNED_AT), SIGN)).await.code(), 0);
}

#[tokio::test]
async fn a_missing_or_wrong_signature_is_19021_without_data() {
    let (sim, _clock) = start_at(BotSettings::new(TOKEN).secret(SECRET), SIGNED_AT).await;
    // The last one is what signing with the secret as the key gives.
    for message in [
        text("hello"),
        signed(&json!("1599360474"), SIGN),
        signed(&json!("soon"), SIGN),
        signed(&json!("1599360473"), ""),
        signed(&json!("1599360473"), "oCvHckzHO2tnUXWPAE7GGfVi+hFxlqt56Mkbuz2tZM8="),
    ] {
        let answer = send(&sim, &message).await;
        assert_eq!(answer.code(), 19021, "{message}");
        assert_eq!(answer.json().get("data"), None);
    }
}

#[tokio::test]
async fn a_signature_is_good_for_an_hour_round_its_timestamp() {
    let bot = BotSettings::new(TOKEN).secret(SECRET);
    let (sim, clock) = start_at(bot, SIGNED_AT - 3601).await;
    for (step_seconds, code) in [(0, 19021), (1, 0), (7200, 0), (1, 19021)] {
        clock.advance(Duration::from_secs(step_seconds));
        assert_eq!(send(&sim, &signed(&json!("1599360473"), SIGN)).await.code(), code, "at {}", clock.now());
    }
}

#[tokio::test]
async fn one_of_the_keywords_has_to_stand_in_the_text() {
    let sim = start(BotSettings::new(TOKEN).keyword("告警").keyword("alert").no_limits()).await;
    let titled = json!({"msg_type": "interactive", "card": {
        "header": {"title": {"tag": "plain_text", "content": "告警: disk"}}}});
    let button = json!({"msg_type": "interactive", "card": {"elements": [{"tag": "action", "actions": [
        {"tag": "button", "text": {"tag": "plain_text", "content": "alert"}, "url": "https://x.example"}]}]}});
    let post = json!({"msg_type": "post", "content": {"post": {"zh_cn": {"content": [
        [{"tag": "text", "text": "an alert"}]]}}}});
    for (message, code) in [
        (text("an alert came"), 0),
        (text("hello"), 19024),
        (card("an alert came"), 0),
        (titled, 0),
        (post, 0),
        (button, 19024),
        (card("Alert"), 19024),
    ] {
        let answer = send(&sim, &message).await;
        assert_eq!(answer.code(), code, "{message}");
    }
}

#[tokio::test]
async fn only_addresses_on_the_allowlist_may_send() {
    let sim = start(BotSettings::new(TOKEN).allow_ip("127.0.0.2".parse().unwrap())).await;
    assert_eq!(send(&sim, &text("hello")).await.code(), 19022);

    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(sim.address()).await.unwrap();
    let head = format!("POST {} HTTP/1.1\r\nContent-Type: application/json\r\n", hook(TOKEN));
    let mut stream = request_on(stream, &head, text("hello").to_string().as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"code\":0"), "{answer}");
}

//! Which bodies are messages.

use feishu_sim::{BotSettings, FeishuSim, SimSettings, Verdict};
use serde_json::{Value, json};

use crate::support::{TOKEN, card, exchange, hook, request, send, send_raw, start, text};

#[tokio::test]
async fn a_card_is_accepted_with_the_documented_answer_and_kept_with_its_json() {
    let sim = start(BotSettings::new(TOKEN).known_id("ou_member")).await;
    let message = card("disk full <at id=ou_member></at>");

    let answer = send(&sim, &message).await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})
    );
    let accepted = sim.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].card().as_ref(), Some(&message["card"]));
    assert_eq!(accepted[0].message(), Some(message));
    assert_eq!(accepted[0].mentioned, ["ou_member"]);
}

#[tokio::test]
async fn the_five_forms_of_a_message_are_accepted() {
    let sim = start(BotSettings::new(TOKEN)).await;
    let post = json!([
        [{"tag": "text", "text": "build "}, {"tag": "a", "text": "1", "href": "https://ci.example/1"}],
        [{"tag": "at", "user_id": "ou_stranger"}, {"tag": "img", "image_key": "img_v2_1"}]]);
    for message in [
        text("hello"),
        json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "t", "content": post}}}}),
        json!({"msg_type": "image", "content": {"image_key": "img_v2_1"}}),
        json!({"msg_type": "share_chat", "content": {"share_chat_id": "oc_1"}}),
        card("hello"),
    ] {
        assert_eq!(send(&sim, &message).await.code(), 0, "{message}");
    }
}

#[tokio::test]
async fn a_malformed_body_is_refused_by_what_is_wrong_with_it() {
    let sim = start(BotSettings::new(TOKEN).no_limits()).await;
    let post =
        |node: Value| json!({"msg_type": "post", "content": {"post": {"en_us": {"content": [[node]]}}}});
    for (code, message) in [
        (9499, json!([])),
        (9499, json!({"msg_type": 1})),
        (9499, json!({"msg_type": "text", "content": "hello"})),
        (9499, json!({"msg_type": "text", "content": {"text": 1}})),
        (9499, json!({"msg_type": "image", "content": {"image_key": "logo.png"}})),
        (9499, json!({"msg_type": "share_chat", "content": {"share_chat_id": "chat"}})),
        (9499, json!({"msg_type": "post", "content": {"zh_cn": {"content": []}}})),
        (9499, json!({"msg_type": "post", "content": {"post": {"de_de": {"content": []}}}})),
        (9499, json!({"msg_type": "post", "content": {"post": {"zh_cn": {"content": [{"tag": "text"}]}}}})),
        (9499, post(json!({"tag": "a", "text": "x", "href": "ci.example"}))),
        (9499, post(json!({"tag": "md", "text": "x"}))),
        (19002, json!({"content": {"text": "hello"}})),
        (19002, json!({"msg_type": "file", "content": {"file_key": "f"}})),
        (19002, json!({"msg_type": "interactive", "content": {"text": "hello"}})),
        (19002, json!({"msg_type": "interactive", "card": "{}"})),
    ] {
        assert_eq!(send(&sim, &message).await.code(), code, "{message}");
    }
    assert_eq!(send_raw(&sim, b"{\"msg_type\":").await.code(), 9499);
    assert!(sim.accepted().is_empty());
}

#[tokio::test]
async fn a_refusal_says_why_inside_a_200_and_is_recorded() {
    let sim = start(BotSettings::new(TOKEN)).await;

    let answer = send(&sim, &card("<at id=ou_stranger></at>")).await;

    assert_eq!(answer.code(), 11246);
    let msg = answer.json()["msg"].as_str().unwrap().to_owned();
    assert!(msg.contains("ErrCode: 100290;"), "{msg}");
    let [record] = sim.records(TOKEN).try_into().unwrap();
    assert_eq!(record.verdict, Verdict::Refused(feishu_sim::Refusal::new(11246, msg)));
    assert_eq!(record.message(), None, "only accepted messages are kept");
}

#[tokio::test]
async fn a_body_may_have_20_000_bytes_and_from_30_kb_on_another_code_is_given() {
    let sim = start(BotSettings::new(TOKEN)).await;
    let frame = text("").to_string().len();
    for (bytes, code) in [(20_000, 0), (20_001, 9499), (30 << 10, 9499), ((30 << 10) + 1, 19036)] {
        assert_eq!(send(&sim, &text(&"x".repeat(bytes - frame))).await.code(), code, "{bytes} bytes");
    }
}

#[tokio::test]
async fn a_message_that_is_not_sent_as_json_has_no_msg_type() {
    let sim = start(BotSettings::new(TOKEN)).await;
    for content_type in ["", "Content-Type: text/plain\r\n"] {
        let head = format!("POST {} HTTP/1.1\r\n{content_type}", hook(TOKEN));
        let answer = exchange(sim.address(), &head, text("hello").to_string().as_bytes()).await.unwrap();
        assert_eq!(answer.code(), 19002, "{content_type:?}");
    }
}

#[tokio::test]
async fn an_unknown_token_is_19001_and_another_path_is_404() {
    let sim = start(BotSettings::new(TOKEN)).await;
    let body = text("hello").to_string();
    let post = async |path: &str| request(sim.address(), "POST", path, body.as_bytes()).await.unwrap();
    assert_eq!(post(&hook("other")).await.code(), 19001);
    assert_eq!(sim.records("other").len(), 1);
    assert_eq!(post("/open-apis/bot/hook/test-token").await.status, 404);
    assert_eq!(request(sim.address(), "GET", &hook(TOKEN), b"").await.unwrap().status, 405);
}

#[tokio::test]
async fn several_bots_have_settings_and_records_of_their_own() {
    let bots = [BotSettings::new("open"), BotSettings::new("keyed").keyword("alert")];
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let body = text("hello").to_string();
    for (token, code) in [("open", 0), ("keyed", 19024)] {
        let answer = request(sim.address(), "POST", &hook(token), body.as_bytes()).await.unwrap();
        assert_eq!(answer.code(), code, "{token}");
        assert_eq!(sim.records(token).len(), 1);
    }
}

#[tokio::test]
async fn text_tolerates_mentions_of_strangers_and_tells_members() {
    let sim = start(BotSettings::new(TOKEN).known_id("ou_member")).await;
    let said =
        "<at user_id=\"ou_stranger\">Ann</at> <at user_id=\"ou_member\">Ben</at> <at id=ou_member></at>";
    assert_eq!(send(&sim, &text(said)).await.code(), 0);
    assert_eq!(sim.accepted()[0].mentioned, ["ou_member"]);
}

#[tokio::test]
async fn mentioning_everybody_is_refused_where_the_group_forbids_it() {
    let sim = start(BotSettings::new(TOKEN).forbid_at_all()).await;
    let node = json!({"tag": "at", "user_id": "all"});
    for message in [
        text("<at user_id=\"all\">all</at>"),
        json!({"msg_type": "post", "content": {"post": {"zh_cn": {"content": [[node]]}}}}),
        card("<at id=all></at>"),
    ] {
        assert_eq!(send(&sim, &message).await.code(), 11235, "{message}");
    }
}

//! The control API and the page, on the simulator as a process.

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{Answer, DEADLINE, card, hook, post, request};

/// The process, ended on drop, and the address it says it listens on.
pub(crate) async fn spawn(arguments: &[&str]) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_feishu-sim"))
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap().unwrap();
    let url = line.strip_prefix("webhook: http://").unwrap_or_else(|| panic!("{line}"));
    let address = url.split_once('/').unwrap().0.parse().unwrap();
    (child, address)
}

async fn send(address: SocketAddr, token: &str, message: &Value) -> Answer {
    post(address, &hook(token), message.to_string().as_bytes()).await.unwrap()
}

pub(crate) async fn control(address: SocketAddr, method: &str, path: &str, body: &Value) -> Answer {
    request(address, method, path, body.to_string().as_bytes()).await.unwrap()
}

#[tokio::test]
async fn records_and_totals_are_told_over_http_and_can_be_forgotten() {
    let (_child, address) = spawn(&["--token", "a", "--token", "b", "--known-id", "ou_member"]).await;
    send(address, "a", &card("first <at id=ou_member></at>")).await;
    send(address, "b", &json!({})).await;

    let told = control(address, "GET", "/_sim/records", &Value::Null).await.json();
    assert_eq!(told["totals"]["accepted"], 1);
    assert_eq!(told["totals"]["refused"], json!({"19002": 1}));
    assert_eq!(told["records"][0]["message"], card("first <at id=ou_member></at>"));
    assert_eq!(told["records"][0]["mentioned"], json!(["ou_member"]));
    assert_eq!(told["records"][1]["verdict"]["code"], 19002);

    let of_b = control(address, "GET", "/_sim/records?token=b", &Value::Null).await.json();
    assert_eq!(of_b["records"].as_array().unwrap().len(), 1);
    let newer = control(address, "GET", "/_sim/records?after=1", &Value::Null).await.json();
    assert_eq!(newer["records"][0]["number"], 2);

    control(address, "DELETE", "/_sim/records", &Value::Null).await;
    let told = control(address, "GET", "/_sim/records", &Value::Null).await.json();
    assert_eq!((&told["totals"]["accepted"], &told["records"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn faults_are_scripted_and_cleared_over_http() {
    let (_child, address) = spawn(&["--token", "a"]).await;
    let order = json!({"fault": {"kind": "server_error", "status": 502}, "token": "a", "times": 1});
    assert_eq!(control(address, "POST", "/_sim/faults", &order).await.status, 200);
    assert_eq!(send(address, "a", &card("hello")).await.status, 502);
    assert_eq!(send(address, "a", &card("hello")).await.code(), 0);

    let order = json!({"fault": {"kind": "refusal", "code": 2200, "msg": "internal error"}});
    control(address, "POST", "/_sim/faults", &order).await;
    assert_eq!(send(address, "a", &card("hello")).await.code(), 2200);
    assert_eq!(send(address, "a", &card("hello")).await.code(), 2200);
    control(address, "DELETE", "/_sim/faults", &Value::Null).await;
    assert_eq!(send(address, "a", &card("hello")).await.code(), 0);
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let (_child, address) = spawn(&[]).await;
    let reset = json!({"kind": "reset"});
    for (path, order, status) in [
        ("/_sim/faults", json!({"fault": {"kind": "earthquake"}}), 400),
        ("/_sim/faults", json!({"fault": reset, "fort_ms": 1}), 400),
        ("/_sim/faults", json!({"fault": reset, "times": 1, "for_ms": 1}), 400),
        ("/_sim/faults", json!({"fault": reset, "token": "other"}), 404),
        ("/_sim/away", json!({}), 400),
        ("/_sim/weather", json!({}), 404),
    ] {
        assert_eq!(control(address, "POST", path, &order).await.status, status, "{path} {order}");
    }
}

#[tokio::test]
async fn it_answers_the_order_to_go_away_and_comes_back_by_itself() {
    let (_child, address) = spawn(&[]).await;
    let answer = control(address, "POST", "/_sim/away", &json!({"for_ms": 300})).await;
    assert_eq!(answer.status, 200);
    assert!(post(address, &hook("test-token"), b"{}").await.is_err(), "it is away");
    let back = async {
        loop {
            if let Ok(answer) = post(address, &hook("test-token"), card("hello").to_string().as_bytes()).await
            {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    assert_eq!(timeout(DEADLINE, back).await.expect("it is back").code(), 0);
}

#[tokio::test]
async fn flags_set_the_bot_up() {
    let flags =
        ["--secret", "s", "--no-limits", "--keyword", "k", "--allow-ip", "10.0.0.*", "--forbid-at-all"];
    let (_child, address) = spawn(&flags).await;
    assert_eq!(send(address, "test-token", &card("hello")).await.code(), 19022);
    let (_child, address) = spawn(&flags[..3]).await;
    assert_eq!(send(address, "test-token", &card("hello")).await.code(), 19021);
}

#[tokio::test]
async fn the_page_shows_the_newest_card_first_and_escapes_it() {
    let (_child, address) = spawn(&[]).await;
    send(address, "test-token", &card("older")).await;
    send(address, "test-token", &card("newer &#60; <b>bold</b>")).await;
    let page = request(address, "GET", "/", b"").await.unwrap();
    assert!(page.headers.contains("text/html"));
    let newer = page.body.find("newer").unwrap();
    let older = page.body.find("older").unwrap();
    assert!(newer < older);
    assert!(page.body.contains("newer &amp;#60; &lt;b&gt;bold"), "{}", page.body);
}

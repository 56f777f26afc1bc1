//! No secret is in a log, at no level: the program at `RUST_LOG=trace`, against the real broker and the real database.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::rabbitmq;
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_mins(1);
/// Passwords and keys that are nowhere else.
const BROKER: &str = "Zq7vXk2nB9wLr4Tj";
const DATABASE: &str = "Hd5mYc8sPf3gQx6W";
const TOKEN: &str = "b1e6a4d27c9f4835";
const BOT_SECRET: &str = "Vn2kRt8yWq5zLp9M";
const KEY: &str = "Jx4bGh7fCs1dNv6K";

/// Every way in which bytes come into a log: as they are, as a list of numbers, in base64 wherever they begin, in hex.
fn spellings(secret: &str) -> Vec<(&'static str, String)> {
    let mut list = String::new();
    let mut hex = String::new();
    for byte in secret.bytes() {
        // Writing to a string cannot fail.
        let _written = write!(list, "{}{byte}", if list.is_empty() { "" } else { ", " });
        let _written = write!(hex, "{byte:02x}");
    }
    let mut all = vec![("as it is", secret.to_owned()), ("as bytes", list), ("in hex", hex.clone())];
    all.push(("in hex", hex.to_uppercase()));
    for offset in 0..3 {
        // The characters that depend on what stands beside it are left out.
        let padded = [&b"\0\0\0"[..offset], secret.as_bytes()].concat();
        let text = STANDARD_NO_PAD.encode(&padded);
        let skipped = [0, 2, 3][offset];
        all.push(("in base64", text[skipped..text.len() - 2].to_owned()));
    }
    all
}

fn assert_hidden(log: &str, secret: &str) {
    for (how, spelling) in spellings(secret) {
        let found = log.lines().find(|line| line.contains(&spelling));
        assert!(found.is_none(), "a secret stands in the log {how}: {}", found.unwrap_or_default());
    }
}

/// `larkfire` with all its log in a file, at the deepest level.
fn start(folder: &Path, settings: &str) -> Process {
    std::fs::write(folder.join("larkfire.yaml"), settings).unwrap();
    let program = env!("CARGO_BIN_EXE_larkfire");
    let line = format!("exec {program} --config larkfire.yaml >log 2>&1");
    let launch = Launch::program("sh").argument("-c").argument(line).directory(folder);
    launch.variable("RUST_LOG", "trace,lapin::channel=trace,amq_protocol_tcp::x=trace").start()
}

fn log(folder: &TempDir) -> String {
    std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
}

async fn logged(folder: &TempDir, text: &str) {
    wait_until(PATIENCE, text, async || if log(folder).contains(text) { Ok(()) } else { Err("not yet") })
        .await;
}

#[tokio::test]
async fn the_broker_s_password_is_in_no_line_at_trace() {
    let folder = tempfile::tempdir().unwrap();
    let [listen, admin] = [free_address(), free_address()];
    // A wrong one is sent as a right one is, and there is none like it in the log.
    let place = rabbitmq::amqp_url();
    let place = place.rsplit_once('@').unwrap().1;
    let settings = format!(
        "listen: {listen}\nadmin_listen: {admin}\npreview: true\nqueue: {{ url: 'amqp://guest:{BROKER}@{place}' }}\n"
    );
    let process = start(folder.path(), &settings);
    logged(&folder, "ACCESS").await;
    process.terminate();
    let log = log(&folder);
    assert!(log.contains("io_loop"), "the broker's library is asked to say what it does: {log}");
    assert_hidden(&log, BROKER);
}

#[tokio::test]
async fn no_other_secret_is_in_a_line_at_trace() {
    let folder = tempfile::tempdir().unwrap();
    let [listen, admin] = [free_address(), free_address()];
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).secret(BOT_SECRET)])).await.unwrap();
    let hook = sim.webhook_url(TOKEN);
    let settings = format!(
        "listen: {listen}\nadmin_listen: {admin}\ngate: {{ api_keys: {KEY} }}\n\
         database: {{ url: 'mysql://nobody:{DATABASE}@127.0.0.1:3306/larkfire' }}\n\
         receivers: {{ default: {{ webhook_url: '{hook}', secret: {BOT_SECRET} }} }}\n"
    );
    let process = start(folder.path(), &settings);
    let url = format!("http://{listen}/api/alert");
    let body = r#"{"message":"disk is full","sender_id":"x"}"#;
    wait_until(PATIENCE, "202", async || match http::post(&url, &[("x-api-key", KEY)], body).await {
        Ok(answer) if answer.status == 202 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    wait_until(PATIENCE, "a card", async || if sim.records(TOKEN).is_empty() { Err("none") } else { Ok(()) })
        .await;
    logged(&folder, "database").await;
    process.terminate();
    let log = log(&folder);
    assert!(log.contains("DEBUG"), "the level is as asked for: {log}");
    for secret in [DATABASE, TOKEN, BOT_SECRET, KEY] {
        assert_hidden(&log, secret);
    }
}

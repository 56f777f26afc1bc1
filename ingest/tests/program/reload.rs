//! The program with its configuration changed under it.
#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testkit::http;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

/// Two looks at the files and a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// The queue is away, so whoever passes the gate is asked to come again.
const PASSED: u16 = 503;
const REFUSED: u16 = 401;

/// A running ingest and the folder with its files.
struct Harness {
    folder: TempDir,
    process: Process,
    port: u16,
}

impl Harness {
    async fn with(listen: &str, gate: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_config(folder.path(), listen, gate);
        let process = Launch::program(env!("CARGO_BIN_EXE_larkfire-ingest"))
            .argument("--config")
            .argument(folder.path().join("larkfire.yaml"))
            .directory(folder.path())
            .start();
        let line = process.wait_for_line("taking alerts", PATIENCE).await;
        let address: SocketAddr = line.split('=').find_map(|word| word.trim().parse().ok()).unwrap();
        Self { folder, process, port: address.port() }
    }

    fn write_gate(&self, gate: &str) {
        write_config(self.folder.path(), "127.0.0.1:0", gate);
    }

    async fn status(&self, key: &str) -> u16 {
        let url = format!("http://127.0.0.1:{}/api/alert", self.port);
        let credential = format!("Bearer {key}");
        let body = r#"{"message":"disk is full","sender_id":"me"}"#;
        http::post(&url, &[("authorization", &credential)], body).await.unwrap().status
    }

    /// Asking again and again with a key that is refused would be slowed down.
    async fn reloaded(&self, times: usize) {
        wait_until(PATIENCE, "the new gate", async || {
            match self.process.output().matches("the gate goes by the new configuration").count() {
                seen if seen == times => Ok(()),
                seen => Err(seen),
            }
        })
        .await;
    }
}

fn write_config(folder: &Path, listen: &str, gate: &str) {
    let gate = gate.replace("FOLDER", &folder.display().to_string());
    let text = format!(
        "listen: {listen}\nadmin_listen: 127.0.0.1:0\nqueue: {{ url: 'amqp://guest:hunter2@127.0.0.1:1' }}\ngate: {gate}\n"
    );
    std::fs::write(folder.join("larkfire.yaml"), text).unwrap();
}

#[tokio::test]
async fn keys_change_without_a_restart_and_a_bad_file_changes_nothing() {
    let harness = Harness::with("127.0.0.1:0", "{ api_keys: [first-key] }").await;
    assert_eq!((harness.status("first-key").await, harness.status("second-key").await), (PASSED, REFUSED));

    std::fs::write(harness.folder.path().join("keys"), "second-key\n").unwrap();
    harness.write_gate("{ api_keys_file: FOLDER/keys }");
    harness.reloaded(1).await;
    assert_eq!((harness.status("second-key").await, harness.status("first-key").await), (PASSED, REFUSED));

    std::fs::write(harness.folder.path().join("keys"), "third-key\n").unwrap();
    harness.reloaded(2).await;
    assert_eq!(harness.status("third-key").await, PASSED);

    harness.write_gate("{ api_kyes: [fourth-key] }");
    harness.process.wait_for_line("did you mean `api_keys`?", PATIENCE).await;
    assert_eq!((harness.status("third-key").await, harness.status("fourth-key").await), (PASSED, REFUSED));

    harness.write_gate("{ api_keys: [fifth-key] }");
    let id = harness.process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    harness.reloaded(3).await;
    assert_eq!(harness.status("fifth-key").await, PASSED);

    let output = harness.process.output();
    let leaked = ["first-key", "second-key", "third-key", "fourth-key", "fifth-key", "hunter2"];
    let leaked: Vec<_> = leaked.into_iter().filter(|secret| output.contains(secret)).collect();
    assert!(leaked.is_empty(), "{leaked:?} in {output}");
}

#[tokio::test]
async fn a_reload_does_not_open_a_door_that_a_start_would_not() {
    let harness = Harness::with("0.0.0.0:0", "{ api_keys: [first-key] }").await;
    write_config(harness.folder.path(), "0.0.0.0:0", "{}");
    harness.process.wait_for_line("stays in use", PATIENCE).await;
    // By its own address this one is safe; but we listen on the network still.
    write_config(harness.folder.path(), "127.0.0.1:0", "{}");
    harness.process.wait_for_line("the gate stays as it was", PATIENCE).await;
    assert_eq!((harness.status("first-key").await, harness.status("none").await), (PASSED, REFUSED));
}

//! The program itself: what it says and how it ends when it is started wrongly.
#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::process::{Command, Output};

/// Runs it to its end, with these variables and no others.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_larkfire-ingest"));
    let Output { status, stdout, stderr } =
        command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

const BROKER: (&str, &str) = ("AMQP_URL", "amqp://guest:hunter2@127.0.0.1:1");

#[test]
fn help_shows_how_it_is_used() {
    let (code, text) = run(&["--help"], &[]);
    assert_eq!(code, Some(0));
    for part in ["AMQP_URL=", "/api/alert", "Exit codes"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_version_is_the_crates_and_perhaps_a_commit() {
    let (code, text) = run(&["--version"], &[]);
    assert_eq!(code, Some(0));
    assert_eq!(text, format!("larkfire-ingest {}\n", config::version::VERSION_AND_COMMIT));
    assert!(config::version::VERSION_AND_COMMIT.starts_with(env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_queue_it_says_what_to_set() {
    let (code, text) = run(&[], &[]);
    assert_eq!(code, Some(64));
    assert!(text.contains("AMQP_URL") && text.contains("`larkfire`"), "{text}");
}

#[test]
fn it_does_not_open_a_door_to_everybody() {
    let (code, text) = run(&[], &[BROKER, ("LARKFIRE_LISTEN", "0.0.0.0:0")]);
    assert_eq!(code, Some(64));
    assert!(text.contains("allow_unauthenticated") && !text.contains("hunter2"), "{text}");
}

#[test]
fn an_address_that_is_taken_is_a_failed_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let variables = [BROKER, ("LARKFIRE_LISTEN", &*address), ("LARKFIRE_ADMIN_LISTEN", "127.0.0.1:0")];
    let (code, text) = run(&[], &variables);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("cannot listen on {address}")) && !text.contains("hunter2"), "{text}");
}

/// What `check` says of this file, with these variables.
fn check(text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("larkfire.yaml");
    std::fs::write(&file, text).unwrap();
    run(&["check", "--config", file.to_str().unwrap()], variables)
}

#[test]
fn check_says_what_a_right_configuration_comes_to_and_keeps_its_secrets() {
    let config = "listen: 0.0.0.0:8080
gate: { api_keys: [KEY1, KEY2], allowed_ips: 10.0.0.0/8 }
lark: { encrypt_key: KEY3, verification_token: TOKEN1 }
receivers:
  default: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN2, secret: KEY4 }
  ops: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN3, secret: KEY5 }
routes: [{ match: severity=\"critical\", receiver: ops }]
";
    let (code, text) = check(config, &[BROKER]);
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "listens on  0.0.0.0:8080\n",
        "a request needs: bearer token (2 known); an address in one of 1 networks\n",
        "callbacks   signed with the encrypt key, and by the verification token\n",
        "queue       RabbitMQ at 127.0.0.1:1, names begin with larkfire, shards: 1\n",
        "1 severity=\"critical\" → ops\n",
        "whatever no route takes: default\n",
        "the configuration is right; 0 warnings\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert!(!text.contains("database"), "that is the worker's:\n{text}");
    for secret in ["hunter2", "KEY", "TOKEN", "/hook/"] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
}

#[test]
fn check_says_everything_that_is_wrong_at_once_with_its_key_and_place() {
    let config = "listen: nowhere
gate:
  allowed_ips: 10.0.0.0/99
  api_keyz: KEY1
receivers:
  ops: { webhook_url: hunter3 }
routes:
  - { match: severity, receiver: nobody }
";
    let (code, text) = check(config, &[BROKER, ("LARKFIRE_ADMIN_LISTEN", "there")]);
    assert_eq!(code, Some(64), "{text}");
    for (key, place) in [
        ("listen", "larkfire.yaml:1"),
        ("gate.allowed_ips", "larkfire.yaml:3"),
        ("gate.api_keyz", "larkfire.yaml:4"),
        ("receivers.ops.webhook_url", "larkfire.yaml:6"),
        ("routes.1.match", "larkfire.yaml:8"),
        ("routes.1.receiver", "larkfire.yaml:8"),
        ("LARKFIRE_ADMIN_LISTEN", ""),
    ] {
        let line = text.lines().find(|line| line.contains(key) && line.contains(place));
        assert!(line.is_some(), "{key} at {place:?} is missing in:\n{text}");
    }
    assert!(text.contains("did you mean `api_keys`?"), "{text}");
    for secret in ["hunter2", "hunter3", "KEY1"] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
}

#[test]
fn check_warns_of_what_is_probably_not_meant_and_that_is_no_failure() {
    let (code, text) = check("listen: 0.0.0.0:1\ngate: { allow_unauthenticated: true }", &[BROKER]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("warning: anybody who reaches 0.0.0.0:1 needs no credential"), "{text}");
    assert!(text.contains("the configuration is right; 1 warning\n"), "{text}");
}

#[test]
fn check_online_asks_the_broker_and_one_that_is_away_is_a_failure() {
    let (code, text) = run(&["check", "--online"], &[BROKER]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAILED: RabbitMQ: ") && text.contains("is queue.url (AMQP_URL) right?"), "{text}");
    assert!(
        text.contains("the configuration is right, but not everything it needs is there")
            && !text.contains("hunter2")
    );

    let (code, text) = run(&["check", "--online"], &[("AMQP_URL", &testkit::rabbitmq::amqp_url())]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("ok: RabbitMQ: lets us in, version "), "{text}");
}

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

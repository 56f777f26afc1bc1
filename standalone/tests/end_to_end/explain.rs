//! `explain`, with every body whose envelopes are known and with what is none.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use config::{Environment, parse};
use ingest::source::Endpoint;
use serde_json::Value;
use standalone::explain::{PostAddress, explain};
use worker::preview::Colours;

fn explained(body: &[u8], endpoint: Endpoint) -> Result<String, String> {
    explained_by("", body, endpoint)
}

/// By these settings.
fn explained_by(settings: &str, body: &[u8], endpoint: Endpoint) -> Result<String, String> {
    let config = parse("test.yaml", settings, Environment::default()).unwrap();
    let way = PostAddress { endpoint, receiver: None, origin: None };
    let now = "2026-03-02T07:16:00.5Z".parse().unwrap();
    explain(body, way, &config, now, Colours::Off).map_err(|error| error.to_string())
}

fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ingest/tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_string_lossy().ends_with(".expected.json")).collect()
}

#[test]
fn the_command_tells_programs_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let explained = |body: &str| {
        fs::write(folder.path().join("payload.json"), body).unwrap();
        std::process::Command::new(env!("CARGO_BIN_EXE_larkfire"))
            .args(["explain", "payload.json", "--json"])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let output = explained(r#"{"message":"Disk full on db-1","sender_id":"me"}"#);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &json["format"]), (Some(0), &"custom".into()), "{json}");
    assert_eq!(
        (&json["alerts"][0]["status"], &json["envelopes"][0]["alerts"]),
        (&"firing".into(), &1.into())
    );
    let refused = explained("{");
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty() && !refused.stderr.is_empty(), "{refused:?}");
}

#[test]
fn of_every_body_the_format_and_each_fingerprint_are_told() {
    for expected in golden() {
        let body = PathBuf::from(expected.to_str().unwrap().replace(".expected.", "."));
        let name = body.file_name().unwrap().to_string_lossy().into_owned();
        let endpoint = match name.split('-').next() {
            Some("loki") => Endpoint::LokiFeishu,
            Some("prometheus") => Endpoint::AlertmanagerApi,
            Some(_) | None => Endpoint::Any,
        };
        let told = explained(&fs::read(&body).unwrap(), endpoint).unwrap();
        let envelopes: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
        for envelope in envelopes.as_array().unwrap() {
            let format = format!("format     {}, because it has `", envelope["source"].as_str().unwrap());
            assert!(told.starts_with(&format), "{name}: {told}");
            for alert in envelope["alerts"].as_array().unwrap() {
                // A test has a name of its own each time.
                if ["TestAlert", "Test notification", "My Alert Testing"]
                    .contains(&alert["labels"]["alertname"].as_str().unwrap_or(""))
                {
                    continue;
                }
                let name = alert.get("identity").unwrap_or(&alert["fingerprint"]);
                assert!(told.contains(name.as_str().unwrap()), "{}: {told}", body.display());
            }
        }
    }
}

#[test]
fn garbage_is_refused_with_a_reason() {
    for (garbage, reason) in [
        (&b""[..], "not JSON: EOF"),
        (b"\x00\xff\xfe", "not JSON: expected value at line 1, column 1"),
        (b"alerts: []", "not JSON"),
        (b"[{}]", "nearest is alertmanager, which lacks an object around it all"),
        (b"{\"message\":\"x\"}", "nearest is custom, which lacks `sender_id`"),
    ] {
        let refused = explained(garbage, Endpoint::Any).unwrap_err();
        assert!(refused.starts_with("it would be refused: ") && refused.contains(reason), "{refused}");
    }
}

#[test]
fn each_alert_is_explained_by_the_people_and_manners_of_the_receiver_it_goes_to() {
    let settings = "
receivers:
  aaa: { bots: [{ webhook_url: https://h/1 }, { webhook_url: https://h/2 }], fallback: of-aaa }
  default: { webhook_url: https://h/3, fallback: all, allow_mention_all: true }
  ops: { webhook_url: https://h/4, fallback: [of-ops, all] }
routes:
  - { match: alertname=A, receiver: aaa }
  - { match: alertname=B, receiver: ops }";
    for (alertname, owners) in [
        ("A", "of-aaa, because"),
        ("B", "of-ops, everybody (written only: receivers.NAME.allow_mention_all is false), because"),
        ("C", "everybody, because"),
    ] {
        let body = format!(
            r#"{{"version":"4","groupKey":"g","receiver":"x","status":"firing","alerts":[{{"status":"firing","labels":{{"alertname":"{alertname}"}},"startsAt":"2026-03-02T07:00:00Z"}}]}}"#
        );
        let told = explained_by(settings, body.as_bytes(), Endpoint::Any).unwrap();
        assert!(told.contains(&format!("owners     {owners} nobody owns it")), "{alertname}: {told}");
    }
}

//! Bodies as senders write them, each beside the envelopes it becomes. `UPDATE_GOLDEN=1 cargo test --workspace
//! --test source golden` writes the expectations anew; the difference is then read in review.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its fixtures has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::{EnvelopeId, encode};
use serde_json::Value;

use crate::oddities::ODDITIES;

const EXPECTED: &str = ".expected.json";

pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn files_ending(end: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| file.strip_suffix(end).map(str::to_owned)).collect()
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let names = files_ending(".json").into_iter().filter(|name| !name.ends_with(".expected"));
    let read =
        |name: String| Fixture { body: fs::read(folder().join(format!("{name}.json"))).unwrap(), name };
    names.map(read).collect()
}

/// The address a body of this name is sent to.
pub(crate) fn endpoint_of(name: &str) -> Endpoint {
    if name.starts_with("loki-feishu") {
        Endpoint::LokiFeishu
    } else if name.starts_with("prometheus-") {
        Endpoint::AlertmanagerApi
    } else {
        Endpoint::Any
    }
}

/// What the queue would get: the decoded lines as one pretty-printed array.
fn envelopes_of(fixture: &Fixture) -> String {
    let received_at: Timestamp = "2026-03-02T07:16:00.5Z".parse().unwrap();
    let context = Context {
        id: EnvelopeId::new(received_at, [0x2a; 10]),
        received_at,
        endpoint: endpoint_of(&fixture.name),
        timezone: TimeZone::get("Asia/Shanghai").unwrap(),
        origin: String::new(),
        ignore_labels: ["prometheus_replica".to_owned()].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    };
    let text = text_of(&fixture.body);
    let parsed = parse(&text, &context).unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
    let lines = encode(&parsed.envelope).unwrap();
    let wire: Vec<Value> = lines.iter().map(|line| serde_json::from_slice(&line.bytes).unwrap()).collect();
    serde_json::to_string_pretty(&wire).unwrap() + "\n"
}

#[test]
fn every_body_becomes_the_envelopes_written_beside_it() {
    for fixture in fixtures() {
        let path = folder().join(fixture.name.clone() + EXPECTED);
        let actual = envelopes_of(&fixture);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &actual).unwrap();
        }
        let expected =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(actual == expected, "{} became\n{actual}", fixture.name);
    }
}

#[test]
fn no_expectation_stands_without_its_body() {
    let bodies: BTreeSet<String> = fixtures().into_iter().map(|fixture| fixture.name).collect();
    assert_eq!(files_ending(EXPECTED), bodies);
    let known = [".json", ".rs"];
    let strays = files_ending("").into_iter().filter(|file| !known.iter().any(|end| file.ends_with(end)));
    assert_eq!(strays.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_oddity_senders_are_known_for_has_a_body() {
    let bodies: Vec<(Vec<u8>, Value)> = fixtures()
        .into_iter()
        .map(|fixture| {
            let value = serde_json::from_str(&text_of(&fixture.body)).unwrap();
            (fixture.body, value)
        })
        .collect();
    for (oddity, shows) in ODDITIES {
        assert!(bodies.iter().any(|(raw, body)| shows(raw, body)), "no fixture has {oddity}");
    }
}

//! Instructions per alert of what is done with every one of them. Time is noisy on a shared machine; how many
//! instructions a program executes is not, so a change of a few per cent can be seen.
//!
//! `cargo bench -p larkfire --bench instructions` runs this program under valgrind (Debian: `apt install valgrind`), each
//! case twice with different numbers of rounds. The difference is what the rounds cost, and nothing of what comes
//! before them.
#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nobody to tell but its reader")]
#![expect(clippy::print_stdout, reason = "its output is the point")]

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, DedupConfig, LinksConfig, Locale, SeverityWords};
use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Alert;
use model::envelope::{Envelope, EnvelopeId, decode, encode};
use prometheus::Registry;
use runtime::clock::Clock;
use tempfile::TempDir;
use testkit::bodies;
use tokio::runtime::Builder;
use worker::feishu::CARD_BYTES_MAX;
use worker::ledger::{Event, Ledger};
use worker::render::{self, Item, Style};
use worker::store::Store;

/// Rounds of the shorter and of the longer run.
const ROUNDS: [u64; 2] = [5, 25];
/// The program calls itself with this word before a case.
const RUN: &str = "--run";

/// Does the work on so many alerts, so many times.
type Work = fn(alerts: usize, rounds: u64);

/// What is measured, and with how many alerts at once.
const CASES: [(&str, Work, &[usize]); 6] = [
    ("parse", parsing, &[1, 10, 100]),
    ("encode", encoding, &[1, 10, 100]),
    ("decode", decoding, &[1, 10, 100]),
    ("copy", copying, &[1, 100]),
    ("decide", deciding, &[1, 100]),
    ("fold", folding, &[1, 100, 10_000]),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == RUN) else { return report() };
    let [case, alerts, rounds] = &arguments[at + 1..] else { return };
    let (_, work, _) = CASES.iter().find(|(name, ..)| name == case).expect("a case of that name");
    work(alerts.parse().expect("a number of alerts"), rounds.parse().expect("a number of rounds"));
}

fn report() {
    println!("{:8} {:>8} {:>20}", "", "at once", "instructions/alert");
    for (case, _, sizes) in CASES {
        for alerts in sizes {
            let [few, many] = ROUNDS.map(|rounds| instructions(case, *alerts, rounds));
            let work = (ROUNDS[1] - ROUNDS[0]) * *alerts as u64;
            println!("{case:8} {alerts:8} {:20}", many.saturating_sub(few) / work);
        }
    }
}

/// What valgrind counts: `==123== I   refs:      1,234,567`.
fn instructions(case: &str, alerts: usize, rounds: u64) -> u64 {
    let this = std::env::current_exe().expect("a path to this program");
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(this)
        .args([RUN, case, &alerts.to_string(), &rounds.to_string()])
        .output()
        .expect("valgrind runs: apt install valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("refs:"));
    let digits = count.map(|(_, count)| count.chars().filter(char::is_ascii_digit).collect::<String>());
    digits.and_then(|digits| digits.parse().ok()).expect("a count of instructions")
}

fn parsing(alerts: usize, rounds: u64) {
    let body = bodies::group(bodies::ALERTMANAGER, alerts);
    let received_at = Timestamp::UNIX_EPOCH;
    let id = EnvelopeId::new(received_at, [7; 10]);
    let context = Context {
        id,
        received_at,
        endpoint: Endpoint::Any,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    };
    for _ in 0..rounds {
        let text = text_of(black_box(body.as_bytes()));
        black_box(parse(&text, &context).expect("a body that is understood"));
    }
}

fn encoding(alerts: usize, rounds: u64) {
    let line = bodies::line(alerts, 0);
    let envelope = read(&line);
    for _ in 0..rounds {
        black_box(encode(black_box(&envelope)).expect("an envelope that can be written"));
    }
}

fn decoding(alerts: usize, rounds: u64) {
    let line = bodies::line(alerts, 0);
    for _ in 0..rounds {
        black_box(read(black_box(&line)));
    }
}

/// What has to wait to be delivered is copied out of its message.
fn copying(alerts: usize, rounds: u64) {
    let line = bodies::line(alerts, 0);
    let envelope = read(&line);
    for _ in 0..rounds {
        black_box(black_box(&envelope).clone().into_owned());
    }
}

/// Alerts that were delivered, as they come again from the second Alertmanager.
fn deciding(alerts: usize, rounds: u64) {
    let line = bodies::line(alerts, 0);
    let envelope = read(&line);
    let folder = TempDir::new().expect("a folder");
    let registry = Registry::new();
    let now = envelope.received_at;
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let database = DatabaseConfig {
            url: None,
            tls: ClientTls::default(),
            connections: 1,
            timeout: Duration::from_secs(30),
        };
        let store = Store::open(&database, folder.path(), &registry).expect("a store");
        let clock = Clock::from_fn(move || now);
        let ledger = Ledger::new(store, DedupConfig::default(), clock, &registry).expect("a ledger");
        let first = events(&envelope, envelope.id);
        ledger.observe(&first).await;
        ledger.delivered(&first).await;
        let again = events(&envelope, envelope.id.part(1));
        for _ in 0..rounds {
            black_box(ledger.observe(black_box(&again)).await);
        }
    });
}

fn events<'e>(envelope: &'e Envelope<'_>, id: EnvelopeId) -> Vec<Event<'e>> {
    let event = |alert: &'e Alert<'_>| Event {
        receiver: "ops",
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        received_at: envelope.received_at,
        is_repeat: false,
        envelope: id,
        forced: false,
    };
    envelope.alerts.iter().map(event).collect()
}

fn folding(alerts: usize, rounds: u64) {
    let line = bodies::line(alerts, 0);
    let envelope = read(&line);
    let items = Item::all_of(&envelope);
    let links = LinksConfig::default();
    let style =
        Style { timezone: TimeZone::UTC, locale: Locale::ZhCn, links, severities: SeverityWords::default() };
    for _ in 0..rounds {
        let card = render::build(black_box(&items), &style, envelope.received_at, CARD_BYTES_MAX);
        black_box(serde_json::to_vec(&card).expect("a card that can be written"));
    }
}

fn read(line: &str) -> Envelope<'_> {
    decode(line.as_bytes()).expect("a line of the wire format")
}

//! Every parser against bytes near those of its corpus (`fuzz/corpus`): some thousands of inputs of a fixed seed with every run of
//! the tests, beside the half hour a week that fuzzing has. For more: `LARKFIRE_MUTATIONS=1000000`, in release.

use std::fs;
use std::path::Path;
use std::time::Instant;

use config::{Environment, GateConfig, HmacConfig, Secret, parse};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::{Alert, Labels};
use model::envelope::{ENVELOPE_ALERTS_MAX, EnvelopeId, decode, encode};
use model::interaction;
use model::matcher::Matcher;

use crate::fuzzing::{callback, lark, proxy_header, spool_records};
use crate::gate::{Gate, Origin};
use crate::source::{Context, Endpoint, parse as parse_body, text_of};

/// Inputs of each parser, where nobody asks for more.
const INPUTS: usize = 2_000;
const INPUT_BYTES_MAX: usize = 16 * 1024;
/// Reasons go into answers and logs.
const REASON_BYTES_MAX: usize = 1024;
/// Nobody guesses it.
const SECRET: &str = "6f1d8b0e5c3a49d7a2e4c19b7f30d865";
/// What means something somewhere.
const WORDS: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"99999999999999999999",
    b"0001-01-01T00:00:00Z",
    b"-009999-01-01T00:00:00Z",
    b"9999-12-31T23:59:59.999999999Z",
    b"1690871400",
    b"firing",
    b"resolved",
    b"alerts",
    b"labels",
    b"*",
    b"&a",
    b"<<",
    b"!!",
    b"{{",
    b"}}",
    b"{%",
    b"=~",
    b"(?i)",
    "\u{202e}".as_bytes(),
    "服务:".as_bytes(),
];

/// A small generator: the same seed makes the same inputs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let begin = self.below(length + 1);
        begin..begin + self.below((length - begin).min(64) + 1)
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

fn mutated(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(6) {
        let place = dice.range(bytes.len());
        let put: Vec<u8> = match dice.below(6) {
            0 => Vec::new(),
            1 => bytes[place.clone()].repeat(2 + dice.below(40)),
            2 => vec![u8::try_from(dice.below(256)).unwrap()],
            3 => WORDS[dice.below(WORDS.len())].to_vec(),
            4 => bytes[place.clone()].iter().map(|byte| byte ^ (1 << dice.below(8))).collect(),
            _ => {
                let other = &seeds[dice.below(seeds.len())];
                other[dice.range(other.len())].to_vec()
            }
        };
        bytes.splice(place, put);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

/// Has the parser read the corpus of this target, and what is near it.
fn tried(target: &str, holds: impl Fn(&[u8])) {
    let seeds = seeds(target);
    for seed in &seeds {
        holds(seed);
    }
    let asked = std::env::var("LARKFIRE_MUTATIONS").ok().and_then(|asked| asked.parse().ok());
    let inputs = asked.unwrap_or(INPUTS);
    let mut dice = Dice(0x5eed_0000_0001 + u64::try_from(inputs).unwrap());
    let begun = Instant::now();
    for _ in 0..inputs {
        let input = mutated(&seeds, &mut dice);
        let is_held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| holds(&input)));
        assert!(is_held.is_ok(), "{target}: {:?}", input.escape_ascii().to_string());
    }
    println!("{target}: {inputs} inputs in {:?}", begun.elapsed());
}

fn context(endpoint: Endpoint) -> Context {
    let received_at = Timestamp::UNIX_EPOCH;
    Context {
        id: EnvelopeId::new(received_at, [7; 10]),
        received_at,
        endpoint,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

/// A body is refused with a reason, or becomes lines that say the same.
fn becomes_lines(body: &[u8], context: &Context) {
    let text = text_of(body);
    let parsed = match parse_body(&text, context) {
        Ok(parsed) => parsed,
        Err(error) => {
            let reason = error.to_string();
            assert!((1..=REASON_BYTES_MAX).contains(&reason.len()), "{reason}");
            return;
        }
    };
    let mut alerts = Vec::new();
    for line in &encode(&parsed.envelope).unwrap() {
        let part = decode(&line.bytes).unwrap();
        assert_eq!((part.source, part.alerts.len()), (parsed.envelope.source, line.alerts));
        assert!(line.alerts <= ENVELOPE_ALERTS_MAX);
        alerts.extend(part.alerts.into_iter().map(Alert::into_owned));
    }
    assert_eq!(alerts, parsed.envelope.alerts);
}

#[test]
fn bodies_are_refused_with_a_reason_or_become_lines_that_say_the_same() {
    for target in ["alertmanager", "grafana", "grafana_legacy", "custom", "vendors"] {
        tried(target, |body| becomes_lines(body, &context(Endpoint::Any)));
    }
    tried("loki_feishu", |body| becomes_lines(body, &context(Endpoint::LokiFeishu)));
    let bridges = [
        Endpoint::AlertmanagerApi,
        Endpoint::FeishuBot,
        Endpoint::DingtalkBot,
        Endpoint::WecomBot,
        Endpoint::DingtalkBridge,
        Endpoint::PrometheusAlert,
    ];
    tried("bridges", |data| {
        let Some((place, body)) = data.split_first() else { return };
        becomes_lines(body, &context(bridges[usize::from(place.wrapping_sub(b'0')) % bridges.len()]));
    });
}

#[test]
fn formats_of_an_operator_read_every_body_or_say_why_not() {
    tried("mapped", |data| {
        let text = String::from_utf8_lossy(data);
        let (settings, body) = text.split_once('\n').unwrap_or((&text, ""));
        let Ok(config) = parse("larkfire.yaml", settings, Environment::default()) else { return };
        let named_source = config.sources.first().map(|source| source.name.clone());
        let context = Context { sources: config.sources.into(), ..context(Endpoint::Any) };
        becomes_lines(body.as_bytes(), &context);
        becomes_lines(body.as_bytes(), &Context { named_source, ..context });
    });
}

#[test]
fn no_headers_make_a_stranger_somebody_else() {
    let hmac = HmacConfig { secrets: vec![Secret::new(SECRET)], ..HmacConfig::default() };
    let gate = Gate::new(&GateConfig {
        api_keys: vec![Secret::new(SECRET)],
        basic_auth: vec![Secret::new(format!("ops:{SECRET}"))],
        hmac,
        allowed_ips: vec!["192.0.2.1".parse().unwrap()],
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..GateConfig::default()
    });
    let names = [
        "authorization",
        "x-grafana-alerting-signature",
        "x-grafana-alerting-timestamp",
        "x-signature",
        "x-timestamp",
        "x-forwarded-for",
        "forwarded",
    ];
    tried("gate", |data| {
        let mut headers = HeaderMap::new();
        for line in data.split(|byte| *byte == b'\n') {
            let Some((place, value)) = line.split_first() else { continue };
            let Ok(value) = HeaderValue::from_bytes(value) else { continue };
            headers.append(HeaderName::from_static(names[usize::from(*place) % names.len()]), value);
        }
        let stranger = Origin::known("203.0.113.9".parse().unwrap());
        assert!(!gate.admits_origin(gate.origin(stranger, &headers)), "a stranger became somebody else");
        let behind = gate.origin(Origin::known("10.0.0.1".parse().unwrap()), &headers);
        assert!(behind.known || !gate.admits_origin(behind), "somebody unknown was admitted");
        let checked = gate.check_credentials(&headers, Endpoint::Any, None, Timestamp::UNIX_EPOCH);
        assert!(checked.and_then(|standing| gate.prove(&standing, data)).is_err(), "a guess was right");
    });
}

#[test]
fn no_callback_of_a_stranger_is_believed() {
    let names = ["x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature"];
    tried("callbacks", |data| {
        let mut parts = data.splitn(names.len() + 1, |byte| *byte == b'\n');
        let mut headers = HeaderMap::new();
        for name in names {
            let Some(value) = parts.next() else { return };
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        let body = parts.next().unwrap_or_default();
        for config in [lark(Some(SECRET), Some(SECRET)), lark(Some(SECRET), None), lark(None, Some(SECRET))] {
            assert!(!callback(&config, &headers, body, Timestamp::UNIX_EPOCH), "a stranger was believed");
        }
    });
}

#[test]
fn proxy_headers_and_records_of_the_spool_are_read_to_where_they_are_whole() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tried("proxy_protocol", |bytes| {
        runtime.block_on(proxy_header(bytes, "10.0.0.1".parse().unwrap()));
    });
    tried("spool_records", |bytes| assert!(spool_records(bytes) <= bytes.len()));
}

#[test]
fn what_is_read_of_the_queue_is_written_again_and_says_the_same() {
    tried("wire_lines", |bytes| {
        if let Ok(read) = decode(bytes) {
            let mut alerts = Vec::new();
            for line in &encode(&read).unwrap() {
                alerts.extend(decode(&line.bytes).unwrap().into_owned().alerts);
            }
            assert_eq!(alerts, read.alerts);
        }
        if let Ok(read) = interaction::decode(bytes) {
            assert_eq!(interaction::decode(&interaction::encode(&read).unwrap()).unwrap(), read);
        }
    });
}

#[test]
fn matchers_and_configurations_are_right_or_refused_with_a_reason() {
    tried("matchers", |data| {
        let text = String::from_utf8_lossy(data);
        let (text, value) = text.split_once('\n').unwrap_or((&text, ""));
        let labels: Labels<'_> = [("a".into(), value.into())].into_iter().collect();
        for matcher in Matcher::all(text).unwrap_or_default() {
            matcher.matches(&labels);
            assert_eq!(Matcher::all(&matcher.to_string()).unwrap().len(), 1, "{matcher}");
        }
    });
    tried("config", |data| {
        if let Err(errors) = parse("larkfire.yaml", &String::from_utf8_lossy(data), Environment::default()) {
            assert!(!errors.to_string().is_empty());
        }
    });
}

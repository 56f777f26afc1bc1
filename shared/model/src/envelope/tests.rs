use proptest::prelude::*;

use super::*;
use crate::alert::{Fingerprint, Links, Mention, Status};

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    ".{0,24}".prop_map(Cow::Owned)
}

fn time() -> impl Strategy<Value = Timestamp> {
    // From the year 1 to 9999, to the nanosecond.
    (-62_135_596_800_i64..253_000_000_000, 0_i32..1_000_000_000)
        .prop_map(|(seconds, nanoseconds)| Timestamp::new(seconds, nanoseconds).unwrap())
}

fn labels() -> impl Strategy<Value = Labels<'static>> {
    proptest::collection::vec((text(), text()), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

fn names() -> impl Strategy<Value = Vec<Cow<'static, str>>> {
    proptest::collection::vec(text(), 0..3)
}

/// `padding` bytes of annotation come on top, so that the size limit is met as well as the count.
fn alert(padding: usize) -> impl Strategy<Value = Alert<'static>> {
    let links = (text(), text(), text(), text()).prop_map(|(dashboard, panel, silence, image)| Links {
        dashboard,
        panel,
        silence,
        image,
    });
    let mention = (names(), names(), names()).prop_map(|(usernames, mobiles, open_ids)| Mention {
        usernames,
        mobiles,
        open_ids,
    });
    let times = (proptest::option::of(time()), proptest::option::of(time()));
    let words = (labels(), labels(), text(), any::<bool>(), (any::<u64>(), any::<bool>()));
    (words, times, links, mention, 0..=padding).prop_map(
        |(words, (starts_at, ends_at), links, mention, padding)| {
            let (labels, mut annotations, generator_url, firing, (id, has_former)) = words;
            annotations.insert_if_absent("padding".into(), "p".repeat(padding).into());
            Alert {
                fingerprint: Fingerprint::of_pairs([("id", &*id.to_string())]),
                former: has_former.then(|| Fingerprint::of_pairs([("former", &*id.to_string())])),
                status: if firing { Status::Firing } else { Status::Resolved },
                starts_at,
                ends_at,
                labels,
                annotations,
                generator_url,
                links,
                mention,
            }
        },
    )
}

fn notice() -> impl Strategy<Value = Notice<'static>> {
    (text(), text()).prop_map(|(title, message)| Notice { title, message })
}

fn envelope(alerts: impl Strategy<Value = Vec<Alert<'static>>>) -> impl Strategy<Value = Envelope<'static>> {
    let said = (any::<u64>(), any::<bool>(), any::<bool>(), notice());
    let origin = (time(), any::<[u8; 10]>(), proptest::sample::select(&Source::ALL[..]), said);
    (origin, text(), text(), labels(), text(), alerts).prop_map(
        |(
            (received_at, random, source, (truncated, is_repeat, is_unheard, notice)),
            receiver,
            group_key,
            group_labels,
            external_url,
            alerts,
        )| {
            Envelope {
                id: EnvelopeId::new(received_at, random),
                received_at,
                source,
                receiver,
                group_key,
                group_labels,
                external_url,
                truncated,
                notice,
                is_repeat,
                is_unheard,
                instead_of: if is_unheard { "ops".into() } else { "".into() },
                alerts,
            }
        },
    )
}

fn one_or_few() -> impl Strategy<Value = Envelope<'static>> {
    envelope(proptest::collection::vec(alert(16), 1..4))
}

/// Up to a few hundred alerts, small or large: few are generated, and then repeated.
fn many() -> impl Strategy<Value = Envelope<'static>> {
    let kinds = prop_oneof![Just(0_usize), Just(6000), Just(8000)]
        .prop_flat_map(|padding| proptest::collection::vec(alert(padding), 1..4));
    let repeated =
        (kinds, 0_usize..400).prop_map(|(kinds, count)| kinds.into_iter().cycle().take(count).collect());
    envelope(repeated)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_envelope_survives_the_wire(envelope in one_or_few()) {
        let lines = encode(&envelope).unwrap();
        prop_assert_eq!(lines.len(), 1);
        prop_assert_eq!(decode(&lines[0].bytes).unwrap(), envelope);
    }

    #[test]
    fn splitting_loses_nothing_and_keeps_limits_and_order(envelope in many()) {
        let lines = encode(&envelope).unwrap();
        let mut alerts = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let part = decode(&line.bytes).unwrap();
            prop_assert_eq!(part.id, envelope.id.part(u32::try_from(index).unwrap()));
            prop_assert_eq!((part.id, part.alerts.len()), (line.id, line.alerts));
            prop_assert!(line.alerts <= ENVELOPE_ALERTS_MAX);
            prop_assert!(line.bytes.len() <= ENVELOPE_BYTES_MAX || line.alerts == 1, "{} bytes", line.bytes.len());
            prop_assert_eq!(line.bytes.iter().position(|byte| *byte == b'\n'), Some(line.bytes.len() - 1));
            alerts.extend(part.alerts.iter().cloned().map(Alert::into_owned));
            let expected = Envelope { id: part.id, alerts: part.alerts.clone(), ..envelope.clone() };
            prop_assert_eq!(part, expected);
        }
        prop_assert!(lines.windows(2).all(|pair| pair[0].id < pair[1].id));
        prop_assert_eq!(lines.first().map(|line| line.id), (!alerts.is_empty()).then_some(envelope.id));
        prop_assert_eq!(alerts, envelope.alerts);
    }

    #[test]
    fn lines_of_one_message_are_told_apart(first in one_or_few(), second in one_or_few()) {
        let body: Vec<u8> = [&first, &second]
            .into_iter()
            .flat_map(|envelope| encode(envelope).unwrap())
            .flat_map(|line| line.bytes)
            .collect();
        let decoded: Vec<_> = lines(&body).map(|line| decode(line).unwrap()).collect();
        prop_assert_eq!(decoded, [first, second]);
    }

    #[test]
    fn ids_of_one_request_follow_one_another(at in time(), random in any::<[u8; 10]>(), index in 0_u32..1_000_000) {
        let id = EnvelopeId::new(at, random);
        prop_assert_eq!(id.part(0), id);
        prop_assert!(id.part(index) < id.part(index + 1));
        prop_assert_eq!(id.to_string().parse::<EnvelopeId>().unwrap(), id);
    }

    #[test]
    fn whatever_stands_in_a_line_it_does_not_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _refused = decode(&line);
    }

    #[test]
    fn another_version_is_refused_whatever_else_the_line_holds(
        version in any::<u32>().prop_filter("ours", |version| *version != WIRE_VERSION),
        envelope in one_or_few(),
    ) {
        let mut json: serde_json::Value = serde_json::from_slice(&encode(&envelope).unwrap()[0].bytes).unwrap();
        json["v"] = version.into();
        let refused = |line: &str| matches!(decode(line.as_bytes()), Err(EnvelopeDecodeError::Version { found }) if found == version);
        prop_assert!(refused(&json.to_string()));
        json["alerts"] = "a later version may have any shape".into();
        prop_assert!(refused(&json.to_string()));
    }
}

/// A line as it is documented, with a field of a later day.
const DOCUMENTED: &str = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","received_at":"2024-01-15T10:30:01.123Z",
    "source":"alertmanager","receiver":"ai-fixer","group_key":"…","group_labels":{},"external_url":"…","truncated":0,
    "alerts":[{"fingerprint":"abc123def456","status":"firing","starts_at":"2024-01-15T10:30:00Z","ends_at":null,
    "labels":{},"annotations":{},"generator_url":"…","mention":{"usernames":[],"mobiles":[],"open_ids":[]}}],"later":{}}"#;

#[test]
fn the_documented_line_is_read_and_unknown_fields_are_ignored() {
    let envelope = decode(DOCUMENTED.as_bytes()).unwrap();
    assert_eq!((&*envelope.receiver, envelope.source), ("ai-fixer", Source::Alertmanager));
    assert_eq!(envelope.alerts[0].fingerprint.as_str(), "abc123def456");
    assert_eq!(envelope.alerts[0].ends_at, None);
    assert!(!envelope.is_repeat && !envelope.is_unheard, "nobody says so");
}

#[test]
fn an_envelope_about_nothing_is_neither_written_nor_read() {
    let mut envelope = decode(DOCUMENTED.as_bytes()).unwrap();
    envelope.alerts.clear();
    assert!(encode(&envelope).unwrap().is_empty());
    let empty = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","received_at":"2024-01-15T10:30:01Z",
        "source":"custom","alerts":[]}"#;
    assert!(matches!(decode(empty.as_bytes()), Err(EnvelopeDecodeError::Empty)));
}

#[test]
fn a_line_without_a_version_is_malformed() {
    for line in ["", "{}", "[]", r#"{"v":"1"}"#, r#"{"v":1}"#, "not JSON"] {
        assert!(matches!(decode(line.as_bytes()), Err(EnvelopeDecodeError::Malformed(_))), "{line}");
    }
}

#[test]
fn the_shard_depends_on_receiver_and_group_alone() {
    let one = decode(DOCUMENTED.as_bytes()).unwrap();
    let with = |receiver: &'static str, group_key: &'static str| {
        Envelope { receiver: receiver.into(), group_key: group_key.into(), ..one.clone() }.shard_key()
    };
    assert_eq!(with("ai-fixer", "…"), one.shard_key());
    assert_eq!(Envelope { alerts: Vec::new(), truncated: 9, ..one.clone() }.shard_key(), one.shard_key());
    assert_ne!(with("a", "bc"), with("ab", "c"));
}

#[test]
fn a_decode_error_says_what_it_came_of_once() {
    let json = serde_json::from_str::<u8>("x").unwrap_err();
    let cause = json.to_string();
    let decoded = EnvelopeDecodeError::Malformed(json).to_string();
    assert_eq!((decoded.matches(&cause).count(), cause.is_empty()), (1, false), "{decoded}");
}

//! Cards as files: each `tests/golden/*.json` holds an envelope and the card it becomes, or the text.
//!
//! `UPDATE_GOLDEN=1 cargo test -p larkfire-worker golden` writes the cards anew; look at the difference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::alert::{Alert, Fingerprint, Status};
use shared::envelope::{EnvelopeId, Source, decode};

use super::*;
use crate::feishu::CARD_BYTES_MAX;

/// Every golden file and the language of its card. A file that is not named here fails a test.
const GOLDEN: [(&str, Locale); 11] = [
    ("single_critical_zh", Locale::ZhCn),
    ("single_critical_en", Locale::En),
    ("single_resolved_zh", Locale::ZhCn),
    ("single_warning_bare_en", Locale::En),
    ("group_same_zh", Locale::ZhCn),
    ("group_mixed_en", Locale::En),
    ("group_truncated_en", Locale::En),
    ("loki_feishu_zh", Locale::ZhCn),
    ("loki_feishu_medium_zh", Locale::ZhCn),
    ("custom_zh", Locale::ZhCn),
    ("hostile_en", Locale::En),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn now() -> Timestamp {
    "2024-01-15T10:35:00Z".parse().unwrap()
}

fn style(locale: Locale) -> Style {
    Style { timezone: TimeZone::fixed(jiff::tz::offset(8)), locale }
}

#[test]
fn golden_cards_are_what_they_were() {
    let write = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (name, locale) in GOLDEN {
        let path = folder().join(format!("{name}.json"));
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let line = serde_json::to_vec(&file["envelope"]).unwrap();
        let envelope = decode(&line).unwrap();
        let card = json!(build(&envelope, &style(locale), now(), CARD_BYTES_MAX));
        let text = text(&envelope, &style(locale), now());
        if write {
            let file = json!({ "envelope": file["envelope"], "card": card, "text": text });
            std::fs::write(&path, format!("{file:#}\n")).unwrap();
            continue;
        }
        assert_eq!(card, file["card"], "{name}");
        assert_eq!(json!(text), file["text"], "{name}");
    }
}

#[test]
fn every_golden_file_is_tested() {
    let files =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named = GOLDEN.map(|(name, _)| format!("{name}.json"));
    assert_eq!(files.collect::<BTreeSet<_>>(), named.into_iter().collect());
}

fn alert(name: &str, labels: Vec<(String, String)>, text: &str) -> Alert<'static> {
    let mut pairs = vec![("alertname".to_owned(), name.to_owned())];
    pairs.extend(labels);
    Alert {
        fingerprint: Fingerprint::of_pairs([("alertname", name)]),
        status: Status::Firing,
        starts_at: Some(now()),
        ends_at: None,
        labels: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        annotations: [
            ("summary".into(), text.to_owned().into()),
            ("description".into(), text.to_owned().into()),
        ]
        .into_iter()
        .collect(),
        generator_url: "http://prometheus.example/graph".into(),
        links: shared::alert::Links::default(),
        mention: shared::alert::Mention::default(),
    }
}

fn envelope(alerts: Vec<Alert<'static>>, truncated: u64) -> Envelope<'static> {
    Envelope {
        id: EnvelopeId::new(now(), [7; 10]),
        received_at: now(),
        source: Source::Alertmanager,
        receiver: "default".into(),
        group_key: "g".into(),
        group_labels: shared::alert::Labels::default(),
        external_url: "http://alertmanager.example".into(),
        truncated,
        alerts,
    }
}

fn length(card: &Card) -> usize {
    serde_json::to_vec(card).unwrap().len()
}

#[test]
fn what_does_not_fit_is_named_and_counted() {
    let alerts = (0..100).map(|index| {
        alert(
            if index < 70 { "DiskFull" } else { "HighLoad" },
            vec![("pod".to_owned(), format!("p-{index}"))],
            "x",
        )
    });
    let envelope = envelope(alerts.collect(), 12);
    let card = build(&envelope, &style(Locale::En), now(), CARD_BYTES_MAX);
    let told = card.elements.iter().filter(|element| matches!(element, Element::Rule)).count() - 1;
    let json = serde_json::to_string(&card).unwrap();
    assert!(told >= 20, "only {told} in detail");
    assert!(json.contains(&format!("{} more", 100 - told)), "{json}");
    assert!(json.contains("12 more were left out by the sender"), "{json}");
}

#[test]
fn a_short_card_is_about_half_as_long_and_says_how_much_is_missing() {
    let alerts =
        (0..60).map(|index| alert("DiskFull", vec![("pod".to_owned(), format!("p-{index}"))], "long enough"));
    let envelope = envelope(alerts.collect(), 0);
    let card = build(&envelope, &style(Locale::En), now(), CARD_BYTES_MAX / 2);
    assert!(length(&card) <= CARD_BYTES_MAX / 2);
    assert!(serde_json::to_string(&card).unwrap().contains("more"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_card_is_over_its_budget_and_no_text_over_its_own(
        names in proptest::collection::vec(".{0,300}", 1..60),
        labels in proptest::collection::vec((".{0,80}", ".{0,400}"), 0..12),
        text_of in ".{0,3000}",
        short in any::<bool>(),
    ) {
        let budget = if short { CARD_BYTES_MAX / 2 } else { CARD_BYTES_MAX };
        let envelope = envelope(names.iter().map(|name| alert(name, labels.clone(), &text_of)).collect(), 3);
        let card = build(&envelope, &style(Locale::ZhCn), now(), budget);
        prop_assert!(length(&card) <= budget, "{} bytes", length(&card));
        prop_assert!(text(&envelope, &style(Locale::En), now()).len() <= TEXT_BYTES_MAX);
    }

    #[test]
    fn nothing_an_alert_says_becomes_a_tag_or_a_link(hostile in "[<>at id=luser\\[\\]()\\\\*:/.]{0,80}") {
        let told = alert(&hostile, vec![("pod".to_owned(), hostile.clone()), (hostile.clone(), "x".to_owned())], &hostile);
        let other = alert("Other", Vec::new(), "");
        for alerts in [vec![told.clone()], vec![told, other]] {
            let envelope = envelope(alerts, 0);
            let card = build(&envelope, &style(Locale::En), now(), CARD_BYTES_MAX);
            for markdown in markdowns(&card) {
                prop_assert!(!markdown.contains('<'), "{}", markdown);
                let links = markdown.matches("](").count();
                prop_assert_eq!(links, markdown.matches("](http://prometheus.example/graph)").count(), "{}", markdown);
            }
            prop_assert!(!text(&envelope, &style(Locale::En), now()).contains('<'));
        }
    }
}

fn markdowns(card: &Card) -> Vec<&str> {
    let texts = card.elements.iter().flat_map(|element| match element {
        Element::Paragraph { text } => vec![text],
        Element::Facts { fields } => fields.iter().map(|field| &field.text).collect(),
        Element::Note { elements } => elements.iter().collect(),
        Element::Buttons { actions } => actions.iter().map(|button| &button.text).collect(),
        Element::Rule => Vec::new(),
    });
    texts
        .filter_map(|text| match text {
            Text::Markdown { content } => Some(content.as_str()),
            Text::Plain { .. } => None,
        })
        .collect()
}

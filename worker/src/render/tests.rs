//! Cards as files. Each `tests/golden/*.json` holds an envelope with the card and the text it becomes, each
//! `tests/golden_folds/*.json` the card and the text of a scene that is made by rule.
//!
//! `UPDATE_GOLDEN=1 cargo test -p larkfire-worker golden` writes the cards anew; look at the difference.

mod accounts;
mod budget;
mod hostile;
mod order;
mod owners;
mod scenes;
mod worded;

use std::collections::BTreeSet;
use std::path::PathBuf;

use config::{LinksConfig, Locale};
use jiff::tz::TimeZone;
use model::envelope::decode;
use serde_json::{Value, json};

use super::*;
use crate::feishu::CARD_BYTES_MAX;
use scenes::{Scene, now};

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

type Folded = (&'static str, Locale, fn() -> Scene);
/// Cards of many alerts, as they were.
const FOLDS: [Folded; 21] = [
    ("storm_40_zh", Locale::ZhCn, || scenes::storm(40)),
    ("storm_40_en", Locale::En, || scenes::storm(40)),
    ("storm_10000_zh", Locale::ZhCn, || scenes::storm(10_000)),
    ("storm_10000_en", Locale::En, || scenes::storm(10_000)),
    ("reminder_zh", Locale::ZhCn, scenes::reminder),
    ("reminder_en", Locale::En, scenes::reminder),
    ("reminders_zh", Locale::ZhCn, scenes::reminders),
    ("reminders_en", Locale::En, scenes::reminders),
    ("resolved_zh", Locale::ZhCn, scenes::calm_again),
    ("resolved_en", Locale::En, scenes::calm_again),
    ("mixed_zh", Locale::ZhCn, scenes::mixed),
    ("mixed_en", Locale::En, scenes::mixed),
    ("attended_zh", Locale::ZhCn, scenes::attended),
    ("attended_en", Locale::En, scenes::attended),
    ("attended_among_others_zh", Locale::ZhCn, scenes::attended_among_others),
    ("attended_among_others_en", Locale::En, scenes::attended_among_others),
    ("owned_zh", Locale::ZhCn, scenes::reminder),
    ("owned_en", Locale::En, scenes::mixed),
    ("worded_zh", Locale::ZhCn, scenes::reminder),
    ("worded_en", Locale::En, scenes::mixed),
    ("worded_storm_en", Locale::En, || scenes::storm(40)),
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn style(locale: Locale) -> Style {
    Style { timezone: TimeZone::fixed(jiff::tz::offset(8)), locale, links: LinksConfig::default() }
}

/// Compares the file with what the items become, or writes it anew; `head` is what it holds besides.
fn is_golden(
    path: &std::path::Path,
    items: &[Item<'_>],
    locale: Locale,
    mut head: serde_json::Map<String, Value>,
) {
    let mentions = owners::mentions();
    let is = |kind| path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with(kind));
    let template = worded::example();
    let worded = AppliedTemplate::new(&template, "ops");
    let besides = Besides {
        buttons: &[],
        owners: (is("owned_") || is("worded_")).then_some(&mentions),
        worded: is("worded_").then_some(&worded),
        card: None,
    };
    let card = build_with(items, &style(locale), now(), CARD_BYTES_MAX, besides).content;
    head.insert("card".to_owned(), json!(card));
    head.insert("text".to_owned(), json!(text_with(items, &style(locale), now(), besides).content));
    let made = Value::Object(head);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{made:#}\n")).unwrap();
        return;
    }
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(made, file, "{}", path.display());
}

#[test]
fn golden_cards_are_what_they_were() {
    for (name, locale) in GOLDEN {
        let path = folder("golden").join(format!("{name}.json"));
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let line = serde_json::to_vec(&file["envelope"]).unwrap();
        let envelope = decode(&line).unwrap();
        let head = [("envelope".to_owned(), file["envelope"].clone())].into_iter().collect();
        is_golden(&path, &Item::all_of(&envelope), locale, head);
    }
}

#[test]
fn golden_folds_are_what_they_were() {
    for (name, locale, scene) in FOLDS {
        let path = folder("golden_folds").join(format!("{name}.json"));
        is_golden(&path, &scene().items(), locale, serde_json::Map::new());
    }
}

#[test]
fn every_golden_file_is_tested() {
    let named = |names: &[&str]| names.iter().map(|name| format!("{name}.json")).collect::<BTreeSet<_>>();
    let files = |name: &str| {
        let files = std::fs::read_dir(folder(name)).unwrap();
        files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>()
    };
    assert_eq!(files("golden"), named(&GOLDEN.map(|(name, _)| name)));
    assert_eq!(files("golden_folds"), named(&FOLDS.map(|(name, ..)| name)));
}

fn card_with(
    items: &[Item<'_>],
    style: &Style,
    now: Timestamp,
    bytes_max: usize,
    besides: Besides<'_>,
) -> Card {
    build_with(items, style, now, bytes_max, besides).content
}

fn plain_with(items: &[Item<'_>], style: &Style, now: Timestamp, besides: Besides<'_>) -> String {
    text_with(items, style, now, besides).content
}

fn length(card: &Card) -> usize {
    serde_json::to_vec(card).unwrap().len()
}

/// Every text of the card below its header, in its dialect and as it is sent, from top to bottom.
fn texts(card: &Card) -> Vec<CardText> {
    let mut texts = Vec::new();
    let mut sent = json!(card);
    sent.as_object_mut().unwrap().remove("header");
    collect(&sent, &mut texts);
    texts
}

fn collect(part: &Value, texts: &mut Vec<CardText>) {
    let content = || part["content"].as_str().unwrap().to_owned();
    match (part, part["tag"].as_str()) {
        (_, Some("plain_text")) => texts.push(CardText::Plain { content: content() }),
        (_, Some("lark_md")) => texts.push(CardText::Markdown { content: content() }),
        (Value::Array(parts), _) => parts.iter().for_each(|part| collect(part, texts)),
        // What is seen first comes first.
        (Value::Object(members), _) => ["elements", "text", "fields", "actions"]
            .iter()
            .filter_map(|name| members.get(*name))
            .for_each(|part| collect(part, texts)),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {}
    }
}

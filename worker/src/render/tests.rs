//! Cards as files. Each `tests/golden/*.json` holds an envelope with the card and the text it becomes, each
//! `tests/golden_folds/*.json` the card and the text of a scene that is made by rule, and `tests/golden_2_0/*.json` of the same
//! name the card of the same alerts in JSON 2.0.
//!
//! `UPDATE_GOLDEN=1 cargo test -p larkfire-worker golden` writes the cards anew; look at the difference.

mod accounts;
mod annotations;
mod budget;
mod hostile;
mod order;
mod owners;
mod scenes;
mod storms;
mod worded;

use std::collections::BTreeSet;
use std::path::PathBuf;

use config::{CardFormat, LinksConfig, Locale, SeverityWords};
use jiff::tz::TimeZone;
use model::envelope::decode;
use serde_json::{Value, json};

use super::*;
use crate::feishu::CARD_BYTES_MAX;
use scenes::{Scene, now};

/// Every golden file and the language of its card. A file that is not named here fails a test.
const GOLDEN: [(&str, Locale); 18] = [
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
    ("grafana_no_data_zh", Locale::ZhCn),
    ("grafana_paused_en", Locale::En),
    ("grafana_notice_zh", Locale::ZhCn),
    ("annotations_en", Locale::En),
    ("annotations_resolved_en", Locale::En),
    ("annotations_group_zh", Locale::ZhCn),
    ("custom_time_zh", Locale::ZhCn),
];

type Folded = (&'static str, Locale, fn() -> Scene);
/// Cards of many alerts, as they were.
const FOLDS: [Folded; 27] = [
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
    ("measured_zh", Locale::ZhCn, scenes::measured),
    ("measured_en", Locale::En, scenes::measured),
    ("crash_loop_zh", Locale::ZhCn, scenes::crash_loop),
    ("crash_loop_en", Locale::En, scenes::crash_loop),
    ("later_zh", Locale::ZhCn, || scenes::storm(40)),
    ("later_en", Locale::En, || scenes::storm(40)),
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn style(locale: Locale) -> Style {
    Style {
        timezone: TimeZone::fixed(jiff::tz::offset(8)),
        locale,
        links: LinksConfig::default(),
        severities: SeverityWords::default(),
    }
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
        format: CardFormat::V1,
        buttons: &[],
        owners: (is("owned_") || is("worded_")).then_some(&mentions),
        worded: is("worded_").then_some(&worded),
        part: if is("later_") { CardPart { number: 2, may_go_on: true } } else { CardPart::default() },
        storm: is("later_").then(scenes::so_far),
        ..Besides::default()
    };
    let card = |format| {
        let card = card_with(items, &style(locale), now(), CARD_BYTES_MAX, Besides { format, ..besides });
        is_taken(&card);
        json!(card)
    };
    head.insert("card".to_owned(), card(CardFormat::V1));
    head.insert("text".to_owned(), json!(text_with(items, &style(locale), now(), besides).content));
    is_as_before(path, &Value::Object(head));
    is_as_before(&folder("golden_2_0").join(path.file_name().unwrap()), &card(CardFormat::V2));
}

/// The platform would make a message of it.
fn is_taken(card: &Card) {
    feishu_sim::judge_card(&json!(card), &owners::IDS)
        .unwrap_or_else(|refusal| panic!("{refusal}: {card:?}"));
}

fn is_as_before(path: &std::path::Path, made: &Value) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{made:#}\n")).unwrap();
        return;
    }
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(made, &file, "{}", path.display());
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
    let both = files("golden").into_iter().chain(files("golden_folds"));
    assert_eq!(files("golden_2_0"), both.collect());
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

/// Every text of the card below its header, in its dialect and as it is sent, from top to bottom: what is folded below the
/// title it is folded under, and a table as the names or the lines in whose place it stands.
fn texts(card: &Card) -> Vec<CardText> {
    let mut texts = Vec::new();
    let sent = json!(card);
    let body = if card.format == CardFormat::V1 { &sent["elements"] } else { &sent["body"]["elements"] };
    collect(body, &mut texts);
    texts
}

fn collect(part: &Value, texts: &mut Vec<CardText>) {
    let content = || part["content"].as_str().unwrap().to_owned();
    match (part, part["tag"].as_str()) {
        (_, Some("plain_text")) => texts.push(CardText::Plain { content: content() }),
        (_, Some("lark_md")) => texts.push(CardText::Markdown { content: content() }),
        (_, Some("table")) => texts.extend(rows(part)),
        (_, Some("collapsible_panel")) => {
            let title = part["header"]["title"]["content"].as_str().unwrap();
            let first = part["elements"][0]["text"]["content"].as_str().unwrap();
            // A title of names says what they are the values of; any other is a line of its own.
            let is_of_names = !title.starts_with(LIGHTS) && !first.starts_with(LIGHTS);
            texts.push(if is_of_names {
                CardText::Markdown { content: format!("**{title}**:") }
            } else {
                CardText::Plain { content: title.to_owned() }
            });
            collect(&part["elements"], texts);
        }
        (Value::Array(parts), _) => parts.iter().for_each(|part| collect(part, texts)),
        (Value::Object(members), _) => ["elements", "columns", "text", "fields", "actions"]
            .iter()
            .filter_map(|name| members.get(*name))
            .for_each(|part| collect(part, texts)),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {}
    }
}

const LIGHTS: [char; 6] = ['🔴', '⭕', '🟠', '⚪', '🔵', '🟢'];

/// A table of groups as the lines it stands for, one of names as those.
fn rows(table: &Value) -> Vec<CardText> {
    let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = table["rows"].as_array().unwrap();
    if cell(&rows[0], "a").starts_with(LIGHTS) {
        let line = |row: &Value| {
            let what = cell(row, "a");
            let (sign, what) = what.split_once(' ').unwrap();
            let names = cell(row, "d");
            let (what, names) = match names.split_once(": ") {
                Some((label, names)) => (format!("{what} · {} · {label}", cell(row, "b")), names.to_owned()),
                None => (cell(row, "b"), what.to_owned()),
            };
            CardText::Plain { content: format!("{sign} ×{} {what}: {names}", cell(row, "c")) }
        };
        return rows.iter().map(line).collect();
    }
    let columns = table["columns"].as_array().unwrap().iter();
    let shown =
        |column: &&Value| !["value", "Started", "开始"].contains(&column["display_name"].as_str().unwrap());
    let keys: Vec<_> = columns.filter(shown).map(|column| column["name"].as_str().unwrap()).collect();
    let name = |row: &Value| {
        let name = keys.iter().map(|key| cell(row, key)).collect::<Vec<_>>().join("/");
        format!("\"{}\"", name.replace('"', "\"\""))
    };
    let names = rows.iter().map(name).collect::<Vec<_>>().join("\n");
    vec![CardText::Markdown { content: "**x**:".to_owned() }, CardText::Plain { content: names }]
}

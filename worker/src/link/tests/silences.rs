//! Forms that silence, read as Alertmanager's page reads them.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

const SENDER: &str = "http://alertmanager:9093/am/";

fn from_alertmanager() -> LinkContext<'static> {
    LinkContext { alertmanager: Some(SENDER), ..arrival() }
}

fn outcome(alert: &Alert<'_>, config: &LinksConfig) -> Option<Result<String, NoLink>> {
    let outcomes = outcomes(alert, from_alertmanager(), config);
    outcomes.into_iter().find(|outcome| outcome.kind == LinkKind::Silence).map(|outcome| outcome.url)
}

/// What its page makes of the address (`Parsing.elm`, `Utils/Filter.elm`): after the first `?` of the fragment a query,
/// in it `+` for a blank, and the filter with names up to an operator and values in JSON.
fn read(address: &str) -> Vec<(String, String)> {
    let (_, fragment) = address.split_once('#').unwrap();
    let (path, query) = fragment.split_once('?').unwrap();
    assert_eq!(path, "/silences/new");
    let [(name, filter)] = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("{query}")
    };
    assert!(name == "filter" && !filter.contains('='), "{query}");
    let filter = percent_decode_str(&filter.replace('+', "%20")).decode_utf8().unwrap().into_owned();
    let mut rest = filter.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    let mut matchers = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').unwrap();
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<String>();
        let value = values.next().unwrap().unwrap();
        rest = &after[values.byte_offset()..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
        matchers.push((name.to_owned(), value));
    }
    matchers
}

fn owned(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_form_has_each_label_of_the_alert_and_no_pattern() {
    let labels = [
        ("alertname", "Disk.*|full"),
        ("note", ""),
        ("path", r#"C:\x "y" {z}, a=b&c#d?e+f %41"#),
        ("team", "支付\n组"),
    ];
    let address = outcome(&alert(&labels), &LinksConfig::default()).unwrap().unwrap();
    assert!(
        address.starts_with("http://alertmanager:9093/am/#/silences/new?filter=%7Balertname%3D%22"),
        "{address}"
    );
    assert_eq!(read(&address), owned(&labels));
}

#[test]
fn the_address_is_the_one_people_reach_and_has_neither_replicas_nor_numbers_in_it() {
    let text = "links: { rewrite: { 'http://alertmanager:9093/am': https://am.example } }";
    let config = config::parse("x.yaml", text, config::Environment::default()).unwrap().links;
    let labels = [("alertname", "A"), ("owner_phone", "13800138000"), ("prometheus_replica", "p-1")];
    let address = outcome(&alert(&labels), &config).unwrap().unwrap();
    assert_eq!(address, "https://am.example/#/silences/new?filter=%7Balertname%3D%22A%22%7D");
}

#[test]
fn what_no_form_could_silence_exactly_has_none_and_the_reason_is_known() {
    let config = LinksConfig::default();
    assert_eq!(outcome(&alert(&[]), &config), Some(Err(NoLink::NoLabels)));
    assert_eq!(outcome(&alert(&[("a b", "x")]), &config), Some(Err(NoLink::LabelName)));
    let long = "x".repeat(1_990);
    let is_too_long = matches!(outcome(&alert(&[("a", &long)]), &config), Some(Err(NoLink::TooLong { .. })));
    assert!(is_too_long);
    let cut = "字".repeat(model::alert::LABEL_VALUE_BYTES_MAX);
    assert_eq!(outcome(&alert(&[("a", &cut)]), &config), Some(Err(NoLink::CutLabels)));
    let over = Alert { status: Status::Resolved, ..alert(&[("a", "b")]) };
    assert_eq!(outcome(&over, &config), None);
    let unknown = LinkContext { alertmanager: Some(""), ..arrival() };
    let nowhere = outcomes(&alert(&[("a", "b")]), unknown, &config);
    assert_eq!(nowhere[0].url, Err(NoLink::NoAlertmanager));
    assert_eq!(of(&alert(&[("a", "b")]), arrival(), &config), [], "none is wanted");
}

proptest! {
    #[test]
    fn whatever_labels_say_the_form_says_the_same(
        labels in proptest::collection::btree_map("[a-zA-Z_字.-]{1,12}", ".{0,40}", 1..8),
    ) {
        let pairs: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match outcome(&alert(&pairs), &LinksConfig::default()).unwrap() {
            Ok(address) => prop_assert_eq!(read(&address), owned(&pairs)),
            Err(why) => prop_assert!(matches!(why, NoLink::NoLabels | NoLink::TooLong { .. }), "{}", why),
        }
    }
}

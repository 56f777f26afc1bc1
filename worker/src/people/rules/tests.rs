use config::{Config, Environment, parse};
use model::envelope::decode;

use super::*;

const SETTINGS: &str = "
owners:
  services: { checkout: ann, 'pay-*': [bob, oncall], pay-legacy: carol }
  by_label: { team: { infra: dave } }
  namespaces: { 'shop-*': eve }
  always_mention: boss
rotations: { oncall: { people: [mon, tue], shift: 1d, start: 2024-01-15, timezone: UTC } }
receivers: { default: { webhook_url: https://h/x, fallback: [fay, oncall] } }";

fn config() -> Config {
    parse("test.yaml", SETTINGS, Environment::default()).unwrap()
}

/// Why, and the owners, of an alert with these parts.
fn owners(parts: &str) -> (String, Vec<String>) {
    let line = format!(
        r#"{{"v":1,"id":"01890000-0000-7000-8000-000000000000","received_at":"2024-01-16T10:00:00Z","source":"alertmanager",
        "receiver":"","group_key":"","group_labels":{{}},"external_url":"","truncated":0,
        "alerts":[{{"fingerprint":"a","status":"firing",{parts}}}]}}"#
    )
    .replace('\n', "");
    let config = config();
    let envelope = decode(line.as_bytes()).unwrap();
    let rules = OwnerRules::new(&config.owners, TimeZone::UTC);
    let duty = rules.at("2024-01-16T10:00:00Z".parse().unwrap(), &config.rotations, &[]);
    let (why, people) = duty.owners_of(&envelope.alerts[0], &config.receivers[0].owners);
    let name = |person: &Person| match person {
        Person::All => "everybody".to_owned(),
        Person::OpenId(id) => id.as_str().to_owned(),
        Person::Mobile(mobile) => mobile.as_str().to_owned(),
        Person::Name(name) => name.clone(),
    };
    (why.to_string(), people.iter().map(name).collect())
}

#[test]
fn the_first_that_says_anything_decides() {
    let mention =
        r#""mention":{"usernames":["zoe,oncall"],"mobiles":["13800138000"],"open_ids":["ou_1","x>"]}"#;
    let owner = r#""annotations":{"owner":"yan，xin"}"#;
    let service = r#""labels":{"service":"checkout","team":"infra","namespace":"shop-eu"}"#;
    let team = r#""labels":{"service":"other","team":"infra","namespace":"shop-eu"}"#;
    for (parts, why, people) in [
        (
            format!("{mention},{owner},{service}"),
            "the payload names them",
            vec!["ou_1", "zoe", "tue", "+8613800138000"],
        ),
        (format!("{owner},{service}"), "its owner names them", vec!["yan", "xin"]),
        (service.to_owned(), r#"owners.services has "checkout""#, vec!["ann"]),
        (team.to_owned(), r#"owners.by_label.team has "infra""#, vec!["dave"]),
        (r#""labels":{"namespace":"shop-eu"}"#.to_owned(), r#"owners.namespaces has "shop-*""#, vec!["eve"]),
        (r#""labels":{}"#.to_owned(), "nobody owns it, and the receiver has a fallback", vec!["fay", "tue"]),
    ] {
        let people: Vec<String> = people.into_iter().map(str::to_owned).collect();
        assert_eq!(owners(&parts), (why.to_owned(), people), "{parts}");
    }
}

#[test]
fn a_name_wins_over_a_pattern_and_an_annotation_over_a_label() {
    assert_eq!(owners(r#""labels":{"app":"pay-legacy"}"#).1, ["carol"]);
    assert_eq!(owners(r#""labels":{"app":"pay-api"}"#).1, ["bob", "tue"]);
    assert_eq!(
        owners(r#""labels":{"owner":"label"},"annotations":{"owner":"annotation"}"#).1,
        ["annotation"]
    );
    assert_eq!(owners(r#""labels":{"at_name":"label"},"annotations":{"owner":" , "}"#).1, ["label"]);
}

#[test]
fn the_first_label_whose_service_somebody_owns_counts() {
    let exporters = r#""labels":{"service":"kube-state-metrics","app":"checkout","job":"pay-api"}"#;
    assert_eq!(owners(exporters), (r#"owners.services has "checkout""#.to_owned(), vec!["ann".to_owned()]));
    assert_eq!(owners(r#""labels":{"service":"","app":" ","job":"pay-api"}"#).1, ["bob", "tue"]);
}

#[test]
fn an_annotation_that_came_out_empty_hides_no_label() {
    for empty in ["", " ", "，", "none"] {
        let parts = format!(r#""labels":{{"owner":"label"}},"annotations":{{"owner":"{empty}"}}"#);
        assert_eq!(owners(&parts).1, ["label"], "{empty:?}");
    }
}

#[test]
fn a_rotation_may_be_written_as_people_are() {
    for owner in ["oncall", "@oncall", " ＠oncall ", "@ oncall"] {
        assert_eq!(owners(&format!(r#""labels":{{"owner":"{owner}"}}"#)).1, ["tue"], "{owner:?}");
    }
}

#[test]
fn those_who_are_always_named_are_not_owners() {
    let config = config();
    let rules = OwnerRules::new(&config.owners, TimeZone::UTC);
    let duty = rules.at("2024-01-16T10:00:00Z".parse().unwrap(), &config.rotations, &[]);
    assert_eq!(duty.always(), [Person::Name("boss".to_owned())]);
    assert!(
        config.owners.always_mention.len() == 1 && !owners(r#""labels":{}"#).1.contains(&"boss".to_owned())
    );
}

use super::*;
use crate::{Config, Environment, parse};

fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let environment: Environment = pairs.iter().copied().collect();
    parse("larkfire.yaml", text, environment).map_err(|errors| errors.to_string())
}

#[test]
fn two_variables_are_enough_for_links_to_logs() {
    let variables = [("GRAFANA_URL", "https://grafana.example/sub/"), ("LOKI_DATASOURCE_UID", "P8E8")];
    let config = read("", &variables).unwrap();
    assert_eq!(config.links.grafana_url.unwrap().as_str(), "https://grafana.example/sub/");
    assert_eq!(config.links.loki.datasource_uid.as_deref(), Some("P8E8"));
    assert_eq!(config.links.explore, Explore::Left);
    assert!(config.notes.is_empty(), "{:?}", config.notes);
    // None of the default queries was left out as no template.
    assert_eq!((config.links.loki.logs.len(), config.links.loki.errors.len()), (LOGS.len(), ERRORS.len()));
}

#[test]
fn half_of_what_a_link_to_logs_needs_is_noted() {
    for (name, value) in [("GRAFANA_URL", "https://grafana.example"), ("LOKI_DATASOURCE_UID", "P8E8")] {
        let notes = read("", &[(name, value)]).unwrap().notes;
        assert!(notes.len() == 1 && notes[0].contains("no links to logs"), "{notes:?}");
    }
    assert!(read("", &[]).unwrap().notes.is_empty());
}

#[test]
fn the_file_sets_every_part_of_it() {
    let text = r#"
links:
  grafana_url: https://grafana.example
  org_id: 3
  explore: panes
  rewrite:
    http://prometheus:9090: https://prom.example/p
    '~http://p-(\d+)/(.*)': 'https://p.example/%{1}/%{2}'
  loki:
    datasources: { shop: uid-1 }
    labels: { service_name: [service, app], k8s_ns: namespace }
    logs: '{%{matchers},env="prod"}'
    errors:
      - '%{selector} |= "a,b" |= %{label.trace}'
      - '%{selector} %{errors}'
    error_words: [ERROR, 失败]
    before: 10m
    after: 0s
"#;
    let LinksConfig { org_id, explore, loki, rewrites, ignore_labels, .. } = read(text, &[]).unwrap().links;
    assert_eq!((org_id, explore), (Some(3), Explore::Panes));
    let [Rewrite::Beginning { from, to }, Rewrite::Pattern(pattern)] = &rewrites[..] else {
        panic!("{rewrites:?}")
    };
    assert_eq!((from.as_str(), to.as_str()), ("http://prometheus:9090/", "https://prom.example/p"));
    assert_eq!(pattern.applied("http://p-7/x").as_deref(), Some("https://p.example/7/x"));
    assert_eq!(ignore_labels, ["prometheus_replica", "__replica__"]);
    assert_eq!(loki.datasources, [("shop".to_owned(), "uid-1".to_owned())]);
    let service = ["service".to_owned(), "app".to_owned()].to_vec();
    assert_eq!(
        loki.labels,
        [("service_name".to_owned(), service), ("k8s_ns".to_owned(), vec!["namespace".to_owned()])]
    );
    assert_eq!((loki.logs.len(), loki.errors.len()), (1, 2));
    assert_eq!(loki.error_words, ["ERROR", "失败"]);
    assert_eq!((loki.before, loki.after), (10 * MINUTE, Duration::ZERO));
}

#[test]
fn what_would_give_dead_links_is_refused_with_its_key() {
    let text = "
links:
  explore: right
  grafan_url: https://x
  rewrite:
    prometheus:9090: https://prom.example
    http://a: https://u:SECRET@prom.example
    '~http://(': https://x
    '~http://a/(.*)': 'https://x/%{2}'
  loki:
    datasource_uid: ''
    datasources: { shop: uid-1 }
    labels: { 'a-b': app }
    logs: '%{selectr}'
";
    let message = read(text, &[("GRAFANA_URL", "https://grafana.example/?orgId=SECRET")]).unwrap_err();
    for part in [
        "larkfire.yaml:3: links.explore: must be left or panes",
        "larkfire.yaml:4: unknown key `links.grafan_url`; did you mean `grafana_url`?",
        "larkfire.yaml:6: links.rewrite.prometheus:9090: must be a web address",
        "larkfire.yaml:7: links.rewrite.http://a: must be a web address",
        "larkfire.yaml:8: links.rewrite.~http://(: must be ~ and a regular expression: unclosed group",
        "larkfire.yaml:9: links.rewrite.~http://a/(.*): must be an address whose %{2} is a group of the pattern",
        "larkfire.yaml:13: links.loki.labels.a-b: must be the name of a label in Loki",
        "larkfire.yaml:14: links.loki.logs: must be a LogQL query with the placeholders",
        "GRAFANA_URL: must be a web address",
    ] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
    assert!(!message.contains("SECRET"), "{message}");
}

#[test]
fn every_example_of_the_documentation_is_a_right_configuration() {
    let page = include_str!("../../../../docs/loki-links.md");
    let examples: Vec<_> =
        page.split("```yaml").skip(1).map(|part| part.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 5, "{} examples", examples.len());
    let links: Vec<_> = examples.iter().map(|text| read(text, &[]).unwrap().links).collect();
    let default = LokiConfig::default();
    let is_default =
        |set: &LinksConfig| set.loki.labels == default.labels && set.loki.errors == default.errors;
    assert!(is_default(&links[1]) && is_default(&links[2]), "what it calls the default is not");
}

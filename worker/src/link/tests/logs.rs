//! What is asked about which alert.

use config::{Environment, parse};

use super::*;

const ANY_ERROR: &str = r#"|~ "(?i)error|exception|fatal|panic""#;

/// The settings of a file, with a Grafana and a data source.
fn config_of(text: &str) -> LinksConfig {
    let variables = [("GRAFANA_URL", "https://grafana.example"), ("LOKI_DATASOURCE_UID", "loki-1")];
    parse("test.yaml", text, Environment::from_iter(variables)).unwrap().links
}

#[test]
fn an_alert_has_its_logs_and_its_errors() {
    let alert = alert(&[("alertname", "HighErrorRate"), ("namespace", "shop"), ("service", "checkout")]);
    let selector = r#"{namespace="shop",app="checkout"}"#;
    assert_eq!(logql(&alert, arrival(), &config()), [selector.to_owned(), format!("{selector} {ANY_ERROR}")]);
    let links = of(&alert, arrival(), &config());
    assert_eq!(links.iter().map(|link| link.kind).collect::<Vec<_>>(), [LinkKind::Logs, LinkKind::Errors]);
    let expected = "https://grafana.example/explore?left=%7B%22datasource%22:%22loki-1%22,%22queries%22:%5B%7B\
        %22refId%22:%22A%22,%22expr%22:%22%7Bnamespace%3D%5C%22shop%5C%22,app%3D%5C%22checkout%5C%22%7D%22,\
        %22datasource%22:%7B%22type%22:%22loki%22,%22uid%22:%22loki-1%22%7D%7D%5D,\
        %22range%22:%7B%22from%22:%221705314300000%22,%22to%22:%221705314900000%22%7D%7D";
    assert_eq!(links[0].url, expected);
    assert!(links[0].url.len() < 400, "{} bytes are a lot for one link", links[0].url.len());
}

#[test]
fn the_two_links_of_loki_feishu_are_kept() {
    let place = r#"{namespace="shop",app="order"}"#;
    for (labels, errors) in [
        // Service, interface and time: the failed calls of the interface.
        (vec![("endpoint", "/api/v1/pay")], format!(r#"{place} |= "/api/v1/pay" {ANY_ERROR}"#)),
        (vec![("endpoint", "/pay"), ("trigger", "ERROR > 5")], format!(r#"{place} |= "/pay" |= "ERROR""#)),
        // Service, namespace, keyword and time: the lines with the keyword.
        (vec![("trigger", "ERROR 超过 5 次")], format!(r#"{place} |= "ERROR""#)),
        (vec![("trigger", "java.lang.NullPointerException")], format!(r#"{place} |= "Exception""#)),
        (vec![("trigger", "any exception")], format!(r#"{place} |= "exception""#)),
        (vec![("trigger", "p99 > 2s")], format!("{place} {ANY_ERROR}")),
    ] {
        let mut all =
            vec![("service", "order"), ("namespace", "shop"), ("time", "2023-08-01T14:30:00+08:00")];
        all.extend(labels);
        let alert = Alert { starts_at: None, ..alert(&all) };
        assert_eq!(logql(&alert, message(), &config()), [place.to_owned(), errors]);
        let (_, _, window) = opened(&of(&alert, message(), &config())[0].url, Explore::Left);
        assert_eq!(window, (1_690_871_100_000, 1_690_871_700_000), "five minutes around 14:30 in Shanghai");
    }
}

#[test]
fn the_port_an_alert_of_prometheus_was_scraped_at_is_no_interface() {
    let alert = alert(&[("app", "x"), ("endpoint", "http-metrics")]);
    assert!(logql(&alert, arrival(), &config()).iter().all(|query| !query.contains("http-metrics")));
}

#[test]
fn the_service_of_an_exporter_is_not_the_pods() {
    let pod = ("pod", "checkout-7f9c-x2x");
    let own = alert(&[("service", "checkout"), pod]);
    assert_eq!(logql(&own, arrival(), &config())[0], r#"{app="checkout",pod="checkout-7f9c-x2x"}"#);
    let exporters = alert(&[("service", "kube-state-metrics"), pod]);
    assert_eq!(logql(&exporters, arrival(), &config())[0], r#"{pod="checkout-7f9c-x2x"}"#);
    let of_deployment = alert(&[("service", "kube-state-metrics"), ("deployment", "checkout")]);
    assert_eq!(logql(&of_deployment, arrival(), &config())[0], r#"{app="checkout"}"#);
}

#[test]
fn without_a_place_to_ask_or_a_label_to_ask_by_there_is_no_link() {
    let shop = alert(&[("namespace", "shop"), ("app", "x")]);
    assert_eq!(logs(&shop, arrival(), &LinksConfig::default()), Err(NoLogs::NoGrafana));
    let mut config = config();
    for labels in [vec![], vec![("alertname", "Watchdog")], vec![("app", ""), ("namespace", " ")]] {
        assert_eq!(logs(&alert(&labels), arrival(), &config), Err(NoLogs::NoSelector));
        assert_eq!(of(&alert(&labels), arrival(), &config), []);
    }
    config.loki.datasource_uid = None;
    config.loki.datasources = vec![("pay".to_owned(), "loki-pay".to_owned())];
    assert_eq!(logs(&shop, arrival(), &config), Err(NoLogs::NoDatasource));
}

#[test]
fn a_namespace_can_have_a_data_source_of_its_own() {
    let config = config_of("links: { org_id: 7, loki: { datasources: { pay: loki-pay, '*': never } } }");
    for (namespace, expected) in [("pay", "loki-pay"), ("shop", "loki-1"), ("*x", "loki-1")] {
        let link = of(&alert(&[("namespace", namespace)]), arrival(), &config).remove(0);
        assert_eq!(opened(&link.url, Explore::Left).0, expected);
        assert!(link.url.starts_with("https://grafana.example/explore?orgId=7&left="), "{}", link.url);
    }
}

#[test]
fn queries_are_the_operators_own_and_the_first_with_all_its_values_is_taken() {
    let text = r#"
links:
  explore: panes
  loki:
    labels: { service_name: [service, app] }
    logs: '{%{matchers},env="prod"}'
    errors:
      - '%{selector} | json | trace=%{label.trace_id}'
      - '%{selector} | json | level=~"error|fatal" |~ "^%{label.path} .* 5.."'
      - '%{selector} |= "boom"'
"#;
    let config = config_of(text);
    let own = r#"{service_name="a"}"#;
    for (labels, errors) in [
        (vec![("trace_id", "4b\"f")], format!(r#"{own} | json | trace="4b\"f""#)),
        (vec![("path", "/a.b")], format!(r#"{own} | json | level=~"error|fatal" |~ "^/a\\.b .* 5..""#)),
        (vec![], format!(r#"{own} |= "boom""#)),
    ] {
        let alert = alert(&[vec![("app", "a")], labels].concat());
        let queries = logql(&alert, arrival(), &config);
        assert_eq!(queries, [r#"{service_name="a",env="prod"}"#.to_owned(), errors]);
        let links = of(&alert, arrival(), &config);
        assert_eq!(links.iter().map(|link| opened(&link.url, Explore::Panes).1).collect::<Vec<_>>(), queries);
    }
}

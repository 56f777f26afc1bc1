//! The pages an alert brings along.

use config::Rewrite;

use super::*;

fn with_pages() -> Alert<'static> {
    let links = Links {
        dashboard: "http://grafana:3000/d/x".into(),
        panel: "http://grafana:3000/d/x?viewPanel=1".into(),
        silence: "http://grafana:3000/alerting/silence/new".into(),
        image: "http://grafana:3000/render/x.png".into(),
    };
    let annotations = [("runbook_url".into(), "https://wiki.example/DiskFull".into())].into_iter().collect();
    let generator_url = "http://grafana:3000/alerting/grafana/x/view".into();
    Alert { links, annotations, generator_url, ..alert(&[("namespace", "shop")]) }
}

fn kinds(links: &[Link]) -> Vec<LinkKind> {
    links.iter().map(|link| link.kind).collect()
}

#[test]
fn of_more_pages_than_fit_those_to_logs_come_first_and_pictures_are_left_out() {
    let most = of(&with_pages(), arrival(), &config());
    assert_eq!(
        kinds(&most),
        [
            LinkKind::Logs,
            LinkKind::Errors,
            LinkKind::Source,
            LinkKind::Dashboard,
            LinkKind::Runbook,
            LinkKind::Silence
        ]
    );
    let without_logs = of(&with_pages(), arrival(), &LinksConfig::default());
    assert_eq!(
        kinds(&without_logs),
        [
            LinkKind::Source,
            LinkKind::Dashboard,
            LinkKind::Panel,
            LinkKind::Runbook,
            LinkKind::Image,
            LinkKind::Silence
        ]
    );
}

#[test]
fn a_page_is_linked_once_and_only_if_it_is_one() {
    let mut alert = with_pages();
    alert.links.panel = alert.links.dashboard.clone();
    alert.links.silence = "javascript:alert(1)".into();
    alert.generator_url = "https://a@grafana/".into();
    let links = of(&alert, arrival(), &LinksConfig::default());
    assert_eq!(kinds(&links), [LinkKind::Dashboard, LinkKind::Runbook, LinkKind::Image]);
}

#[test]
fn every_address_is_rewritten_even_that_of_the_logs() {
    let rewrite =
        |from: &str, to: &str| Rewrite::Beginning { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let mut config = config();
    config.rewrites = vec![
        rewrite("http://grafana:3000", "https://grafana.example/sub/"),
        rewrite("https://wiki.example", "https://docs.example"),
    ];
    config.grafana_url = "http://grafana:3000/".parse().ok();
    let links = of(&with_pages(), arrival(), &config);
    assert_eq!(links.len(), LINKS_MAX);
    for link in &links {
        let expected = if link.kind == LinkKind::Runbook {
            "https://docs.example/"
        } else {
            "https://grafana.example/sub/"
        };
        assert!(link.url.starts_with(expected), "{link:?}");
    }
    assert_eq!(opened(&links[0].url, Explore::Left).1, r#"{namespace="shop"}"#);
    let silence = page("http://grafana:3000/#/silences?x=1", &config.rewrites).unwrap();
    assert_eq!(silence, "https://grafana.example/sub/#/silences?x=1");
}

#[test]
fn what_is_not_linked_is_named_with_the_reason() {
    let mut alert = with_pages();
    alert.links.panel = alert.links.dashboard.clone();
    alert.links.silence = "javascript:alert(1)".into();
    alert.links.image = "grafana/x.png".into();
    alert.generator_url = format!("http://p/{}", "x".repeat(2_000)).into();
    let outcomes = outcomes(&alert, arrival(), &LinksConfig::default());
    let dropped: Vec<_> =
        outcomes.into_iter().filter_map(|outcome| Some((outcome.kind, outcome.url.err()?))).collect();
    assert_eq!(
        dropped,
        [
            (LinkKind::Source, NoLink::TooLong { bytes: 2_009 }),
            (LinkKind::Panel, NoLink::Repeated),
            (LinkKind::Image, NoLink::NoAddress),
            (LinkKind::Silence, NoLink::NoWebPage),
        ]
    );
    let left_out = super::outcomes(&with_pages(), arrival(), &config()).into_iter();
    let left_out = left_out.filter(|outcome| outcome.url == Err(NoLink::TooMany)).map(|outcome| outcome.kind);
    assert_eq!(left_out.collect::<Vec<_>>(), [LinkKind::Panel, LinkKind::Image]);
}

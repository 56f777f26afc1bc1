//! Annotations that are links by their names.

use super::annotated::title;
use super::*;

fn annotated(pairs: &[(&str, &str)]) -> Alert<'static> {
    let annotations =
        pairs.iter().map(|(name, value)| ((*name).to_owned().into(), (*value).to_owned().into())).collect();
    Alert { annotations, ..alert(&[]) }
}

#[test]
fn an_address_under_the_name_of_a_link_is_one() {
    for (name, kind) in [
        ("runbook", Some(LinkKind::Runbook)),
        ("Playbook_URL", Some(LinkKind::Runbook)),
        ("dashboard", Some(LinkKind::Dashboard)),
        ("my_dashboard_url", Some(LinkKind::Dashboard)),
        ("grafana_url", Some(LinkKind::Annotated)),
        ("link", Some(LinkKind::Annotated)),
        ("logURI", Some(LinkKind::Annotated)),
        ("note", None),
        ("url_of_it", None),
    ] {
        let alert = annotated(&[(name, " https://wiki.example/x ")]);
        let found: Vec<_> = annotated::of(&alert).collect();
        assert_eq!(found.first().map(|link| link.kind), kind, "{name}");
        assert_eq!(annotated::is_link(&alert, name), kind.is_some(), "{name}");
    }
}

#[test]
fn what_is_no_address_and_what_is_too_many_stays_a_text() {
    for value in
        ["see https://wiki.example/x", "javascript:alert(1)", "wiki.example/x", "", "https://a@b.example"]
    {
        assert!(!annotated::is_link(&annotated(&[("wiki_url", value)]), "wiki_url"), "{value}");
        assert!(!annotated::is_link(&annotated(&[(RUNBOOK, value)]), RUNBOOK), "{value}");
    }
    let names = ["a_url", "b_url", "c_url", "d_url", "e_url"];
    let alert = annotated(&names.map(|name| (name, "https://wiki.example/x")));
    assert_eq!(names.map(|name| annotated::is_link(&alert, name)), [true, true, true, true, false]);
}

#[test]
fn a_link_is_called_by_its_annotation_without_the_word_for_an_address() {
    for (name, called) in [
        ("grafana_url", "grafana"),
        ("wikiLink", "wiki"),
        ("url", "url"),
        ("链接url", "链接"),
        ("_url", "_url"),
    ] {
        assert_eq!(title(name), called);
    }
}

#[test]
fn an_annotation_is_linked_beside_the_links_an_alert_has_anyway_and_no_page_twice() {
    let alert = annotated(&[
        (RUNBOOK, "https://wiki.example/runbook"),
        ("playbook", "https://wiki.example/play"),
        ("same_url", "https://wiki.example/runbook"),
        ("grafana_url", "https://grafana.example/d/x"),
    ]);
    let links = of(&alert, arrival(), &LinksConfig::default());
    let shown: Vec<_> =
        links.iter().map(|link| (link.kind, link.annotation.as_deref(), &*link.url)).collect();
    assert_eq!(
        shown,
        [
            (LinkKind::Runbook, None, "https://wiki.example/runbook"),
            (LinkKind::Annotated, Some("grafana_url"), "https://grafana.example/d/x"),
            (LinkKind::Annotated, Some("playbook"), "https://wiki.example/play"),
        ]
    );
}

//! What an alert says besides its summary and its description, and how bad it is in words of any kind.

use config::{NamedSeverity, SeverityWords};
use model::alert::{Alert, Status};
use model::envelope::{Notice, Source};

use super::super::card::Template;
use super::scenes::{Scene, alert, envelope, now};
use super::*;

fn with(pairs: &[(&str, &str)]) -> Alert<'static> {
    let labels =
        vec![("severity".to_owned(), "warning".to_owned()), ("instance".to_owned(), "db-1".to_owned())];
    let mut alert = alert("DiskFull", labels, "Disk is full");
    for (name, value) in pairs {
        alert.annotations.insert_if_absent((*name).to_owned().into(), (*value).to_owned().into());
    }
    alert
}

fn ended(alert: Alert<'static>) -> Alert<'static> {
    Alert { status: Status::Resolved, ends_at: Some(now()), ..alert }
}

fn scene(alerts: Vec<Alert<'static>>) -> Scene {
    Scene { envelopes: vec![envelope(alerts, 0)], is_reminder: |_| false, attention: Vec::new() }
}

fn card(scene: &Scene) -> Card {
    build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX)
}

/// Everything on the card below its title, and everything in the text below its own.
fn said(scene: &Scene) -> [String; 2] {
    let card = card(scene);
    let all = texts(&card).iter().map(|text| unmarked(text.content())).collect::<Vec<_>>().join("\n");
    [all, text(&scene.items(), &style(Locale::En), now())]
}

#[test]
fn annotations_of_any_name_are_on_the_card_once() {
    let action = "1. look\n2. call Ann";
    for said in
        said(&scene(vec![with(&[("impact", "no backups"), ("action", action), ("copy", "Disk is full")])]))
    {
        assert!(said.contains("impact: no backups") && said.contains(&format!("action: {action}")), "{said}");
        assert!(!said.contains("copy:"), "{said}");
    }
}

#[test]
fn what_is_for_the_end_is_said_at_the_end() {
    let alert = with(&[("resolved_summary", "There is room again"), ("Resolved_by", "a job")]);
    for said in said(&scene(vec![alert.clone()])) {
        assert!(!said.contains("There is room again") && !said.contains("a job"), "{said}");
    }
    for said in said(&scene(vec![ended(alert)])) {
        assert!(said.contains("There is room again") && said.contains("Resolved_by: a job"), "{said}");
    }
}

#[test]
fn nobodys_number_is_on_the_card_whatever_the_annotation() {
    for said in said(&scene(vec![with(&[("oncall_phone", "13800138000"), ("__secret__", "x y z")])])) {
        assert!(!said.contains("13800138000") && !said.contains("x y z"), "{said}");
    }
}

#[test]
fn alerts_that_say_different_things_keep_them_and_what_all_say_is_said_once() {
    let of = |instance: &str, value: &str| {
        let mut alert = with(&[("value", value), ("impact", "no backups")]);
        let label = |(name, own): (&str, &str)| {
            (
                name.to_owned().into(),
                if name == "instance" { instance.to_owned() } else { own.to_owned() }.into(),
            )
        };
        alert.labels = alert.labels.iter().map(label).collect();
        alert
    };
    for said in said(&scene(vec![of("db-1", "93 %"), of("db-2", "97 %"), of("db-3", "")])) {
        assert_eq!(said.matches("impact: no backups").count(), 1, "{said}");
        assert!(said.contains("value: db-1 93 % · db-2 97 %\n"), "{said}");
    }
}

#[test]
fn an_address_in_an_annotation_is_a_button_and_a_link_where_all_have_it() {
    let alert = with(&[("wiki_url", "https://wiki.example/disk"), ("note", "https://plain.example/x")]);
    let alone = card(&scene(vec![alert.clone()]));
    let buttons = alone.elements.iter().filter_map(|element| match element {
        Element::Buttons { actions } => {
            Some(actions.iter().map(|button| button.text.content()).collect::<Vec<_>>())
        }
        Element::Paragraph { .. }
        | Element::Facts { .. }
        | Element::Rule
        | Element::Picture(_)
        | Element::Note { .. }
        | Element::AlertBlock(_)
        | Element::Listing(_) => None,
    });
    assert_eq!(buttons.collect::<Vec<_>>().concat(), ["Source", "Silence", "wiki"]);
    let other =
        Alert { labels: [("alertname".into(), "DiskFull".into())].into_iter().collect(), ..alert.clone() };
    let several = texts(&card(&scene(vec![alert, other])))
        .iter()
        .map(|text| text.content().to_owned())
        .collect::<String>();
    assert!(several.contains("[wiki](https://wiki.example/disk)"), "{several}");
    assert!(several.contains("note: https://plain.example/x"), "{several}");
}

fn reason(reason: &'static str) -> Alert<'static> {
    with(&[("grafana_state_reason", reason)])
}

/// An alert that stands for a rule that could not be asked.
fn stand_in(alertname: &'static str) -> Alert<'static> {
    let labels = [("alertname", alertname), ("rulename", "DiskFull"), ("severity", "critical")];
    Alert {
        labels: labels.map(|(name, value)| (name.into(), value.into())).into_iter().collect(),
        ..with(&[])
    }
}

fn is_said(alert: Alert<'static>, title: &str, once: &str, colour: Template) {
    let scene = scene(vec![alert]);
    let header = card(&scene).header;
    assert_eq!((header.title.content(), header.template), (title, colour));
    for said in said(&scene) {
        assert_eq!(said.matches(once).count(), 1, "{said}");
    }
}

#[test]
fn what_fires_for_another_reason_than_its_condition_says_so_and_in_the_title() {
    let asked = "so nobody knows how it is";
    is_said(stand_in("DatasourceNoData"), "[CRITICAL · NO DATA] DiskFull", asked, Template::Red);
    is_said(stand_in("DatasourceError"), "[CRITICAL · ERROR] DiskFull", asked, Template::Red);
    is_said(reason("NoData"), "[WARNING · NO DATA] DiskFull · db-1", asked, Template::Orange);
    let kept = "because it did before";
    is_said(reason("NoData, KeepLast"), "[WARNING · NO DATA] DiskFull · db-1", kept, Template::Orange);
    is_said(reason("Error, KeepLast"), "[WARNING · ERROR] DiskFull · db-1", kept, Template::Orange);
    let shown = "grafana_state_reason: Sunspots";
    is_said(reason("Sunspots"), "[WARNING] DiskFull · db-1", shown, Template::Orange);
}

#[test]
fn what_is_over_for_another_reason_than_its_recovery_says_so_and_is_not_green() {
    for (said, badge, once) in [
        ("MissingSeries", "SERIES GONE", "no longer returns this series"),
        ("Paused", "RULE PAUSED", "The rule was paused"),
        ("Updated", "RULE CHANGED", "The rule was changed"),
        ("RuleDeleted", "RULE DELETED", "The rule was deleted"),
        ("NoData", "NO DATA", "There are no data, which"),
        ("Error", "ERROR", "cannot be evaluated, which"),
    ] {
        is_said(ended(reason(said)), &format!("[ENDED · {badge}] DiskFull · db-1"), once, Template::Grey);
    }
    let back = ("[RESOLVED · DATA ARE BACK] DiskFull", "There are data again");
    is_said(ended(stand_in("DatasourceNoData")), back.0, back.1, Template::Green);
    let again = ("[RESOLVED · ERROR IS OVER] DiskFull", "can be evaluated again");
    is_said(ended(stand_in("DatasourceError")), again.0, again.1, Template::Green);
}

#[test]
fn in_a_storm_what_has_no_data_is_not_mixed_with_what_is_ill() {
    let of = |index: usize, reason: Option<&str>| {
        let mut alert =
            with(&reason.map(|reason| ("grafana_state_reason", reason)).into_iter().collect::<Vec<_>>());
        alert.labels.insert_if_absent("pod".into(), format!("p-{index}").into());
        alert
    };
    let alerts = (0..40).map(|index| of(index, (index % 4 == 0).then_some("NoData"))).collect();
    for said in said(&scene(alerts)) {
        assert!(said.contains("DiskFull ×30") && said.contains("NO DATA"), "{said}");
    }
}

#[test]
fn the_senders_own_words_are_on_the_card_and_not_what_an_alert_says_already() {
    let notice = |title: &str, message: &str, alerts: Vec<Alert<'static>>| {
        let mut scene = scene(alerts);
        scene.envelopes[0].notice =
            Notice { title: title.to_owned().into(), message: message.to_owned().into() };
        scene.envelopes[0].source = Source::Grafana;
        scene
    };
    for alerts in [vec![with(&[])], vec![with(&[]), alert("Other", Vec::new(), "x")]] {
        for said in said(&notice("Call Ann", "She has\nthe key", alerts.clone())) {
            assert_eq!(said.matches("Call Ann\nShe has\nthe key").count(), 1, "{said}");
        }
        for said in said(&notice("[FIRING:1] DiskFull", "Disk is full", alerts)) {
            assert!(!said.contains("[FIRING:1]"), "{said}");
        }
    }
}

#[test]
fn without_a_name_it_is_called_by_what_it_says_then_by_its_group_then_by_the_senders_title() {
    let nameless = |annotations: &[(&'static str, &'static str)]| {
        let annotations = annotations.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let labels = [("severity".into(), "warning".into())].into_iter().collect();
        Alert { labels, annotations, ..with(&[]) }
    };
    for (annotations, group, name) in [
        (&[("summary", "Disk is full")][..], "disk", "Disk is full"),
        (&[], "disk", "disk"),
        (&[], "", "Orders (shop)"),
    ] {
        let mut scene = scene(vec![nameless(annotations)]);
        scene.envelopes[0].group_labels = [("team".into(), group.into())].into_iter().collect();
        scene.envelopes[0].notice.title = "[FIRING:1] Orders (shop)".into();
        assert_eq!(card(&scene).header.title.content(), format!("[WARNING] {name}"));
    }
}

#[test]
fn what_was_too_many_and_where_it_came_from_is_said() {
    for said in said(&scene(vec![with(&[
        ("labels_left_out", "17"),
        ("annotations_left_out", "1"),
        ("origin", "eu-1"),
    ])])) {
        assert!(said.contains("+17 labels not kept") && said.contains("+1 annotation not kept"), "{said}");
    }
    let of = |origin| with(&[("origin", origin)]);
    let card = said(&scene(vec![of("eu-1"), of("us-1")]))[0].clone();
    assert!(card.contains("eu-1") && card.contains("us-1"), "{card}");
    let shared = said(&scene(vec![of("eu-1"), of("eu-1")]))[0].clone();
    assert_eq!(shared.matches("eu-1").count(), 1, "{shared}");
}

#[test]
fn a_message_shows_the_time_it_was_given_unless_its_text_does() {
    let of = |time: &str, text: &str| {
        let mut scene = scene(vec![alert("Backup failed", vec![("time".to_owned(), time.to_owned())], text)]);
        scene.envelopes[0].source = Source::Custom;
        scene.envelopes[0].alerts[0].starts_at = None;
        said(&scene)
    };
    for said in of("2024-01-15T10:20:00Z", "db-3") {
        assert!(said.contains("2024-01-15 18:20:00"), "{said}");
    }
    for said in of("just now", "db-3") {
        assert!(said.contains("just now"), "{said}");
    }
    for said in of("2024-01-15T10:20:00Z", "告警时间: 2024-01-15 18:20") {
        assert!(!said.contains("18:20:00"), "{said}");
    }
}

#[test]
fn a_word_nobody_knows_is_shown_in_no_colour_until_the_configuration_knows_it() {
    let mut alert = with(&[]);
    alert.labels = [("alertname", "DiskFull"), ("alert_level", "Apocalypse")]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let scene = scene(vec![alert]);
    let header = card(&scene).header;
    assert_eq!((header.title.content(), header.template), ("[Apocalypse] DiskFull", Template::Grey));
    let severities: SeverityWords =
        [("apocalypse".to_owned(), NamedSeverity::Critical)].into_iter().collect();
    let known = Style { severities, ..style(Locale::En) };
    let header = build(&scene.items(), &known, now(), CARD_BYTES_MAX).header;
    assert_eq!((header.title.content(), header.template), ("[CRITICAL] DiskFull", Template::Red));
}

#[test]
fn texts_are_cut_only_where_the_card_is_full() {
    let long = format!("{} end", "word ".repeat(300));
    let label = "x".repeat(500);
    let mut alert = with(&[("impact", &long)]);
    alert.labels.insert_if_absent("image".into(), label.clone().into());
    let [card, _] = said(&scene(vec![alert]));
    assert!(card.contains(&long) && card.contains(&label), "{card}");
    let many = (0..200).map(|index| {
        let mut alert = with(&[("impact", &long)]);
        alert.labels.insert_if_absent("pod".into(), format!("p-{index}").into());
        alert
    });
    let card =
        card_with(&scene(many.collect()).items(), &style(Locale::En), now(), 4_000, Besides::default());
    assert!(length(&card) <= 4_000, "{card:?}");
}

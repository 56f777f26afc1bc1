//! What comes first on a card, and that equal alerts make equal cards.

use jiff::SignedDuration;
use shared::alert::{Alert, Status};

use super::scenes::{self, Scene, alert, envelope, now};
use super::*;

/// The names told in detail, from top to bottom.
fn told(card: &Card) -> Vec<String> {
    let lines = texts(card).into_iter().filter_map(|text| text.content().lines().next());
    let names = lines.filter_map(|line| line.split_once(" **")?.1.split_once("**"));
    names.map(|(name, _)| name.to_owned()).collect()
}

fn rated(name: &str, severity: &str) -> Alert<'static> {
    alert(name, vec![("severity".to_owned(), severity.to_owned())], "")
}

fn card_of(scene: &Scene) -> Card {
    build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX)
}

#[test]
fn the_worst_news_come_first_and_what_began_first_among_equals() {
    let mut over = rated("Over", "critical");
    over.status = Status::Resolved;
    let mut early = rated("Early", "critical");
    early.starts_at = Some(now() - SignedDuration::from_mins(5));
    let names = ["Again", "Late"].map(|name| rated(name, "critical"));
    let alerts = [over, rated("Mild", "warning"), rated("Said", "info"), rated("Unsaid", "")];
    let alerts = alerts.into_iter().chain(names).chain([early]).collect();
    let is_reminder = |alert: &Alert<'_>| alert.labels.get("alertname") == Some("Again");
    let card = card_of(&Scene { envelopes: vec![envelope(alerts, 0)], is_reminder, attention: Vec::new() });
    assert_eq!(told(&card), ["Early", "Late", "Again", "Unsaid", "Mild", "Said", "Over"]);
}

#[test]
fn in_a_storm_one_of_each_kind_comes_before_a_second_of_any() {
    let mut alerts: Vec<_> = (0..100).map(|_| rated("Frequent", "critical")).collect();
    alerts.extend([rated("Rare", "critical"), rated("Seldom", "critical"), rated("Worse than none", "info")]);
    let card = card_of(&Scene {
        envelopes: vec![envelope(alerts, 0)],
        is_reminder: |_| false,
        attention: Vec::new(),
    });
    assert_eq!(told(&card)[..4], ["Frequent", "Rare", "Seldom", "Frequent"]);
}

#[test]
fn a_title_says_how_bad_how_many_where_and_what() {
    let title = |scene: &Scene| card_of(scene).header.title.content().to_owned();
    assert_eq!(
        title(&scenes::storm(10_000)),
        "[CRITICAL] 8572 alerts in prod +4: KubePodCrashLooping ×3429, TargetDown ×857, +33"
    );
    assert_eq!(title(&scenes::reminder()), "[REMINDER · CRITICAL] HighErrorRate · prod/checkout");
    assert_eq!(
        title(&scenes::calm_again()),
        "[RESOLVED] 28 alerts in prod +4: KubePodCrashLooping ×11, HighErrorRate ×6, +6"
    );
}

#[test]
fn a_label_called_state_colours_only_the_cards_of_loki_feishu() {
    let unit = alert("UnitFailed", vec![("state".to_owned(), "failed".to_owned())], "");
    let card = card_of(&Scene {
        envelopes: vec![envelope(vec![unit], 0)],
        is_reminder: |_| false,
        attention: Vec::new(),
    });
    assert_eq!(card.header.template, Template::Red);
}

#[test]
fn the_same_alerts_make_the_same_card() {
    let scene = scenes::storm(3_000);
    let cards = [(); 5].map(|()| serde_json::to_string(&card_of(&scene)).unwrap());
    assert!(cards.iter().all(|card| *card == cards[0]));
}

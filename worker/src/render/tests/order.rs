//! What comes first on a card, and that equal alerts make equal cards.

use jiff::SignedDuration;
use model::alert::{Alert, Status};

use super::scenes::{self, Scene, alert, envelope, now};
use super::*;

/// The names told in detail, from top to bottom.
fn titles(card: &Card) -> Vec<String> {
    let name = |text: &CardText| {
        let (_, name) = text.content().lines().next()?.split_once(" **")?;
        Some(name.split_once("**")?.0.to_owned())
    };
    texts(card).iter().filter_map(name).collect()
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
    assert_eq!(titles(&card), ["Early", "Late", "Again", "Unsaid", "Mild", "Said", "Over"]);
}

#[test]
fn an_annotation_says_how_bad_it_is_where_no_label_does() {
    let mut annotated = alert("Annotated", Vec::new(), "");
    annotated.annotations.insert_if_absent("severity".into(), "info".into());
    let mut labelled = rated("Labelled", "critical");
    labelled.annotations.insert_if_absent("severity".into(), "info".into());
    let envelopes = vec![envelope(vec![annotated, rated("Mild", "warning"), labelled], 0)];
    let card = card_of(&Scene { envelopes, is_reminder: |_| false, attention: Vec::new() });
    assert_eq!(titles(&card), ["Labelled", "Mild", "Annotated"]);
}

#[test]
fn in_a_storm_each_kind_has_one_block() {
    let mut alerts: Vec<_> = (0..100).map(|_| rated("Frequent", "critical")).collect();
    alerts.extend([rated("Rare", "critical"), rated("Seldom", "critical"), rated("Worse than none", "info")]);
    let card = card_of(&Scene {
        envelopes: vec![envelope(alerts, 0)],
        is_reminder: |_| false,
        attention: Vec::new(),
    });
    assert_eq!(titles(&card), ["Frequent", "Rare", "Seldom", "Worse than none"]);
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

fn placed(name: &str, labels: &[[&str; 2]]) -> Alert<'static> {
    let labels = labels.iter().map(|[name, value]| ((*name).to_owned(), (*value).to_owned()));
    alert(name, labels.chain([("severity".to_owned(), "critical".to_owned())]).collect(), "")
}

fn title_of(alerts: Vec<Alert<'static>>) -> String {
    let scene = Scene { envelopes: vec![envelope(alerts, 0)], is_reminder: |_| false, attention: Vec::new() };
    card_of(&scene).header.title.content().to_owned()
}

#[test]
fn the_place_is_that_of_the_thing_that_is_ill_and_not_of_what_measures_it() {
    let measured = [["service", "kube-state-metrics"], ["job", "kube-state-metrics"], ["namespace", "shop"]];
    let by_metrics = |more: &[[&str; 2]]| placed("Ill", &[&measured[..], more].concat());
    for (alert, title) in [
        (by_metrics(&[["pod", "checkout-1"], ["instance", "10.0.0.1:8080"]]), "shop/checkout-1"),
        (by_metrics(&[["pod", "kube-state-metrics-5f7"], ["deployment", "cart"]]), "shop/cart"),
        (by_metrics(&[["pod", "kube-state-metrics-5f7"], ["exported_pod", "cart-7"]]), "shop/cart-7"),
        (
            placed(
                "Ill",
                &[["job", "node-exporter"], ["pod", "node-exporter-x"], ["instance", "web-1:9100"]],
            ),
            "web-1:9100",
        ),
        (
            placed("Ill", &[["service", "checkout"], ["pod", "checkout-1"], ["namespace", "shop"]]),
            "shop/checkout",
        ),
    ] {
        assert_eq!(title_of(vec![alert]), format!("[CRITICAL] Ill · {title}"));
    }
    let pods = (0..20).map(|index| by_metrics(&[["pod", &format!("checkout-{index}")]]));
    assert_eq!(title_of(pods.collect()), "[CRITICAL] 20 alerts in shop: Ill ×20");
}

#[test]
fn the_place_of_several_alerts_is_that_of_the_worst() {
    let mild = |name: &str| {
        let labels = [("severity", "warning"), ("namespace", name)];
        alert("Mild", labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(), "")
    };
    let alerts = vec![mild("edge"), mild("edge"), placed("Bad", &[["namespace", "shop"]])];
    assert_eq!(title_of(alerts), "[CRITICAL] Bad, Mild ×2 · shop +1");
}

#[test]
fn an_alert_without_a_name_is_called_by_what_it_says() {
    let mut nameless = placed("", &[["namespace", "shop"]]);
    nameless.labels = [("namespace".into(), "shop".into())].into_iter().collect();
    let mut silent = nameless.clone();
    nameless.annotations = [("summary".into(), "Queue is full".into())].into_iter().collect();
    assert_eq!(title_of(vec![nameless]), "[FIRING] Queue is full · shop");
    silent.annotations = model::alert::Labels::default();
    let mut envelope = envelope(vec![silent], 0);
    envelope.group_labels = [("queue".into(), "orders".into())].into_iter().collect();
    let scene = Scene { envelopes: vec![envelope], is_reminder: |_| false, attention: Vec::new() };
    assert_eq!(card_of(&scene).header.title.content(), "[FIRING] orders · shop");
}

#[test]
fn status_lights_in_the_text_of_an_alert_stay() {
    let lights = alert("Regions", Vec::new(), "🟢 eu-1 🔴 us-1");
    let scene =
        Scene { envelopes: vec![envelope(vec![lights], 0)], is_reminder: |_| false, attention: Vec::new() };
    assert!(texts(&card_of(&scene)).iter().any(|text| text.content().contains("› 🟢 eu-1 🔴 us-1")));
}

/// `max_alerts` keeps the first by their labels: all of those may be over while others fire.
#[test]
fn a_card_is_never_green_while_the_sender_has_left_something_out() {
    let mut over = rated("Disk", "critical");
    over.status = Status::Resolved;
    for locale in [Locale::En, Locale::ZhCn] {
        let mut scene = Scene {
            envelopes: vec![envelope(vec![over.clone()], 3)],
            is_reminder: |_| false,
            attention: Vec::new(),
        };
        let card = |scene: &Scene| build(&scene.items(), &style(locale), now(), CARD_BYTES_MAX);
        let cut = card(&scene);
        assert_eq!(cut.header.template, Template::Grey);
        let (title, said) = match locale {
            Locale::En => ("[PARTLY RESOLVED] Disk", "3 more were left out by the sender and may still fire"),
            Locale::ZhCn => ("[部分已恢复] Disk", "发送方另外省略了 3 条，可能仍在告警"),
        };
        assert_eq!(cut.header.title.content(), title);
        assert!(texts(&cut).iter().any(|text| text.content().contains(said)), "{cut:?}");
        scene.envelopes[0].truncated = 0;
        assert_eq!(card(&scene).header.template, Template::Green);
        scene.envelopes[0].truncated = 3;
        scene.envelopes[0].alerts.push(rated("Other", "critical"));
        assert_eq!(card(&scene).header.template, Template::Red);
    }
}

#[test]
fn what_nobody_has_ended_is_not_green_and_the_card_says_since_when_it_is_quiet() {
    let mut over = rated("Disk", "critical");
    over.status = Status::Resolved;
    let quiet = Attention { unheard_since: Some(now()), ..Attention::default() };
    let mut scene =
        Scene { envelopes: vec![envelope(vec![over], 0)], is_reminder: |_| false, attention: vec![quiet] };
    let card = card_of(&scene);
    assert_eq!(card.header.template, Template::Grey);
    assert_eq!(card.header.title.content(), "[NOT HEARD OF] Disk");
    assert!(texts(&card).iter().any(|text| text.content().contains("🔕 **Not heard of since ")), "{card:?}");
    scene.attention.clear();
    assert_eq!(card_of(&scene).header.template, Template::Green);
    // Said by the envelope, where there is no card to be changed.
    (scene.envelopes[0].is_unheard, scene.envelopes[0].alerts[0].ends_at) = (true, Some(now()));
    let said = card_of(&scene);
    assert_eq!((said.header.template, said.header.title.content()), (Template::Grey, "[NOT HEARD OF] Disk"));
    assert!(texts(&said).iter().any(|text| text.content().contains("🔕 **Not heard of since ")), "{said:?}");
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

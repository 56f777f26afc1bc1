use std::borrow::Cow;

use config::{Environment, parse};
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source};
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["default", "ops", "shop", "pay"];

fn router(routes: &str) -> Router {
    let receivers: Vec<_> =
        NAMES.iter().map(|name| format!("{name}: {{ webhook_url: 'https://h/{name}' }}")).collect();
    let text = format!("receivers: {{ {} }}\nroutes:\n{routes}", receivers.join(", "));
    let config = parse("test.yaml", &text, Environment::default()).unwrap();
    Router::new(&config.routes, NAMES.map(str::to_owned).to_vec()).unwrap()
}

fn labels(pairs: &str) -> Labels<'static> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))
    };
    pairs.split_whitespace().map(pair).collect()
}

fn envelope(receiver: &str, alerts: &[&str]) -> Envelope<'static> {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let alert = |pairs: &&str| Alert {
        fingerprint: Fingerprint::of_pairs([("pairs", *pairs)]).into_owned(),
        former: None,
        status: Status::Firing,
        starts_at: None,
        ends_at: None,
        labels: labels(pairs),
        annotations: Labels::default(),
        generator_url: "".into(),
        links: Links::default(),
        mention: Mention::default(),
    };
    Envelope {
        id: EnvelopeId::new(now, [1; 10]),
        received_at: now,
        source: Source::Custom,
        receiver: receiver.to_owned().into(),
        group_key: "".into(),
        group_labels: Labels::default(),
        external_url: "".into(),
        truncated: 0,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts: alerts.iter().map(alert).collect(),
    }
}

/// The receivers of one alert, by name.
fn receivers(router: &Router, pairs: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let labels = labels(pairs);
    let mut answers = Answers::to(&router.questions);
    answers.are_of(&labels);
    router.find(&mut answers, &mut found);
    found.into_iter().map(|place| place.map_or("nobody", |place| NAMES[place])).collect()
}

const TREE: &str = r#"
  - match: severity="critical"
    receivers: [ops, default]
    continue: true
  - match: ['namespace=~"shop|pay"', 'team!="guests"']
    receiver: shop
    routes:
      - match: severity="info"
        receiver: default
        continue: true
      - match: namespace="pay"
        receiver: pay
  - match: namespace="shop"
    receiver: pay
"#;

#[test]
fn the_first_route_that_matches_takes_it_and_one_below_takes_it_over() {
    let router = router(TREE);
    for (pairs, expected) in [
        ("namespace=shop", vec!["shop"]),
        ("namespace=pay", vec!["pay"]),
        // `continue` below: both children of the second.
        ("namespace=pay severity=info", vec!["default", "pay"]),
        ("namespace=shop severity=info", vec!["default"]),
        // `continue` above: the first and then whoever comes.
        ("namespace=shop severity=critical", vec!["ops", "default", "shop"]),
        ("severity=critical", vec!["ops", "default"]),
        // The second says no, so the third is asked.
        ("namespace=shop team=guests", vec!["pay"]),
        // Nobody's: the default. Matchers are anchored, and what is not there is empty.
        ("namespace=shopping", vec!["default"]),
        ("", vec!["default"]),
    ] {
        assert_eq!(receivers(&router, pairs), expected, "{pairs}");
    }
}

#[test]
fn whoever_is_named_by_several_routes_is_told_once() {
    let router = router("  - { receiver: ops, continue: true }\n  - { receivers: [ops, pay] }\n");
    assert_eq!(receivers(&router, "a=b"), ["ops", "pay"]);
}

#[test]
fn a_route_without_receivers_means_the_default() {
    assert_eq!(receivers(&router("  - match: a=b\n  - receiver: ops"), "a=b"), ["default"]);
}

#[test]
fn an_envelope_is_parted_only_where_its_alerts_go_different_ways() {
    let router = router(TREE);
    let whole = envelope("nobody", &["namespace=shop x=1", "namespace=shop x=2"]);
    assert_eq!(router.part(&whole), Parting::Whole(Some(2)));
    let parted = envelope("", &["namespace=shop", "severity=critical", "namespace=shop x=2"]);
    let of = |receiver, alerts: &[usize]| RoutedPart { receiver: Some(receiver), alerts: alerts.to_vec() };
    assert_eq!(router.part(&parted), Parting::Parts(vec![of(2, &[0, 2]), of(1, &[1]), of(0, &[1])]));
}

#[test]
fn a_configured_name_is_taken_at_its_word_and_no_route_is_asked() {
    let router = router(TREE);
    assert_eq!(router.part(&envelope("pay", &["severity=critical"])), Parting::Whole(Some(3)));
}

#[test]
fn without_routes_anything_else_goes_to_the_default_or_the_only_one() {
    let choose = |asked: &str, names: &[&str]| {
        let router = Router::new(&[], names.iter().map(ToString::to_string).collect()).unwrap();
        router.part(&envelope(asked, &["a=b"]))
    };
    assert_eq!(choose("ops", &["default", "ops"]), Parting::Whole(Some(1)));
    assert_eq!(choose("nobody", &["ops", "default"]), Parting::Whole(Some(1)));
    assert_eq!(choose("", &["ops"]), Parting::Whole(Some(0)));
    // Among several without a default nothing is guessed.
    assert_eq!(choose("nobody", &["ops", "dev"]), Parting::Whole(None));
    assert_eq!(choose("nobody", &[]), Parting::Whole(None));
    // Chats that payloads may name get nothing unasked.
    assert_eq!(choose("", &["ops", "oc_1", "oc_2"]), Parting::Whole(Some(0)));
    assert_eq!(choose("oc_1", &["ops", "oc_1", "oc_2"]), Parting::Whole(Some(1)));
    assert_eq!(choose("", &["oc_1", "oc_2"]), Parting::Whole(None));
}

#[test]
fn what_no_route_takes_and_no_default_gets_is_for_nobody_and_the_rest_goes_its_way() {
    let config = parse(
        "test.yaml",
        "receivers: { ops: { webhook_url: https://h/a }, dev: { webhook_url: https://h/b } }\n\
         routes: [{ match: a=b, receiver: ops }, { match: c=d }]",
        Environment::default(),
    );
    let router = Router::new(&config.unwrap().routes, vec!["ops".to_owned(), "dev".to_owned()]).unwrap();
    let parted = router.part(&envelope("", &["a=b", "c=d", "e=f"]));
    let of = |receiver, alerts: &[usize]| RoutedPart { receiver, alerts: alerts.to_vec() };
    assert_eq!(parted, Parting::Parts(vec![of(Some(0), &[0]), of(None, &[1, 2])]));
}

#[test]
fn bots_that_are_sent_every_card_are_told_each_and_come_back_each_to_its_own() {
    let names = ["ops/1", "ops/2", "dev"].map(str::to_owned).to_vec();
    let whole = |receiver| RoutedPart { receiver: Some(receiver), alerts: vec![0] };
    let both = Parting::Parts(vec![whole(0), whole(1)]);
    let router = Router::new(&[], names.clone()).unwrap();
    assert_eq!(router.part(&envelope("ops", &["a=b"])), both);
    assert_eq!(router.part(&envelope("ops/2", &["a=b"])), Parting::Whole(Some(1)));
    assert_eq!(router.part(&envelope("op", &["a=b"])), Parting::Whole(None));
    let mut deferred = envelope("ops", &["a=b"]);
    router.address(&mut deferred, 1);
    assert_eq!(deferred.receiver, "ops/2");
    let alone = Router::new(&[], names[..2].to_vec()).unwrap();
    assert_eq!(alone.part(&envelope("nobody", &["a=b"])), both, "the only one there is");
}

#[test]
fn what_was_for_one_of_several_bots_is_their_receivers_once_they_share_its_cards() {
    let router = Router::new(&[], ["ops", "dev"].map(str::to_owned).to_vec()).unwrap();
    for (asked, place) in
        [("ops", Some(0)), ("ops/2", Some(0)), ("ops/x", None), ("ops/2/1", None), ("/1", None)]
    {
        assert_eq!(router.part(&envelope(asked, &["a=b"])), Parting::Whole(place), "{asked}");
    }
}

#[test]
fn a_route_to_a_receiver_this_process_does_not_have_is_refused() {
    let config = parse(
        "test.yaml",
        "{ receivers: { ops: { webhook_url: https://h/a } }, routes: [{ routes: [{ receiver: ops }] }] }",
        Environment::default(),
    );
    let refused = Router::new(&config.unwrap().routes, vec!["default".to_owned()]).unwrap_err().to_string();
    assert!(refused.contains("route 1.1 leads to ops") && refused.contains("restart"), "{refused}");
}

#[test]
fn the_story_says_which_took_it_and_why_the_others_did_not() {
    let router = router(TREE);
    let story = |pairs: &str| -> Vec<String> {
        router.story(&labels(pairs)).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        story("namespace=pay severity=warning"),
        [
            r#"route 1 did not: severity="critical", and severity is "warning""#,
            "route 2 matched, and one below it took it over",
            r#"route 2.1 did not: severity="info", and severity is "warning""#,
            r#"route 2.2 took it (namespace="pay"): it goes to pay"#,
            "route 3 was not asked: 2 does not say `continue`",
        ]
    );
    assert_eq!(
        story("a=b"),
        [
            r#"route 1 did not: severity="critical", and there is no label severity"#,
            r#"route 2 did not: namespace=~"shop|pay", and there is no label namespace"#,
            r#"route 3 did not: namespace="shop", and there is no label namespace"#,
            "no route took it: it goes to default",
        ]
    );
}

/// A forest of routes, up to three deep, over a handful of labels and receivers.
fn forest() -> impl Strategy<Value = Vec<RouteConfig>> {
    let node = |below: BoxedStrategy<Vec<RouteConfig>>| {
        let asks = prop::sample::select(vec![
            "=x",
            "=y",
            "=",
            "!=x",
            "!=y",
            "=~x",
            "=~\"x|y\"",
            "=~.+",
            "=~x?",
            "!~y",
            "!~\"[xy]\"",
            "=~.*",
        ]);
        let matchers = prop::collection::vec(("[ab]", asks), 0..3);
        let receivers = prop::collection::vec(prop::sample::select(NAMES.to_vec()), 0..3);
        (matchers, receivers, any::<bool>(), below).prop_map(|(matchers, receivers, continues, routes)| {
            RouteConfig {
                number: String::new(),
                matchers: matchers
                    .into_iter()
                    .map(|(name, asks)| format!("{name}{asks}").parse().unwrap())
                    .collect(),
                receivers: receivers.into_iter().map(str::to_owned).collect(),
                escalation: None,
                continues,
                routes,
            }
        })
    };
    // Enough beside each other that they are indexed, and few enough that they are not.
    let leaf = prop::collection::vec(node(Just(Vec::new()).boxed()), 0..11).boxed();
    let middle = prop::collection::vec(node(leaf), 0..3).boxed();
    prop::collection::vec(node(middle), 0..14)
}

proptest! {
    #[test]
    fn every_alert_has_somewhere_to_go_and_the_story_says_the_same(
        routes in forest(), a in "[xyz]?", b in "[xyz]",
    ) {
        let router = Router::new(&routes, NAMES.map(str::to_owned).to_vec()).unwrap();
        let pairs = format!("a={a} b={b}");
        let mut found = receivers(&router, &pairs);
        prop_assert!(!found.is_empty());
        let mut told: Vec<String> = Vec::new();
        for step in router.story(&labels(&pairs)) {
            match step {
                RouteStep::Took { receivers, .. } | RouteStep::Untaken { receivers } => told.extend(receivers),
                RouteStep::TakenOver { .. } | RouteStep::Failed { .. } | RouteStep::NotAsked { .. } => {}
            }
        }
        found.sort_unstable();
        told.sort_unstable();
        told.dedup();
        prop_assert_eq!(found, told);
    }
}

//! The numbers on a card add up, and its names are those of its alerts. Both are read from the card, as a person would.

use std::collections::BTreeMap;

use model::alert::{Alert, Status};
use model::envelope::Envelope;
use proptest::prelude::*;

use super::super::count::Count;
use super::super::fold::expanded;
use super::scenes::{self, Scene, envelope, now};
use super::*;

/// What a card or a text in English says of how many.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    all: Count,
    /// By the lines that begin with a light.
    by_line: Count,
    others: Count,
    left_out: usize,
    unnamed: usize,
}

/// `3 firing, 1 resolved`, or one of both.
fn counts(words: &str) -> Count {
    let number = |what: &str| {
        let (before, _) = words.split_once(what)?;
        before.rsplit(' ').next()?.trim_start_matches('*').parse().ok()
    };
    Count { firing: number(" firing").unwrap_or(0), resolved: number(" resolved").unwrap_or(0) }
}

/// How many alerts a line is about: `×12`, or one.
fn counted(words: &str) -> usize {
    let times = |word: &str| word.strip_prefix('×').and_then(|count| count.parse().ok());
    words.split([' ', ':']).find_map(times).unwrap_or(1)
}

fn read<'t>(lines: impl Iterator<Item = &'t str>) -> Said {
    let mut said = Said::default();
    for line in lines.filter(|line| !line.is_empty()) {
        let (sign, words) = line.split_once([' ', ':']).unwrap_or((line, ""));
        match sign {
            "🔴" | "⭕" | "🟠" | "⚪" | "🔵" => said.by_line.firing += counted(words),
            "🟢" => said.by_line.resolved += counted(words),
            "➕" if words.contains(" more were left out") => {
                said.left_out = words.split(' ').next().unwrap().parse().unwrap();
            }
            "➕" if words.contains(" other kind") => said.others = counts(words),
            _ if line.contains(" listed; the other ") => {
                let (_, unnamed) = line.split_once(" listed; the other ").unwrap();
                said.unnamed = unnamed.split([' ', ':']).next().unwrap().parse().unwrap();
            }
            _ => {}
        }
    }
    said
}

fn said_by_card(card: &Card) -> Said {
    let texts = texts(card);
    let lines = texts.iter().flat_map(|text| text.content().lines());
    let all = texts.first().map_or(Count::default(), |text| counts(text.content()));
    Said { all, ..read(lines) }
}

fn said_by_text(text: &str) -> Said {
    Said { all: text.lines().nth(1).map_or(Count::default(), counts), ..read(text.lines()) }
}

fn truth(items: &[Item<'_>]) -> Count {
    let firing = items.iter().filter(|item| item.is_firing()).count();
    Count { firing, resolved: items.len() - firing }
}

fn check(scene: &Scene, bytes_max: usize) {
    let items = scene.items();
    let text = text_with(&items, &style(Locale::En), now(), Besides::default());
    let cards = CardFormat::ALL.map(|format| {
        let besides = Besides { format, ..Besides::default() };
        build_with(&items, &style(Locale::En), now(), bytes_max, besides)
    });
    let of_text = (said_by_text(&text.content), text.summarised.len());
    let of_cards = cards.iter().map(|card| (said_by_card(&card.content), card.summarised.len()));
    let card = &cards;
    for (said, summarised) in of_cards.chain([of_text]) {
        assert_eq!(said.all, truth(&items));
        let counted = Count {
            firing: said.by_line.firing + said.others.firing,
            resolved: said.by_line.resolved + said.others.resolved,
        };
        assert_eq!(counted, said.all, "{said:?} in {card:?} and {text:?}");
        assert_eq!(said.unnamed, summarised, "{said:?} in {card:?}");
    }
}

#[test]
fn a_storm_of_ten_thousand_is_accounted_for_to_the_last() {
    let scene = scenes::storm(10_000);
    let said = said_by_card(&build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX));
    assert_eq!(said.all.total(), 10_000);
    assert!(said.unnamed < 7_500, "{said:?}");
    check(&scene, CARD_BYTES_MAX);
}

#[test]
fn what_the_sender_left_out_is_said_once_however_often_it_comes() {
    let alerts = (0..3).map(|index| scenes::alert(&format!("A{index}"), Vec::new(), "x"));
    let first = envelope(alerts.collect(), 12);
    // A request that was split, and the same group sent again with a newer number.
    let part = Envelope { id: first.id.part(1), ..first.clone() };
    let later = now() + jiff::SignedDuration::from_secs(1);
    let again = Envelope { id: first.id.part(2), received_at: later, truncated: 9, ..first.clone() };
    let other = Envelope { id: first.id.part(3), group_key: "other".into(), truncated: 1, ..first.clone() };
    let scene =
        Scene { envelopes: vec![again, first, part, other], is_reminder: |_| false, attention: Vec::new() };
    let said = said_by_card(&build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX));
    assert_eq!(said.left_out, 10);
}

/// The names on the card: below each block that has a `**pod**:`, and on each line of the list.
fn names_on(card: &Card) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    let mut add = |list: &str| {
        let (list, _) = list.rsplit_once(" +").unwrap_or((list, ""));
        for name in expanded(list) {
            *names.entry(name).or_insert(0) += 1;
        }
    };
    let mut is_listed = false;
    for text in texts(card) {
        match &text {
            CardText::Plain { content } if is_listed => add(content),
            CardText::Plain { content } if content.starts_with(['🔴', '🟠', '🟢', '⭕', '⚪', '🔵']) =>
            {
                // A name may have a line of its own; a line that begins with a light begins a group.
                let lists =
                    content.split(['🔴', '🟠', '🟢', '⭕', '⚪', '🔵']).filter(|list| !list.is_empty());
                lists.for_each(|list| add(list.trim_end().split_once(": ").map_or("", |(_, names)| names)));
            }
            CardText::Plain { .. } | CardText::Markdown { .. } => {}
        }
        is_listed = text.content().ends_with("**:");
    }
    names
}

/// What further cards list, one after the other, until everything is listed or no card lists more.
fn listed_on_cards(scene: &Scene, bytes_max: usize) -> (BTreeMap<String, usize>, usize) {
    let mut left = scene.items();
    let mut names = BTreeMap::new();
    for number in 1.. {
        let besides = Besides { part: CardPart { number, may_go_on: true }, ..Besides::default() };
        let card = build_with(&left, &style(Locale::En), now(), bytes_max, besides);
        if card.summarised.len() == left.len() {
            break;
        }
        for (name, count) in names_on(&card.content) {
            *names.entry(name).or_insert(0) += count;
        }
        if let ([alone], true) = (&left[..], card.summarised.is_empty()) {
            // It has its card for itself, with its labels on it.
            *names.entry(alone.alert.labels.get("pod").unwrap().to_owned()).or_insert(0) += 1;
        }
        left = card.summarised.iter().map(|index| left[*index]).collect();
        if left.is_empty() {
            break;
        }
    }
    (names, left.len())
}

fn labelled(name: &str, namespace: &str, pod: &str) -> Alert<'static> {
    let pairs = [("namespace", namespace), ("severity", "critical"), ("pod", pod), ("cluster", "prod-bj")];
    let labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    scenes::alert(name, labels, "Pod is restarting again and again.")
}

fn scene_of(alerts: &[Alert<'static>]) -> Scene {
    let envelopes = alerts.chunks(100).map(|alerts| envelope(alerts.to_vec(), 0)).collect();
    Scene { envelopes, is_reminder: |_| false, attention: Vec::new() }
}

/// Letters and digits as Kubernetes ends the names of its pods with, the same in every run.
fn ending(seed: usize, length: usize) -> String {
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    let mut state = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut letter = || {
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        char::from(alphabet[usize::try_from(state >> 33).unwrap() % alphabet.len()])
    };
    (0..length).map(|_| letter()).collect()
}

fn pod(set: usize, number: usize) -> String {
    const APPS: [&str; 8] =
        ["cart", "checkout", "payments", "search", "inventory", "gateway", "profile", "orders"];
    format!("{}-{}-{}", APPS[set % APPS.len()], ending(set, 10), ending(set * 1_000 + number, 5))
}

/// How many of the alerts one card of a custom bot names; the names on it are those of the alerts that are not summarised.
fn named(alerts: &[Alert<'static>]) -> usize {
    let scene = scene_of(alerts);
    let items = scene.items();
    let named = CardFormat::ALL.map(|format| named_in(format, &items, CARD_BYTES_MAX));
    named[0].min(named[1])
}

fn named_in(format: CardFormat, items: &[Item<'_>], bytes_max: usize) -> usize {
    let besides = Besides { format, ..Besides::default() };
    let card = build_with(items, &style(Locale::En), now(), bytes_max, besides);
    assert!(length(&card.content) <= bytes_max);
    is_taken(&card.content);
    let mut truth = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if !card.summarised.contains(&index) {
            let name = item.alert.labels.get("pod").or_else(|| item.alert.labels.get("alertname")).unwrap();
            *truth.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(names_on(&card.content), truth);
    items.len() - card.summarised.len()
}

#[test]
fn six_hundred_and_fifty_single_pods_are_named_on_one_card() {
    let pods = (0..1_000).map(|set| labelled("KubePodCrashLooping", "shop", &pod(set, 0)));
    let named = named(&pods.collect::<Vec<_>>());
    assert!(named >= 650, "{named}");
}

#[test]
fn two_thousand_pods_in_replica_sets_of_ten_are_named_on_one_card() {
    let pods = (0..3_000).map(|index| labelled("KubePodCrashLooping", "shop", &pod(index / 10, index % 10)));
    let named = named(&pods.collect::<Vec<_>>());
    assert!(named >= 2_000, "{named}");
}

#[test]
fn three_thousand_hosts_of_a_half_affected_fleet_are_named_on_one_card() {
    let is_affected = |number: &usize| ending(*number, 1).as_bytes()[0].is_multiple_of(2);
    let hosts = (0..10_000).filter(is_affected).take(4_500);
    let named = named(
        &hosts.map(|number| labelled("NodeDown", "", &format!("bj-web-{number:04}"))).collect::<Vec<_>>(),
    );
    assert!(named >= 3_000, "{named}");
}

#[test]
fn four_hundred_different_alerts_are_all_named() {
    let name = |index: usize| format!("Kube{}{}NotReady", ending(index, 6), index);
    let alerts: Vec<_> =
        (0..400).map(|index| labelled(&name(index), "shop", &format!("{}-0", name(index)))).collect();
    let scene = scene_of(&alerts);
    let card = build_with(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX, Besides::default());
    assert!(card.summarised.is_empty());
    let text = serde_json::to_string(&card.content).unwrap();
    assert!((0..400).all(|index| text.contains(&name(index))));
    assert!(text.contains("Everything is listed."));
}

#[test]
fn what_crash_looping_pods_share_is_said_once_and_each_pod_is_named() {
    let pods = (0..60).map(|index| labelled("KubePodCrashLooping", "shop", &pod(index / 20, index % 20)));
    let scene = scene_of(&pods.collect::<Vec<_>>());
    let card = build_with(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX, Besides::default());
    assert!(card.summarised.is_empty());
    let json = serde_json::to_string(&card.content).unwrap();
    assert_eq!(json.matches("Pod is restarting again and again.").count(), 1, "{json}");
    assert_eq!(json.matches("prometheus.example").count(), 1, "{json}");
    assert_eq!(names_on(&card.content).len(), 60);
    assert!(length(&card.content) < 2_500, "{}", length(&card.content));
}

#[test]
fn the_label_that_tells_alerts_apart_is_on_the_card_whatever_its_name() {
    let noise =
        ["namespace", "container", "endpoint", "instance", "job", "pod", "prometheus", "service", "severity"];
    let noise =
        noise.iter().chain(&["app", "cluster", "consumergroup", "env", "team", "uid", "replica", "state"]);
    let noise: Vec<_> = noise.map(|name| ((*name).to_owned(), "same".to_owned())).collect();
    let alert = |topic: usize| {
        let labels = noise.iter().cloned().chain([("topic".to_owned(), format!("orders-{topic}"))]);
        scenes::alert("KafkaConsumerLag", labels.collect(), &format!("{topic} messages behind"))
    };
    let scene = scene_of(&[alert(1), alert(22), alert(333)]);
    let card = build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX);
    let json = serde_json::to_string(&card).unwrap();
    assert!(["orders-1", "orders-22", "orders-333"].iter().all(|topic| json.contains(topic)), "{json}");
    // What all share is said once, the odd labels as well.
    assert!(["uid", "replica", "state"].iter().all(|name| json.matches(&format!("**{name}**")).count() == 1));
    // Where not all of it fits, that is said.
    let short = build(&scene.items(), &style(Locale::En), now(), 3_500);
    let json = serde_json::to_string(&short).unwrap();
    assert!(json.contains("labels") && json.contains("topic=orders-333"), "{json}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_names_on_a_card_of_either_format_are_those_of_its_alerts_less_what_it_only_counts(
        groups in proptest::collection::vec(
            proptest::collection::btree_set("[a-z]{1,4}-[0-9]{1,3}[,\\]}\"]{0,1}[a-z]{0,2}", 2..20), 1..25),
        bytes_max in 3_000_usize..CARD_BYTES_MAX,
        is_measured in any::<bool>(),
    ) {
        // So many that groups are told, and not alerts.
        let crowd: BTreeSet<_> = (0..16).map(|index| format!("crowd-{index}")).collect();
        let groups = groups.into_iter().chain([crowd]).enumerate();
        let alerts = groups.flat_map(|(group, names)| names.into_iter().map(move |name| {
            let mut alert = labelled(&format!("Kind{group}"), "shop", &name);
            if is_measured && group % 2 == 0 {
                alert.annotations.insert_if_absent("value".into(), "97 %".into());
            }
            alert
        }));
        let scene = scene_of(&alerts.collect::<Vec<_>>());
        for format in CardFormat::ALL {
            named_in(format, &scene.items(), bytes_max);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn further_cards_list_each_name_once_and_none_is_left_over(
        pods in proptest::collection::btree_set("[a-c]{1,3}-[a-z0-9]{2,9}-?[0-9]{0,3}", 1..250),
        bytes_max in 2_500_usize..6_000,
    ) {
        let alerts: Vec<_> = pods.iter().map(|pod| labelled("KubePodCrashLooping", "shop", pod)).collect();
        let (names, left) = listed_on_cards(&scene_of(&alerts), bytes_max);
        prop_assert_eq!(left, 0);
        prop_assert_eq!(names, pods.into_iter().map(|pod| (pod, 1)).collect::<BTreeMap<_, _>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn in_detail_and_listed_and_left_out_are_all_of_them(
        kinds in proptest::collection::vec((0_usize..40, 0_usize..4, 0_usize..5, any::<bool>(), "[a-zé字 <*\"]{0,60}", "[ab]-[0-9]{1,2}"), 2..120),
        bytes_max in 2_000_usize..CARD_BYTES_MAX,
    ) {
        let severities = ["critical", "warning", "info", "", "P9"];
        let alerts = kinds.iter().map(|(name, namespace, severity, is_over, text, pod)| {
            let labels = [("namespace", format!("ns{namespace}")), ("severity", severities[*severity].to_owned()), ("pod", pod.clone())];
            let labels = labels.map(|(name, value)| (name.to_owned(), value)).into();
            let mut alert = scenes::alert(&format!("Kind{name}"), labels, text);
            if *is_over {
                alert.status = Status::Resolved;
            }
            alert
        });
        let alerts: Vec<_> = alerts.collect();
        let envelopes = alerts.chunks(7).map(|alerts| envelope(alerts.to_vec(), 0)).collect();
        check(&Scene { envelopes, is_reminder: |alert| alert.labels.get("severity") == Some("P9"), attention: Vec::new() }, bytes_max);
    }
}

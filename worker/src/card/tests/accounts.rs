//! The numbers on a card add up. They are read from the card, as a person would.

use proptest::prelude::*;
use shared::alert::Status;
use shared::envelope::Envelope;

use super::super::fold::Count;
use super::scenes::{self, Scene, envelope, now};
use super::*;

/// What a card or a text in English says of how many.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    all: Count,
    detailed: Count,
    more: Count,
    by_name: Count,
    others: Count,
    left_out: usize,
}

/// `3 firing, 1 resolved`, or one of both.
fn counts(words: &str) -> Count {
    let number = |what: &str| {
        let (before, _) = words.split_once(what)?;
        before.rsplit(' ').next()?.trim_start_matches('*').parse().ok()
    };
    Count { firing: number(" firing").unwrap_or(0), resolved: number(" resolved").unwrap_or(0) }
}

fn read<'t>(lines: impl Iterator<Item = &'t str>) -> Said {
    let mut said = Said::default();
    for line in lines.filter(|line| !line.is_empty()) {
        let (sign, words) = line.split_once(' ').unwrap_or((line, ""));
        let status = if sign == "🟢" { Status::Resolved } else { Status::Firing };
        let add = |count: &mut Count, number: usize| match status {
            Status::Firing => count.firing += number,
            Status::Resolved => count.resolved += number,
        };
        match sign {
            "🔴" | "⭕" | "🟠" | "🔵" | "🟢" => match words.strip_prefix('×') {
                Some(counted) => add(&mut said.by_name, counted.split(' ').next().unwrap().parse().unwrap()),
                None => add(&mut said.detailed, 1),
            },
            "➕" if words.contains(" more were left out") => {
                said.left_out = words.split(' ').next().unwrap().parse().unwrap();
            }
            "➕" if words.contains(" more: ") => said.more = counts(words),
            "➕" if words.contains(" other kind") => said.others = counts(words),
            _ => {}
        }
    }
    said
}

fn said_by_card(card: &Card) -> Said {
    let lines = texts(card).into_iter().flat_map(|text| text.content().lines());
    let all = texts(card).first().map_or(Count::default(), |text| counts(text.content()));
    Said { all, ..read(lines) }
}

fn said_by_text(text: &str) -> Said {
    Said { all: text.lines().nth(1).map_or(Count::default(), counts), ..read(text.lines()) }
}

fn sum(counts: [Count; 3]) -> Count {
    Count {
        firing: counts.iter().map(|count| count.firing).sum(),
        resolved: counts.iter().map(|count| count.resolved).sum(),
    }
}

fn truth(items: &[Item<'_>]) -> Count {
    let firing = items.iter().filter(|item| item.is_firing()).count();
    Count { firing, resolved: items.len() - firing }
}

fn check(scene: &Scene, bytes_max: usize) {
    let items = scene.items();
    let card = build(&items, &style(Locale::En), now(), bytes_max);
    for said in [said_by_card(&card), said_by_text(&text(&items, &style(Locale::En), now()))] {
        assert_eq!(said.all, truth(&items));
        // What is not counted by name is in the line about the others, or, if no name is given, in the first.
        let others = if said.by_name.total() == 0 { said.more } else { said.others };
        assert_eq!(sum([said.detailed, said.by_name, others]), said.all, "{said:?} in {card:?}");
        assert_eq!(sum([said.detailed, said.more, Count::default()]), said.all, "{said:?} in {card:?}");
    }
}

#[test]
fn a_storm_of_ten_thousand_is_accounted_for_to_the_last() {
    let scene = scenes::storm(10_000);
    let said = said_by_card(&build(&scene.items(), &style(Locale::En), now(), CARD_BYTES_MAX));
    assert_eq!(said.all.total(), 10_000);
    assert_eq!(said.detailed.total(), fold::DETAILS_MAX);
    assert!(said.by_name.total() > 7_000 && said.others.total() > 0, "{said:?}");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn detailed_and_counted_and_summed_up_are_all_of_them(
        kinds in proptest::collection::vec((0_usize..40, 0_usize..4, 0_usize..5, any::<bool>(), "[a-zé字 <*\"]{0,60}"), 2..120),
        bytes_max in 2_000_usize..CARD_BYTES_MAX,
    ) {
        let severities = ["critical", "warning", "info", "", "P9"];
        let alerts = kinds.iter().map(|(name, namespace, severity, is_over, text)| {
            let labels = [("namespace", format!("ns{namespace}")), ("severity", severities[*severity].to_owned())];
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

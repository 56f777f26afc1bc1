use super::*;

const ZERO_US: i64 = 1_700_000_000_000_000;

/// Four requests of one alert each, 100 ms apart; the last one is not answered.
fn sent() -> Vec<Sent> {
    (0..4_u32)
        .map(|request| {
            let due = Duration::from_millis(100) * request;
            let answered = due + Duration::from_millis(5);
            let answer = if request == 3 { Answer::None } else { Answer::Accepted };
            Sent { request, due, begun: due, answered, answer }
        })
        .collect()
}

fn written(delivered: &[u32], dead_lettered: &[u32]) -> Written {
    let at_ms = |alert: u32| ZERO_US / 1_000 + i64::from(alert) * 100 + 50;
    Written {
        delivered: delivered.iter().map(|alert| (*alert, at_ms(*alert))).collect(),
        dead_lettered: dead_lettered.iter().copied().collect(),
    }
}

fn card(at_ms: i64, shown: &[u32], counted: u64) -> Card {
    Card { at_us: ZERO_US + at_ms * 1_000, shown: shown.iter().copied().collect(), counted }
}

fn account(written: &Written, cards: &[Card]) -> Account {
    let sent = sent();
    let plan = Plan::once(4, Duration::from_millis(100), 1);
    Books { plan, zero_us: ZERO_US, sent: &sent, written, cards, counters: Counters::default() }.account()
}

#[test]
fn what_was_promised_and_is_neither_delivered_nor_dead_lettered_is_lost() {
    let account = account(&written(&[0], &[2]), &[card(20, &[0], 1)]);
    let Verdict { accepted, unanswered, promised, delivered, dead_lettered, lost, doubled, .. } =
        account.verdict;
    assert_eq!(
        (accepted, unanswered, promised, delivered, dead_lettered, lost, doubled),
        (3, 1, 3, 1, 1, 1, 0)
    );
    assert!(!account.verdict.holds(&Allowed::default()));
}

#[test]
fn an_unanswered_alert_may_be_delivered_and_need_not_be() {
    let delivered = account(&written(&[0, 1, 2, 3], &[]), &[card(20, &[0, 1, 2, 3], 4)]);
    let undelivered = account(&written(&[0, 1, 2], &[]), &[card(20, &[0, 1, 2], 3)]);
    for account in [delivered, undelivered] {
        assert!(account.verdict.holds(&Allowed::default()), "{account:?}");
    }
}

#[test]
fn an_alert_on_two_cards_is_doubled_also_where_it_is_only_counted() {
    let shown = account(&written(&[0, 1, 2], &[]), &[card(20, &[0, 1, 2], 3), card(30, &[1], 1)]);
    assert_eq!((shown.verdict.doubled, shown.verdict.lost), (1, 0));
    let counted = account(&written(&[0, 1, 2], &[]), &[card(20, &[], 3), card(30, &[], 2)]);
    assert_eq!((counted.verdict.doubled, counted.verdict.lost), (2, 0));
    assert!(!counted.verdict.holds(&Allowed { doubled: 1, ..Allowed::default() }));
    assert!(counted.verdict.holds(&Allowed { doubled: 2, ..Allowed::default() }));
}

#[test]
fn an_alert_that_is_written_down_as_delivered_and_on_no_card_is_lost() {
    assert_eq!(account(&written(&[0, 1, 2], &[]), &[card(20, &[0, 1], 2)]).verdict.lost, 1);
}

#[test]
fn a_shown_alert_took_until_its_first_card_and_a_counted_one_until_it_was_written_down() {
    let account =
        account(&written(&[0, 1, 2], &[]), &[card(20, &[0], 2), card(230, &[2], 1), card(240, &[2], 1)]);
    let ms: Vec<_> = account.card.iter().map(|timed| timed.ms.round()).collect();
    assert_eq!(ms, [20.0, 50.0, 30.0]);
    assert_eq!(account.last_delivered, Some(Duration::from_millis(230)));
    assert_eq!(account.delivered_after(Duration::from_millis(120)), Duration::from_millis(30));
    assert!((percentile_ms(&account.accept, 99) - 5.0).abs() < 1e-6);
}

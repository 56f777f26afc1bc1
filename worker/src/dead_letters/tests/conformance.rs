//! The promises themselves.

use std::time::Duration;

use jiff::Timestamp;
use shared::envelope::Source;
use shared::queue::{Headers, LetterId, Reason};

use super::stage::{HALF_PAST_TEN, Stage, line, refused, refused_again};
use crate::dead_letters::read::Order;
use crate::dead_letters::{Action, Content, Filter, ReplayOutcome, State};

const DAY: Duration = Duration::from_hours(24);

pub(super) async fn a_letter_comes_back_as_it_was_kept(stage: &Stage) {
    let card = r#"{"card":{"elements":[]}}"#;
    stage.keep(format!("{}\n{card}", line(1)), &refused(5)).await;
    stage.keep(&b"\xff\x00\xfe"[..], &Headers::default()).await;
    let all = stage.all().await;
    let letter = &all[0];
    assert_eq!(
        (letter.receiver.as_str(), letter.reason.as_str(), letter.code),
        ("ops", "refused", Some(19024))
    );
    assert_eq!((letter.message.as_str(), letter.attempts, letter.alerts), ("Key Words Not Found", 1, 1));
    assert_eq!(letter.first_failed_at, Timestamp::from_second(HALF_PAST_TEN).unwrap());
    assert_eq!(letter.last_failed_at, Timestamp::from_second(HALF_PAST_TEN + 5).unwrap());
    assert_eq!((letter.state.as_str(), letter.summary.as_str()), ("waiting", "Alert1"));
    assert_eq!(letter.envelope.unwrap().to_string(), "018d0d1e-3b7a-7c3e-9f00-000000000001");

    let contents = stage.letters.contents(&[all[0].id, all[1].id]).await.unwrap();
    let content = Content { body: line(1).into(), card: Some(card.into()) };
    assert_eq!(contents[0], (all[0].id, content));
    assert_eq!(contents[1], (all[1].id, Content { body: b"\xff\x00\xfe".to_vec(), card: None }));
    assert_eq!((all[1].envelope, all[1].source.as_deref(), all[1].alerts), (None, None, 0));

    assert_eq!(stage.letters.of_alert("f1").await.unwrap(), vec![letter.clone()]);
    assert_eq!(stage.letters.of_envelope(letter.envelope.unwrap()).await.unwrap(), vec![letter.clone()]);
    assert_eq!(stage.letters.of_alert("F1").await.unwrap(), [], "names differ by case");
    assert_eq!(stage.letters.waiting().await.unwrap(), 2);
}

pub(super) async fn a_redelivery_makes_no_second_letter(stage: &Stage) {
    for (body, headers) in
        [(line(1), refused(5)), ("garbage".to_owned(), refused(6)), (line(2), Headers::default())]
    {
        stage.keep(body.clone(), &headers).await;
        let before = stage.all().await;
        stage.keep(body, &headers).await;
        assert_eq!(stage.all().await, before);
    }
    // Many at once, among them one twice.
    let bodies: Vec<_> = (1..=50).chain([7]).map(line).collect();
    stage.keep(bodies.join("\n"), &refused(5)).await;
    assert_eq!(stage.all().await.len(), 52);
}

pub(super) async fn a_later_death_of_the_same_envelope_moves_its_letter_on(stage: &Stage) {
    stage.keep(line(1), &refused(5)).await;
    let mut later = refused(9);
    let failure = later.failure.as_mut().unwrap();
    (failure.reason, failure.code, failure.attempts) = (Reason::GaveUp, None, 12);
    stage.keep(line(1), &later).await;
    let letter = stage.the_only_one().await;
    assert_eq!((letter.reason.as_str(), letter.code, letter.attempts), ("gave_up", None, 12));
    stage.keep(line(1), &refused(5)).await;
    assert_eq!(stage.the_only_one().await, letter, "an earlier death changes nothing");
}

pub(super) async fn a_letter_that_dies_again_after_a_replay_is_the_same_letter(stage: &Stage) {
    stage.keep(line(1), &refused(5)).await;
    let id = stage.the_only_one().await.id;
    assert_eq!(stage.letters.begin_replay(&[id], 1).await.unwrap(), 1);
    let mut again = refused_again(60, id);
    // Meanwhile the routes have changed, and it is another receiver that refuses it.
    let failure = again.failure.as_mut().unwrap();
    (failure.receiver, failure.message) = ("dev".to_owned(), "no".to_owned());
    for _ in 0..2 {
        stage.keep(line(1), &again).await;
        let letter = stage.the_only_one().await;
        assert_eq!((letter.id, letter.state.as_str()), (id, "waiting"));
        assert_eq!((letter.receiver.as_str(), letter.message.as_str()), ("dev", "no"));
        assert_eq!(letter.outcome.as_deref(), Some("dead_again"));
    }
    // The pipeline's own word comes after the mover's, or before: it changes nothing.
    stage.letters.replayed(id, ReplayOutcome::DeadAgain).await;
    assert_eq!(stage.the_only_one().await.state, "waiting");
}

pub(super) async fn a_replay_of_a_letter_that_is_gone_is_a_new_letter(stage: &Stage) {
    stage.keep(line(1), &refused(1)).await;
    stage.keep(line(2), &refused_again(5, LetterId(77))).await;
    // A number of another database that happens to be another letter's here.
    stage.keep(line(3), &refused_again(5, LetterId(1))).await;
    let all = stage.all().await;
    let summaries: Vec<_> = all.iter().map(|letter| letter.summary.as_str()).collect();
    assert_eq!(summaries, ["Alert1", "Alert2", "Alert3"]);
    assert!(all.iter().all(|letter| letter.outcome.is_none()));
}

pub(super) async fn filters_narrow_what_is_meant(stage: &Stage) {
    stage.keep(line(1), &refused(0)).await;
    stage.keep(line(2), &refused(10)).await;
    stage.keep("garbage", &Headers::default()).await;
    let time = |second| Timestamp::from_second(HALF_PAST_TEN + second).ok();
    let labels = |matcher: &str| vec![matcher.parse().unwrap()];
    let all = Filter::default;
    for (filter, expected) in [
        (all(), 3),
        (Filter { receiver: Some("ops".to_owned()), ..all() }, 2),
        (Filter { receiver: Some("OPS".to_owned()), ..all() }, 0),
        (Filter { receiver: Some(String::new()), ..all() }, 1),
        (Filter { reason: Some(Reason::Undeliverable), ..all() }, 1),
        (Filter { source: Some(Source::Alertmanager), ..all() }, 2),
        (Filter { source: Some(Source::Grafana), ..all() }, 0),
        (Filter { since: time(10), reason: Some(Reason::Refused), ..all() }, 1),
        (Filter { until: time(10), reason: Some(Reason::Refused), ..all() }, 1),
        (Filter { labels: labels("severity=critical"), ..all() }, 2),
        (Filter { labels: labels("alertname=~Alert[23]"), ..all() }, 1),
        (Filter { states: vec![State::Replayed, State::Discarded], ..all() }, 0),
        (Filter { ids: vec![LetterId(1), LetterId(3), LetterId(9)], ..all() }, 2),
    ] {
        let found = stage.find(&filter).await;
        assert_eq!(found.len(), expected, "{filter}: {found:?}");
    }
}

pub(super) async fn a_receivers_letters_are_those_of_its_bots_too(stage: &Stage) {
    let names = ["ops", "ops/1", "ops/2", "ops2", "Ops/1", "op", "值班/1", "值班"];
    for (second, name) in (1..).zip(names) {
        let mut headers = refused(second);
        headers.failure.as_mut().unwrap().receiver = name.to_owned();
        stage.keep(line(usize::try_from(second).unwrap()), &headers).await;
    }
    for (name, expected) in [
        ("ops", &["ops", "ops/1", "ops/2"][..]),
        ("ops/1", &["ops/1"]),
        ("op", &["op"]),
        ("o_s", &[]),
        ("", &[]),
        ("值班", &["值班/1", "值班"]),
    ] {
        let meant = Filter { receiver: Some(name.to_owned()), ..Filter::default() };
        let found = stage.find(&meant).await;
        let found: Vec<_> = found.iter().map(|letter| letter.receiver.as_str()).collect();
        assert_eq!(found, expected, "{name:?}");
    }
    let meant = Filter { receiver: Some("ops".to_owned()), ..Filter::default() };
    let ids: Vec<_> = stage.find(&meant).await.iter().map(|letter| letter.id).collect();
    assert_eq!(stage.letters.begin_replay(&ids[..1], 1).await.unwrap(), 1);
    assert_eq!(stage.letters.discard(&ids[1..], 2).await.unwrap(), 2);
    let states: Vec<_> = stage.find(&meant).await.into_iter().map(|letter| letter.state).collect();
    assert_eq!(states, ["replaying", "discarded", "discarded"]);
}

pub(super) async fn pages_follow_one_another_without_gaps(stage: &Stage) {
    let lines: Vec<_> = (0..250).map(line).collect();
    stage.keep(lines.join("\n"), &refused(1)).await;
    let labels = vec!["severity=critical".parse().unwrap()];
    for filter in [Filter::default(), Filter { labels, ..Filter::default() }] {
        let oldest = stage.find(&filter).await;
        assert_eq!(oldest.len(), 250);
        assert!(oldest.is_sorted_by_key(|letter| letter.id));
        let newest = stage.letters.find(&filter, Order::NewestFirst, 130).await.unwrap();
        assert_eq!(newest, oldest.into_iter().rev().take(130).collect::<Vec<_>>());
    }
}

pub(super) async fn what_a_replay_came_to_is_written_once(stage: &Stage) {
    stage.keep(line(1), &refused(1)).await;
    let id = stage.the_only_one().await.id;
    stage.letters.replayed(id, ReplayOutcome::Told).await;
    assert_eq!(stage.the_only_one().await.state, "waiting", "nobody has replayed it");
    stage.letters.begin_replay(&[id], 5).await.unwrap();
    // Stuck, and sent once more.
    assert_eq!(stage.letters.begin_replay(&[id], 6).await.unwrap(), 1);
    stage.letters.replayed(id, ReplayOutcome::Told).await;
    stage.letters.replayed(id, ReplayOutcome::ToldSince).await;
    let letter = stage.the_only_one().await;
    assert_eq!((letter.state.as_str(), letter.outcome.as_deref()), ("replayed", Some("told")));
    assert_eq!(letter.changed_by, Some(6));
    assert_eq!(stage.letters.begin_replay(&[id], 7).await.unwrap(), 0, "it is settled");
}

pub(super) async fn what_is_discarded_stays_discarded(stage: &Stage) {
    stage.keep(line(1), &refused(1)).await;
    let id = stage.the_only_one().await.id;
    assert_eq!(stage.letters.discard(&[id], 3).await.unwrap(), 1);
    assert_eq!(stage.letters.discard(&[id], 4).await.unwrap(), 0);
    assert_eq!(stage.letters.begin_replay(&[id], 4).await.unwrap(), 0);
    stage.keep(line(1), &refused(1)).await;
    stage.keep(line(1), &refused_again(9, id)).await;
    let letter = stage.the_only_one().await;
    assert_eq!((letter.state.as_str(), letter.changed_by), ("discarded", Some(3)));
    assert_eq!(stage.letters.waiting().await.unwrap(), 0);
}

pub(super) async fn what_is_settled_is_forgotten_after_a_while_and_what_waits_is_not(stage: &Stage) {
    let lines: Vec<_> = (0..120).map(line).collect();
    stage.keep(lines.join("\n"), &refused(1)).await;
    let ids: Vec<_> = stage.all().await.iter().map(|letter| letter.id).collect();
    stage.letters.discard(&ids[1..], 1).await.unwrap();
    stage.pass(29 * DAY);
    assert_eq!(stage.letters.clean().await.unwrap(), 0);
    stage.pass(2 * DAY);
    assert_eq!(stage.letters.clean().await.unwrap(), 119);
    assert_eq!(stage.the_only_one().await.summary, "Alert0");
    assert_eq!(stage.letters.of_alert("f1").await.unwrap(), []);
    assert_eq!(stage.letters.of_alert("f0").await.unwrap().len(), 1);
}

pub(super) async fn the_audit_trail_says_who_did_what(stage: &Stage) {
    let filter =
        Filter { receiver: Some("ops".to_owned()), reason: Some(Reason::GaveUp), ..Filter::default() };
    let first = stage.letters.begin_action("ann@host", Action::Replay, &filter, 3).await.unwrap();
    stage.letters.end_action(first, 2).await.unwrap();
    let second =
        stage.letters.begin_action("bob@host", Action::Discard, &Filter::default(), 1).await.unwrap();
    let trail = stage.letters.audit(10).await.unwrap();
    let told: Vec<_> = trail
        .iter()
        .map(|entry| (entry.who.as_str(), entry.action.as_str(), entry.letters, entry.done))
        .collect();
    assert_eq!(told, [("bob@host", "discard", 1, None), ("ann@host", "replay", 3, Some(2))]);
    assert_eq!(trail[1].chosen, "--receiver \"ops\" --reason gave_up");
    assert_eq!(stage.letters.audit_of(&[second]).await.unwrap(), [trail[0].clone()]);
    assert_eq!(stage.letters.audit_of(&[]).await.unwrap(), []);
    stage.pass(366 * DAY);
    stage.letters.clean().await.unwrap();
    assert_eq!(stage.letters.audit(10).await.unwrap(), []);
}

//! The promises themselves.

use std::time::Duration;

use jiff::Timestamp;
use model::envelope::Source;
use prometheus::Registry;
use queue::{DeadLetterId, Headers, Reason};
use runtime::clock::Clock;

use crate::databases::Database;

use super::harness::{HALF_PAST_TEN, Harness, letters, line, refused, refused_again};
use worker::audit::{Audit, AuditFilter};
use worker::dead_letters::{
    DeadLetterContent, DeadLetterSearch, DeadLetterState, Filter, LETTER_BYTES_MAX, OperatorAction, Order,
    ReplayOutcome, StoredDeadLetter,
};
use worker::store::sql::{execute, rows};

const DAY: Duration = Duration::from_hours(24);

pub(super) async fn a_letter_comes_back_as_it_was_kept(harness: &Harness) {
    let card = r#"{"card":{"elements":[]}}"#;
    harness.keep(format!("{}\n{card}", line(1)), &refused(5)).await;
    harness.keep(&b"\xff\x00\xfe"[..], &Headers::default()).await;
    let all = harness.all().await;
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

    let contents = harness.letters.contents(&[all[0].id, all[1].id]).await.unwrap();
    let content = DeadLetterContent { body: line(1).into(), card: Some(card.into()) };
    assert_eq!(contents[0], (all[0].id, content));
    assert_eq!(contents[1], (all[1].id, DeadLetterContent { body: b"\xff\x00\xfe".to_vec(), card: None }));
    assert_eq!((all[1].envelope, all[1].source.as_deref(), all[1].alerts), (None, None, 0));

    assert_eq!(harness.letters.of_alert("f1").await.unwrap(), vec![letter.clone()]);
    assert_eq!(harness.letters.of_envelope(letter.envelope.unwrap()).await.unwrap(), vec![letter.clone()]);
    assert_eq!(harness.letters.of_alert("F1").await.unwrap(), [], "names differ by case");
    assert_eq!(harness.letters.waiting().await.unwrap(), 2);
}

pub(super) async fn a_letter_with_a_nul_in_its_texts_is_kept(harness: &Harness) {
    let mut headers = refused(5);
    let failure = headers.failure.as_mut().unwrap();
    (failure.receiver, failure.message) = ("o\0ps".to_owned(), "no\0 words".to_owned());
    let line = line(1).replace("\"f1\"", "\"f\\u00001\"");
    harness.keep(line.clone(), &headers).await;
    let letter = harness.the_only_one().await;
    let shown = [&letter.receiver, &letter.message].map(|text| text.replace('\0', "␀"));
    assert_eq!(shown, ["o␀ps", "no␀ words"]);
    assert_eq!(harness.letters.contents(&[letter.id]).await.unwrap()[0].1.body, line.into_bytes());
    assert_eq!(harness.letters.of_alert("f\u{0}1").await.unwrap(), [letter]);
}

pub(super) async fn a_letter_beyond_256_kib_is_whole_and_one_beyond_what_is_kept_is_not(harness: &Harness) {
    for bytes in [300 * 1024, LETTER_BYTES_MAX, LETTER_BYTES_MAX + 1] {
        harness.keep(vec![b'x'; bytes], &Headers::default()).await;
    }
    let all = harness.all().await;
    assert_eq!(all.iter().map(StoredDeadLetter::is_whole).collect::<Vec<_>>(), [true, true, false]);
    let ids: Vec<_> = all.iter().map(|letter| letter.id).collect();
    let contents = harness.letters.contents(&ids).await.unwrap();
    let lengths: Vec<_> = contents.iter().map(|(_, content)| content.body.len()).collect();
    assert_eq!(lengths, [300 * 1024, LETTER_BYTES_MAX, LETTER_BYTES_MAX]);
}

pub(super) async fn a_redelivery_makes_no_second_letter(harness: &Harness) {
    for (body, headers) in
        [(line(1), refused(5)), ("garbage".to_owned(), refused(6)), (line(2), Headers::default())]
    {
        harness.keep(body.clone(), &headers).await;
        let before = harness.all().await;
        harness.keep(body, &headers).await;
        assert_eq!(harness.all().await, before);
    }
    // Many at once, among them one twice.
    let bodies: Vec<_> = (1..=50).chain([7]).map(line).collect();
    harness.keep(bodies.join("\n"), &refused(5)).await;
    assert_eq!(harness.all().await.len(), 52);
}

pub(super) async fn a_later_death_of_the_same_envelope_moves_its_letter_on(harness: &Harness) {
    harness.keep(line(1), &refused(5)).await;
    let mut later = refused(9);
    let failure = later.failure.as_mut().unwrap();
    (failure.reason, failure.code, failure.attempts) = (Reason::GaveUp, None, 12);
    harness.keep(line(1), &later).await;
    let letter = harness.the_only_one().await;
    assert_eq!((letter.reason.as_str(), letter.code, letter.attempts), ("gave_up", None, 12));
    harness.keep(line(1), &refused(5)).await;
    assert_eq!(harness.the_only_one().await, letter, "an earlier death changes nothing");
}

pub(super) async fn a_letter_that_dies_again_after_a_replay_is_the_same_letter(harness: &Harness) {
    harness.keep(line(1), &refused(5)).await;
    let id = harness.the_only_one().await.id;
    assert_eq!(harness.letters.begin_replay(&[id], 1).await.unwrap(), 1);
    let mut again = refused_again(60, id);
    // Meanwhile the routes have changed, and it is another receiver that refuses it.
    let failure = again.failure.as_mut().unwrap();
    (failure.receiver, failure.message) = ("dev".to_owned(), "no".to_owned());
    for _ in 0..2 {
        harness.keep(line(1), &again).await;
        let letter = harness.the_only_one().await;
        assert_eq!((letter.id, letter.state.as_str()), (id, "waiting"));
        assert_eq!((letter.receiver.as_str(), letter.message.as_str()), ("dev", "no"));
        assert_eq!(letter.outcome.as_deref(), Some("dead_lettered_again"));
    }
    // The pipeline's own word comes after the mover's, or before: it changes nothing.
    harness.letters.replayed(id, ReplayOutcome::DeadLetteredAgain).await;
    assert_eq!(harness.the_only_one().await.state, "waiting");
}

pub(super) async fn a_replay_of_a_letter_that_is_gone_is_a_new_letter(harness: &Harness) {
    harness.keep(line(1), &refused(1)).await;
    harness.keep(line(2), &refused_again(5, DeadLetterId(77))).await;
    // A number of another database that happens to be another letter's here.
    harness.keep(line(3), &refused_again(5, DeadLetterId(1))).await;
    let all = harness.all().await;
    let summaries: Vec<_> = all.iter().map(|letter| letter.summary.as_str()).collect();
    assert_eq!(summaries, ["Alert1", "Alert2", "Alert3"]);
    assert!(all.iter().all(|letter| letter.outcome.is_none()));
}

pub(super) async fn filters_narrow_what_is_meant(harness: &Harness) {
    harness.keep(line(1), &refused(0)).await;
    harness.keep(line(2), &refused(10)).await;
    harness.keep("garbage", &Headers::default()).await;
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
        (Filter { states: vec![DeadLetterState::Replayed, DeadLetterState::Discarded], ..all() }, 0),
        (Filter { ids: vec![DeadLetterId(1), DeadLetterId(3), DeadLetterId(9)], ..all() }, 2),
    ] {
        let found = harness.find(&filter).await;
        assert_eq!(found.len(), expected, "{filter}: {found:?}");
    }
}

pub(super) async fn a_receivers_letters_are_those_of_its_bots_too(harness: &Harness) {
    let names = ["ops", "ops/1", "ops/2", "ops2", "Ops/1", "op", "值班/1", "值班"];
    for (second, name) in (1..).zip(names) {
        let mut headers = refused(second);
        headers.failure.as_mut().unwrap().receiver = name.into();
        harness.keep(line(usize::try_from(second).unwrap()), &headers).await;
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
        let found = harness.find(&meant).await;
        let found: Vec<_> = found.iter().map(|letter| letter.receiver.as_str()).collect();
        assert_eq!(found, expected, "{name:?}");
    }
    let meant = Filter { receiver: Some("ops".to_owned()), ..Filter::default() };
    let ids: Vec<_> = harness.find(&meant).await.iter().map(|letter| letter.id).collect();
    assert_eq!(harness.letters.begin_replay(&ids[..1], 1).await.unwrap(), 1);
    assert_eq!(harness.letters.discard(&ids[1..], 2).await.unwrap(), 2);
    let states: Vec<_> = harness.find(&meant).await.into_iter().map(|letter| letter.state).collect();
    assert_eq!(states, ["replaying", "discarded", "discarded"]);
}

pub(super) async fn pages_follow_one_another_without_gaps(harness: &Harness) {
    let lines: Vec<_> = (0..250).map(line).collect();
    harness.keep(lines.join("\n"), &refused(1)).await;
    let labels = vec!["severity=critical".parse().unwrap()];
    for filter in [Filter::default(), Filter { labels, ..Filter::default() }] {
        let oldest = harness.find(&filter).await;
        assert_eq!(oldest.len(), 250);
        assert!(oldest.is_sorted_by_key(|letter| letter.id));
        let newest = harness.letters.find(&filter, Order::NewestFirst, 130).await.unwrap();
        assert_eq!(newest, oldest.into_iter().rev().take(130).collect::<Vec<_>>());
    }
}

pub(super) async fn what_a_replay_came_to_is_written_once(harness: &Harness) {
    harness.keep(line(1), &refused(1)).await;
    let id = harness.the_only_one().await.id;
    harness.letters.replayed(id, ReplayOutcome::Delivered).await;
    assert_eq!(harness.the_only_one().await.state, "waiting", "nobody has replayed it");
    harness.letters.begin_replay(&[id], 5).await.unwrap();
    // Stuck, and sent once more.
    assert_eq!(harness.letters.begin_replay(&[id], 6).await.unwrap(), 1);
    harness.letters.replayed(id, ReplayOutcome::Delivered).await;
    harness.letters.replayed(id, ReplayOutcome::DeliveredSince).await;
    let letter = harness.the_only_one().await;
    assert_eq!((letter.state.as_str(), letter.outcome.as_deref()), ("replayed", Some("delivered")));
    assert_eq!(letter.changed_by, Some(6));
    assert_eq!(harness.letters.begin_replay(&[id], 7).await.unwrap(), 0, "it is settled");
}

/// `begin_replay`, and then what a worker of before version 0.1 wrote when the replay was settled: its very statement.
async fn settled_by_an_older_worker(
    harness: &Harness,
    letter: DeadLetterId,
    outcome: &str,
    now: DeadLetterState,
) {
    harness.letters.begin_replay(&[letter], 5).await.unwrap();
    let update =
        "UPDATE larkfire_dead_letters SET outcome = ?, state = ?, changed_ms = ? WHERE id = ? AND state = ?";
    let values = [outcome.into(), now.as_str().into(), 1.into(), letter.0.into(), "replaying".into()];
    let store = &harness.store;
    assert_eq!(store.within(|| execute(store.pool(), update, &values)).await.unwrap(), 1);
}

/// The words in the table, by the numbers of their letters, as whoever reads without translating sees them.
async fn stored_outcomes(harness: &Harness) -> Vec<String> {
    let select = "SELECT outcome FROM larkfire_dead_letters WHERE outcome IS NOT NULL ORDER BY id";
    let store = &harness.store;
    let found: Vec<(String,)> = store.within(|| rows(store.pool(), select, &[])).await.unwrap();
    found.into_iter().map(|(outcome,)| outcome).collect()
}

/// What an older worker wrote, before the migration or beside a newer one, is read, counted and replayed as what it is
/// called now.
pub(super) async fn outcomes_in_the_words_of_older_workers_are_understood(harness: &Harness) {
    use DeadLetterState::{Replayed, Waiting};
    const WRITTEN: [(&str, DeadLetterState); 4] =
        [("told", Replayed), ("told_since", Replayed), ("resolved_since", Replayed), ("dead_again", Waiting)];
    const READ: [&str; 4] = ["delivered", "delivered_since", "resolved_since", "dead_lettered_again"];
    let bodies: Vec<_> = (1..=4).map(line).collect();
    harness.keep(bodies.join("\n"), &refused(1)).await;
    let ids: Vec<_> = harness.all().await.iter().map(|letter| letter.id).collect();
    for (id, (outcome, state)) in ids.iter().zip(WRITTEN) {
        settled_by_an_older_worker(harness, *id, outcome, state).await;
    }
    let read = async || -> Vec<String> {
        harness.all().await.into_iter().filter_map(|letter| letter.outcome).collect()
    };
    assert_eq!(
        stored_outcomes(harness).await,
        WRITTEN.map(|(outcome, _)| outcome),
        "an older worker wrote them"
    );
    assert_eq!(read().await, READ);
    assert_eq!(harness.letters.waiting().await.unwrap(), 1);

    // A newer worker starts: the step is done. It is safe to do again.
    for _ in 0..2 {
        assert_eq!(harness.with_schema_of(13).await.waiting().await.unwrap(), 1);
        assert_eq!(stored_outcomes(harness).await, READ);
    }
    assert_eq!(read().await, READ);

    // The older worker still runs, and finds a letter that it wrote about in the words of the newer one.
    settled_by_an_older_worker(harness, ids[3], "dead_again", Waiting).await;
    assert_eq!(stored_outcomes(harness).await[3], "dead_again");
    assert_eq!(read().await, READ);
    assert_eq!(harness.letters.waiting().await.unwrap(), 1);
    // Here it is replayed as any other.
    assert_eq!(harness.letters.begin_replay(&ids, 6).await.unwrap(), 1, "the others are settled");
    harness.letters.replayed(ids[3], ReplayOutcome::Delivered).await;
    assert_eq!(stored_outcomes(harness).await[3], "delivered");
    assert_eq!(harness.letters.waiting().await.unwrap(), 0);
}

pub(super) async fn what_is_discarded_stays_discarded(harness: &Harness) {
    harness.keep(line(1), &refused(1)).await;
    let id = harness.the_only_one().await.id;
    assert_eq!(harness.letters.discard(&[id], 3).await.unwrap(), 1);
    assert_eq!(harness.letters.discard(&[id], 4).await.unwrap(), 0);
    assert_eq!(harness.letters.begin_replay(&[id], 4).await.unwrap(), 0);
    harness.keep(line(1), &refused(1)).await;
    harness.keep(line(1), &refused_again(9, id)).await;
    let letter = harness.the_only_one().await;
    assert_eq!((letter.state.as_str(), letter.changed_by), ("discarded", Some(3)));
    assert_eq!(harness.letters.waiting().await.unwrap(), 0);
}

pub(super) async fn what_is_settled_is_forgotten_after_a_while_and_what_waits_is_not(harness: &Harness) {
    let lines: Vec<_> = (0..120).map(line).collect();
    harness.keep(lines.join("\n"), &refused(1)).await;
    let ids: Vec<_> = harness.all().await.iter().map(|letter| letter.id).collect();
    harness.letters.discard(&ids[1..], 1).await.unwrap();
    harness.pass(29 * DAY);
    assert_eq!(harness.letters.clean().await.unwrap(), 0);
    harness.pass(2 * DAY);
    assert_eq!(harness.letters.clean().await.unwrap(), 119);
    assert_eq!(harness.the_only_one().await.summary, "Alert0");
    assert_eq!(harness.letters.of_alert("f1").await.unwrap(), []);
    assert_eq!(harness.letters.of_alert("f0").await.unwrap().len(), 1);
}

pub(super) async fn one_pass_forgets_all_that_is_due_however_much_it_is(harness: &Harness) {
    // More than three batches.
    let lines: Vec<_> = (0..170).map(line).collect();
    harness.keep(lines.join("\n"), &refused(1)).await;
    let ids: Vec<_> = harness.all().await.iter().map(|letter| letter.id).collect();
    harness.letters.discard(&ids, 1).await.unwrap();
    harness.pass(31 * DAY);
    assert_eq!(harness.letters.clean().await.unwrap(), 170);
    assert_eq!(harness.all().await, []);
}

pub(super) async fn a_page_is_a_walk_along_an_index_whatever_is_asked_for(harness: &Harness) {
    let lines: Vec<_> = (0..200).map(line).collect();
    harness.keep(lines.join("\n"), &refused(1)).await;
    harness.count_for_plans().await;
    let labels = vec!["severity=\"critical\"".parse().unwrap()];
    let states =
        [vec![], vec![DeadLetterState::Waiting], vec![DeadLetterState::Waiting, DeadLetterState::Replaying]];
    let by_indexes = harness.database.url_by_indexes();
    let (letters, _) = letters(by_indexes, Clock::system(), DAY, &Registry::new());
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for states in states.clone() {
            let has_states = !states.is_empty();
            let receiver = has_states.then(|| "dev".to_owned());
            let filter = Filter { states, receiver, labels: labels.clone(), ..Filter::default() };
            let plan = letters.plan(&filter, order).await.unwrap().join("\n");
            let sorts = ["filesort", "TEMP B-TREE", "->  Sort"].iter().any(|word| plan.contains(word));
            assert!(!sorts, "it sorts: {plan}");
            let by = match (has_states, &harness.database) {
                (true, _) => "by_receiver",
                (false, Database::Postgres(_)) => "larkfire_dead_letters_pkey",
                (false, _) => "PRIMARY",
            };
            assert!(plan.to_uppercase().contains(&by.to_uppercase()), "{filter:?}: {plan}");
        }
    }
}

/// Conditions that hardly a letter fulfils, each by itself, and the index that finds those few among many.
fn rare_filters() -> [(Filter, &'static str); 8] {
    let all = Filter::default;
    let time = |second: i64| Some(Timestamp::from_second(HALF_PAST_TEN + second).unwrap());
    let waiting = || vec![DeadLetterState::Waiting];
    [
        (Filter { receiver: Some("dev".to_owned()), ..all() }, "by_receiver"),
        (Filter { reason: Some(Reason::GaveUp), ..all() }, "by_reason"),
        (Filter { code: Some(11_248), ..all() }, "by_code"),
        (Filter { source: Some(Source::Grafana), ..all() }, "by_source"),
        (Filter { since: time(3_600), ..all() }, "by_time"),
        (Filter { until: time(-3_600), ..all() }, "by_time"),
        (Filter { states: waiting(), code: Some(11_248), ..all() }, "by_code"),
        (Filter { states: waiting(), since: time(3_600), ..all() }, "by_time"),
    ]
}

pub(super) async fn an_index_finds_the_few_that_a_filter_means(harness: &Harness) {
    let lines: Vec<_> = (0..200).map(line).collect();
    harness.keep(lines.join("\n"), &refused(1)).await;
    harness.count_for_plans().await;
    let by_indexes = harness.database.url_by_indexes();
    let (letters, _) = letters(by_indexes, Clock::system(), DAY, &Registry::new());
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for (filter, index) in rare_filters() {
            let plan = letters.plan(&filter, order).await.unwrap();
            let sorts = |step: &String| {
                ["filesort", "TEMP B-TREE", "->  Sort"].iter().any(|word| step.contains(word))
            };
            assert!(!plan.iter().any(sorts), "{filter:?} sorts: {plan:#?}");
            let states = match harness.database {
                // Where it knows of no letter in a state, one index is as good as another.
                Database::MariaDb(_) | Database::Sqlite(_) if filter.states.is_empty() => {
                    DeadLetterState::ALL.len()
                }
                Database::Postgres(_) | Database::MariaDb(_) | Database::Sqlite(_) => 1,
            };
            let by_it = plan.iter().filter(|step| step.contains(index)).count();
            assert!(by_it >= states, "{filter:?}, for each state: {plan:#?}");
        }
    }
}

pub(super) async fn an_index_finds_what_somebody_did(harness: &Harness) {
    for number in 0..200 {
        let who = format!("person {number}");
        harness.letters.begin_action(&who, OperatorAction::Replay, &Filter::default(), 1).await.unwrap();
    }
    let by_indexes = harness.database.url_by_indexes();
    let (_, store) = letters(by_indexes, Clock::system(), DAY, &Registry::new());
    let trail = Audit::new(store, Clock::system());
    for (who, action, index) in [(Some("ann"), None, "by_who"), (None, Some("discard"), "by_action")] {
        let wanted = AuditFilter::Chosen { since: None, who, action, before: None };
        let plan = trail.plan(wanted, 101).await.unwrap().join("\n");
        assert!(plan.contains(index) && !plan.contains("filesort"), "{wanted:?}: {plan}");
    }
}

pub(super) async fn letters_of_some_time_come_in_the_order_of_their_numbers(harness: &Harness) {
    // The later in the message, the earlier they failed.
    for index in 0..300 {
        let second = i64::try_from(300 - index).unwrap();
        harness.keep(line(index), &refused(second)).await;
    }
    let time = |second: i64| Some(Timestamp::from_second(HALF_PAST_TEN + second).unwrap());
    let filter = Filter { since: time(51), until: time(251), ..Filter::default() };
    let expected: Vec<i64> = (51..=250).collect();
    let found = harness.find(&filter).await;
    let numbers: Vec<i64> = found.iter().map(|letter| letter.id.0).collect();
    assert_eq!(numbers, expected);
    assert_eq!(harness.letters.count(&filter, 1_000).await.unwrap(), 200);
    assert_eq!(harness.letters.count(&filter, 150).await.unwrap(), 150);
    let search = DeadLetterSearch {
        order: Order::NewestFirst,
        after: Some(DeadLetterId(200)),
        most: 120,
        looked_into_max: usize::MAX,
    };
    let page = harness.letters.search(&filter, search).await.unwrap();
    let numbers: Vec<i64> = page.letters.iter().map(|letter| letter.id.0).collect();
    assert_eq!(numbers, (80..200).rev().collect::<Vec<_>>());
    assert_eq!(page.next, Some(DeadLetterId(80)));
}

pub(super) async fn the_audit_trail_says_who_did_what(harness: &Harness) {
    let filter =
        Filter { receiver: Some("ops".to_owned()), reason: Some(Reason::GaveUp), ..Filter::default() };
    let first = harness.letters.begin_action("ann@host", OperatorAction::Replay, &filter, 3).await.unwrap();
    harness.letters.end_action(first, 2).await.unwrap();
    let second = harness
        .letters
        .begin_action("bob@host", OperatorAction::Discard, &Filter::default(), 1)
        .await
        .unwrap();
    let trail = harness.letters.audit(10).await.unwrap();
    let delivered: Vec<_> = trail
        .iter()
        .map(|entry| (entry.who.as_str(), entry.action.as_str(), entry.letters, entry.done))
        .collect();
    assert_eq!(delivered, [("bob@host", "discard", 1, None), ("ann@host", "replay", 3, Some(2))]);
    assert_eq!(trail[1].chosen, "--receiver \"ops\" --reason gave_up");
    assert_eq!(harness.letters.audit_of(&[second]).await.unwrap(), [trail[0].clone()]);
    assert_eq!(harness.letters.audit_of(&[]).await.unwrap(), []);
    harness.pass(366 * DAY);
    harness.letters.clean().await.unwrap();
    assert_eq!(harness.letters.audit(10).await.unwrap(), []);
}

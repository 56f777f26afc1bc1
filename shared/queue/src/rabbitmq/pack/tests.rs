use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::Semaphore;

use super::*;

type Confirmations = Vec<oneshot::Receiver<Result<(), PublishError>>>;

fn part(route: Route, body: impl Into<Bytes>, confirmations: &mut Confirmations) -> Part {
    let (confirmed, confirmation) = oneshot::channel();
    confirmations.push(confirmation);
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a fresh semaphore");
    let caller =
        Caller { confirmed, write_by: Instant::now() + Duration::from_mins(1), _room: Arc::new(room) };
    Part { route, body: body.into(), headers: Headers::default(), alone: false, caller }
}

fn bodies(waiting: &mut VecDeque<Part>) -> Vec<(Route, String)> {
    std::iter::from_fn(|| next(waiting, Instant::now()))
        .map(|pack| (pack.route, String::from_utf8(pack.body.to_vec()).expect("text")))
        .collect()
}

#[test]
fn what_waits_for_one_shard_becomes_one_message() {
    let mut kept = Vec::new();
    let mut waiting: VecDeque<_> =
        ["a\n", "b\n", "c"].into_iter().map(|body| part(Route::Alerts(0), body, &mut kept)).collect();
    waiting.push_back(part(Route::Alerts(0), "d\n", &mut kept));
    let pack = next(&mut waiting, Instant::now()).expect("a pack");
    assert_eq!(pack.body, "a\nb\nc\nd\n");
    assert_eq!(pack.callers.len(), 4);
}

#[test]
fn shards_are_not_mixed_and_do_not_hold_up_one_another() {
    let mut kept = Vec::new();
    let order = [(0, "a\n"), (1, "b\n"), (0, "c\n"), (1, "d\n")];
    let mut waiting = order.into_iter().map(|(n, body)| part(Route::Alerts(n), body, &mut kept)).collect();
    let expected = [(Route::Alerts(0), "a\nc\n".to_owned()), (Route::Alerts(1), "b\nd\n".to_owned())];
    assert_eq!(bodies(&mut waiting), expected);
}

#[test]
fn other_headers_stand_apart_and_nobody_overtakes_them() {
    let mut kept = Vec::new();
    let mut waiting: VecDeque<_> =
        ["a\n", "b\n", "c\n"].into_iter().map(|body| part(Route::Alerts(0), body, &mut kept)).collect();
    waiting[1].headers.attempt = 1;
    let texts: Vec<_> = bodies(&mut waiting).into_iter().map(|(_, body)| body).collect();
    assert_eq!(texts, ["a\n", "b\n", "c\n"]);
}

#[test]
fn interactions_are_never_joined() {
    let mut kept = Vec::new();
    let mut waiting = ["{}", "{}"].into_iter().map(|b| part(Route::Interactions, b, &mut kept)).collect();
    assert_eq!(bodies(&mut waiting).len(), 2);
}

#[test]
fn a_message_is_full_when_nothing_more_can_join_it() {
    let full = |parts: &[(Route, usize)]| {
        let parts = parts.iter();
        let mut kept = Vec::new();
        is_full(&parts.map(|&(route, bytes)| part(route, "x".repeat(bytes), &mut kept)).collect())
    };
    let shard = Route::Alerts(0);
    let other = Route::Alerts(1);
    assert!(!full(&[]) && !full(&[(shard, 10), (shard, 10)]));
    assert!(full(&[(shard, 10), (other, 10)]) && full(&[(Route::Interactions, 10)]));
    assert!(full(&[(shard, PACK_BYTES_MAX)]) && full(&[(shard, 40_000), (shard, 40_000)]));
}

#[test]
fn what_nobody_waits_for_is_not_sent() {
    let mut kept = Vec::new();
    let mut waiting: VecDeque<_> =
        ["a\n", "b\n", "c\n"].into_iter().map(|body| part(Route::Alerts(0), body, &mut kept)).collect();
    kept.remove(1);
    kept.remove(0);
    assert_eq!(bodies(&mut waiting), [(Route::Alerts(0), "c\n".to_owned())]);
}

proptest! {
    #[test]
    fn every_line_goes_out_once_in_order_and_within_the_limit(
        lines in prop::collection::vec((0_u16..3, 1_usize..90_000), 0..40),
    ) {
        let mut kept = Vec::new();
        let mut waiting: VecDeque<_> = lines
            .iter()
            .enumerate()
            .map(|(index, &(shard, length))| {
                let line = format!("{index}:{}\n", "x".repeat(length));
                part(Route::Alerts(shard), line, &mut kept)
            })
            .collect();
        let mut sent: Vec<Vec<usize>> = vec![Vec::new(); 3];
        for (route, body) in bodies(&mut waiting) {
            prop_assert!(body.len() <= PACK_BYTES_MAX || body.lines().count() == 1);
            let Route::Alerts(shard) = route else { panic!("no other route was put in") };
            let indices = body.lines().map(|line| line.split(':').next().expect("an index").parse().expect("a number"));
            sent[usize::from(shard)].extend::<Vec<usize>>(indices.collect());
        }
        for (shard, indices) in sent.iter().enumerate() {
            let expected = lines.iter().enumerate().filter(|(_, (of, _))| usize::from(*of) == shard);
            prop_assert_eq!(indices, &expected.map(|(index, _)| index).collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_could_not_be_written_in_time_is_refused_and_never_written() {
    let mut confirmations = Confirmations::new();
    let mut waiting: VecDeque<_> =
        ["1", "2", "3"].map(|body| part(Route::Dead, body, &mut confirmations)).into();
    let in_time = Instant::now();
    waiting[0].caller.write_by = in_time;
    waiting[2].caller.write_by = in_time;
    let pack = next(&mut waiting, in_time + Duration::from_millis(1)).expect("a pack");
    assert_eq!(pack.body, "2");
    assert!(waiting.is_empty());
    let answers = confirmations.into_iter().map(|mut confirmation| confirmation.try_recv().ok());
    let busy: Vec<_> = answers.map(|answer| matches!(answer, Some(Err(PublishError::Busy)))).collect();
    assert_eq!(busy, [true, false, true]);
}

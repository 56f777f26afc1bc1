use proptest::prelude::*;

use super::*;

fn window(tags: impl IntoIterator<Item = u64>) -> AckWindow {
    let mut window = AckWindow::default();
    tags.into_iter().for_each(|tag| window.seen(tag));
    window
}

#[test]
fn a_run_from_the_start_is_one_acknowledgement() {
    let mut window = window(1..=5);
    for tag in [2, 1, 3] {
        assert!(window.settle(tag));
    }
    assert_eq!(window.flush(), Acks { up_to: Some(3), single: vec![] });
    assert_eq!(window.in_hand(), 2);
    assert_eq!(window.flush(), Acks::default());
}

#[test]
fn what_is_settled_beyond_one_in_hand_goes_singly() {
    let mut window = window(1..=4);
    for tag in [1, 3, 4] {
        window.settle(tag);
    }
    assert_eq!(window.flush(), Acks { up_to: Some(1), single: vec![3, 4] });
    window.settle(2);
    assert_eq!(window.flush(), Acks { up_to: Some(2), single: vec![] });
}

#[test]
fn a_tag_not_seen_yet_is_never_covered() {
    // 2 waits in the buffer of another queue's consumer.
    let mut window = window([1, 3]);
    window.settle(1);
    window.settle(3);
    assert_eq!(window.flush(), Acks { up_to: Some(1), single: vec![3] });
}

#[test]
fn settling_what_is_not_in_hand_changes_nothing() {
    let mut window = window([1]);
    assert!(window.give_back(1));
    assert!(!window.settle(1));
    assert!(!window.give_back(9));
    assert_eq!(window.flush(), Acks::default());
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Settle,
    GiveBack,
    Keep,
}

proptest! {
    /// Plays a broker: each tag is acknowledged at most once, exactly if it was settled.
    #[test]
    fn the_broker_forgets_what_was_settled_and_nothing_else(
        order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
        fates in prop::collection::vec(prop_oneof![Just(Fate::Settle), Just(Fate::GiveBack), Just(Fate::Keep)], 40),
        seen_first in 1..=40_usize,
        flush_every in 1..=7_usize,
    ) {
        let mut unacked: BTreeSet<u64> = (1..=40).collect();
        let mut window = AckWindow::default();
        let mut settled = BTreeSet::new();
        let fate_of = |tag: u64| fates[usize::try_from(tag).expect("a small tag") - 1];
        let forget = |window: &mut AckWindow, settled: &BTreeSet<u64>, unacked: &mut BTreeSet<u64>| {
            let acks = window.flush();
            if let Some(up_to) = acks.up_to {
                assert!(unacked.contains(&up_to), "the broker would close the channel");
                let kept = unacked.split_off(&(up_to + 1));
                assert!(unacked.iter().all(|tag| settled.contains(tag)), "{unacked:?} was not settled");
                *unacked = kept;
            }
            for tag in acks.single {
                assert!(settled.contains(&tag) && unacked.remove(&tag));
            }
        };
        for (step, &tag) in order.iter().enumerate() {
            window.seen(tag);
            if step + 1 < seen_first { continue }
            match fate_of(tag) {
                Fate::Settle => { window.settle(tag); settled.insert(tag); }
                Fate::GiveBack => { window.give_back(tag); unacked.remove(&tag); }
                Fate::Keep => {}
            }
            if step % flush_every == 0 { forget(&mut window, &settled, &mut unacked); }
        }
        forget(&mut window, &settled, &mut unacked);
        prop_assert!(settled.is_disjoint(&unacked));
        prop_assert_eq!(window.in_hand(), unacked.len());
    }
}

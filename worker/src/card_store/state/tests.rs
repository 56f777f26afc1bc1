use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn over(second: i64, index: u32) -> CardChange<'static> {
    CardChange::Resolved { at: at(second), by: EnvelopeId::new(at(1), [0; 10]).part(index) }
}

fn acknowledged(by: &str) -> Mark {
    Mark::Acknowledged(Acknowledged { by: by.to_owned(), at: at(7) })
}

#[test]
fn the_first_end_of_an_alert_counts_and_afterwards_nobody_can_take_it_on() {
    let mut states = States::default();
    assert!(states.apply("f1", over(5, 0)));
    assert!(!states.apply("f1", over(9, 1)));
    assert!(!states.apply("f1", CardChange::Marked(&acknowledged("Ann"))));
    let by = |index| EnvelopeId::new(at(1), [0; 10]).part(index);
    assert!(states.is_over_by("f1", by(0)));
    assert!(!states.is_over_by("f1", by(1)) && !states.is_over_by("f2", by(0)));
}

#[test]
fn a_mark_is_a_change_once_and_can_be_taken_back() {
    let mut states = States::default();
    let silenced = Mark::Silenced(Silenced { by: "Bob".to_owned(), until: at(9) });
    for (mark, is_change) in [
        (&acknowledged("Ann"), true),
        (&acknowledged("Ann"), false),
        (&acknowledged("Bob"), true),
        (&silenced, true),
        (&Mark::Unacknowledged, true),
        (&Mark::Unsilenced, true),
        (&Mark::Unsilenced, false),
    ] {
        assert_eq!(states.apply("f1", CardChange::Marked(mark)), is_change, "{mark:?}");
    }
}

#[test]
fn what_is_written_is_read_again_and_a_name_is_never_longer_than_it_may_be() {
    let mut states = States::default();
    states.apply("f1", CardChange::Marked(&acknowledged(&"名".repeat(1_000))));
    states.apply("f2", over(5, 0));
    let json = serde_json::to_string(&states).unwrap();
    assert!(json.len() < 400, "{json}");
    assert_eq!(serde_json::from_str::<States>(&json).unwrap(), states);
    assert_eq!(serde_json::from_str::<States>("{}").unwrap(), States::default());
}

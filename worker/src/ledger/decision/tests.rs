use jiff::Timestamp;
use shared::alert::Status;
use shared::config::DedupConfig;
use shared::envelope::EnvelopeId;

use super::*;
use crate::ledger::row::{Holder, State};

const BEGIN: i64 = 1_700_000_000;

/// A firing that began and was received at the beginning.
fn firing() -> Event<'static> {
    let begin = Timestamp::from_second(BEGIN).unwrap();
    Event {
        receiver: "ops",
        fingerprint: "a",
        status: Status::Firing,
        starts_at: Some(begin),
        received_at: begin,
        envelope: EnvelopeId::new(begin, [1; 10]),
        forced: false,
    }
}

fn state(status: Status, seen_s: i64) -> State {
    State { instance: BEGIN * 1_000, status, seen: (BEGIN + seen_s) * 1_000 }
}

/// Firing was claimed, and seen again later; in between somebody without the database has told the end of it.
#[test]
fn a_claim_that_stands_for_newer_events_is_told_whatever_was_told_before_those() {
    let (policy, now) = (Policy::new(&DedupConfig::default(), Holder(1)), (BEGIN + 400) * 1_000);
    let event = firing();
    let claim = policy.claim(state(Status::Firing, 300), &event, now);
    let other = EnvelopeId::new(event.received_at, [2; 10]);
    let told = Told { state: state(Status::Resolved, 160), at: now, envelope: other };
    let row = Row { told: Some(told), claim: Some(claim) };

    assert_eq!(proven(&row, &event, now, &policy), None, "the cache does not let it go");
    assert_eq!(confirm(Some(&row), &event, true, now, &policy).0, Decision::Tell(Occasion::Again));
    let after = tell(Some(&row), &event, now, &policy).unwrap();
    assert_eq!(after.told.map(|told| told.state), Some(state(Status::Firing, 300)));
    assert_eq!(after.claim, None);
}

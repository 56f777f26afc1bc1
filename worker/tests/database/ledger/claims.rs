//! Who may tell what is claimed.

use worker::ledger::Decision::{Deliver, Duplicate};
use worker::ledger::Occasion::{Again, New, Overtaking};
use worker::ledger::Standing;

use super::harness::{Harness, firing, resolved};

const MINUTE: i64 = 60;

pub(crate) async fn a_claim_ends_by_itself_unless_it_is_renewed(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let claims = [firing("renewed", 1, 1), firing("left", 1, 1)];
    assert_eq!(one.ledger.observe(&claims).await, [Deliver(New), Deliver(New)]);
    harness.set_clock(10 * MINUTE);
    one.ledger.renew(&claims[..1]).await;
    harness.set_clock(16 * MINUTE);
    let twins = [firing("renewed", 2, 2), firing("left", 2, 2)];
    assert_eq!(other.ledger.observe(&twins).await, [Duplicate, Deliver(New)]);
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Mine, Standing::Duplicate]);
}

pub(crate) async fn a_released_claim_is_taken_up_by_whoever_comes_next(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let claims = [firing("a", 1, 1), firing("b", 1, 1)];
    one.ledger.observe(&claims).await;
    one.ledger.release(&claims[..1]).await;
    let twins = [firing("a", 2, 2), firing("b", 2, 2)];
    assert_eq!(other.ledger.observe(&twins).await, [Deliver(New), Duplicate]);
    one.ledger.release(&claims[..1]).await;
    assert_eq!(one.ledger.observe(&[firing("a", 3, 3)]).await, [Duplicate], "what is not ours stays");
}

pub(crate) async fn an_envelope_delivered_again_gets_its_claims_back(harness: &Harness) {
    let claims = [firing("a", 1, 1)];
    assert_eq!(harness.worker().ledger.observe(&claims).await, [Deliver(New)]);
    let other = harness.worker();
    assert_eq!(other.ledger.observe(&claims).await, [Deliver(Overtaking)], "the first worker may be alive");
    assert_eq!(other.ledger.observe(&claims).await, [Deliver(Again)]);
    harness.set_clock(20 * MINUTE);
    assert_eq!(harness.worker().ledger.observe(&claims).await, [Deliver(Again)], "also after the lease");
}

pub(crate) async fn an_envelope_in_two_hands_is_delivered_from_the_later_one(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let claims = [firing("a", 1, 1)];
    one.ledger.observe(&claims).await;
    // The broker has lost the connection of the first worker, which has the envelope in hand all the same.
    assert_eq!(other.ledger.observe(&claims).await, [Deliver(Overtaking)]);
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Elsewhere], "the other copy may be dead");
    assert_eq!(other.ledger.confirm(&claims).await, [Standing::Mine]);
    other.ledger.delivered(&claims).await;
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Copy]);
}

pub(crate) async fn a_claim_that_was_overtaken_does_not_stand(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let claims = [firing("a", 1, 1)];
    let over = [resolved("a", 2, 2)];
    one.ledger.observe(&claims).await;
    assert_eq!(other.ledger.observe(&over).await, [Deliver(Overtaking)], "the first may be sending it");
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Superseded]);
    assert_eq!(other.ledger.confirm(&over).await, [Standing::Mine]);
    // It was on its way when it was overtaken: that changes nothing for the other one.
    one.ledger.delivered(&claims).await;
    assert_eq!(other.ledger.confirm(&over).await, [Standing::Mine]);
}

pub(crate) async fn what_was_delivered_by_another_worker_does_not_stand(harness: &Harness) {
    let one = harness.worker();
    let other = harness.worker();
    let claims = [firing("a", 1, 1)];
    let twins = [firing("a", 2, 2)];
    one.ledger.observe(&claims).await;
    harness.set_clock(16 * MINUTE);
    assert_eq!(other.ledger.observe(&twins).await, [Deliver(New)], "the claim has ended");
    one.ledger.delivered(&claims).await;
    assert_eq!(other.ledger.confirm(&twins).await, [Standing::Duplicate]);
}

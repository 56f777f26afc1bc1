//! Who may tell what is claimed.

use worker::ledger::Decision::{Known, Tell};
use worker::ledger::Occasion::{Again, New, Resolved};
use worker::ledger::Standing;

use crate::stage::{Stage, firing, resolved};

const MINUTE: i64 = 60;

pub(crate) async fn a_claim_ends_by_itself_unless_it_is_renewed(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let claims = [firing("renewed", 1, 1), firing("left", 1, 1)];
    assert_eq!(one.ledger.observe(&claims).await, [Tell(New), Tell(New)]);
    stage.set_clock(10 * MINUTE);
    one.ledger.renew(&claims[..1]).await;
    stage.set_clock(16 * MINUTE);
    let twins = [firing("renewed", 2, 2), firing("left", 2, 2)];
    assert_eq!(other.ledger.observe(&twins).await, [Known, Tell(New)]);
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Mine, Standing::Known]);
}

pub(crate) async fn a_released_claim_is_taken_up_by_whoever_comes_next(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let claims = [firing("a", 1, 1), firing("b", 1, 1)];
    one.ledger.observe(&claims).await;
    one.ledger.release(&claims[..1]).await;
    let twins = [firing("a", 2, 2), firing("b", 2, 2)];
    assert_eq!(other.ledger.observe(&twins).await, [Tell(New), Known]);
    one.ledger.release(&claims[..1]).await;
    assert_eq!(one.ledger.observe(&[firing("a", 3, 3)]).await, [Known], "what is not ours stays");
}

pub(crate) async fn an_envelope_delivered_again_gets_its_claims_back(stage: &Stage) {
    let claims = [firing("a", 1, 1)];
    assert_eq!(stage.worker().ledger.observe(&claims).await, [Tell(New)]);
    let other = stage.worker();
    assert_eq!(other.ledger.observe(&claims).await, [Tell(Again)], "the first worker has died");
    stage.set_clock(20 * MINUTE);
    assert_eq!(stage.worker().ledger.observe(&claims).await, [Tell(Again)], "also after the lease");
}

pub(crate) async fn an_envelope_in_two_hands_is_told_from_the_later_one(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let claims = [firing("a", 1, 1)];
    one.ledger.observe(&claims).await;
    // The broker has lost the connection of the first worker, which has the envelope in hand all the same.
    assert_eq!(other.ledger.observe(&claims).await, [Tell(Again)]);
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Known]);
    assert_eq!(other.ledger.confirm(&claims).await, [Standing::Mine]);
    other.ledger.told(&claims).await;
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Known]);
}

pub(crate) async fn a_claim_that_was_overtaken_does_not_stand(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let (claims, over) = ([firing("a", 1, 1)], [resolved("a", 2, 2)]);
    one.ledger.observe(&claims).await;
    assert_eq!(other.ledger.observe(&over).await, [Tell(Resolved)]);
    assert_eq!(one.ledger.confirm(&claims).await, [Standing::Stale]);
    assert_eq!(other.ledger.confirm(&over).await, [Standing::Mine]);
    // It was on its way when it was overtaken: that changes nothing for the other one.
    one.ledger.told(&claims).await;
    assert_eq!(other.ledger.confirm(&over).await, [Standing::Mine]);
}

pub(crate) async fn what_was_told_by_another_worker_does_not_stand(stage: &Stage) {
    let (one, other) = (stage.worker(), stage.worker());
    let (claims, twins) = ([firing("a", 1, 1)], [firing("a", 2, 2)]);
    one.ledger.observe(&claims).await;
    stage.set_clock(16 * MINUTE);
    assert_eq!(other.ledger.observe(&twins).await, [Tell(New)], "the claim has ended");
    one.ledger.told(&claims).await;
    assert_eq!(other.ledger.confirm(&twins).await, [Standing::Known]);
}

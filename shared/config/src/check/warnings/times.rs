//! Times that make sense in one order only. Pure.

use crate::Config;

pub(super) fn warnings(config: &Config, warnings: &mut Vec<String>) {
    let dedup = &config.dedup;
    if dedup.repeat_after > dedup.remember {
        warnings.push(format!(
            "dedup.repeat_after ({:?}) is longer than dedup.remember ({:?}): an alert is forgotten before its reminder is \
             due, and its next repeat is told as a new one",
            dedup.repeat_after, dedup.remember
        ));
    }
    let delivery = &config.delivery;
    if delivery.give_up_after < delivery.hold {
        warnings.push(format!(
            "delivery.give_up_after ({:?}) is shorter than delivery.hold ({:?}): what waits in hand is over its time \
             already when it is put aside, and becomes a dead letter without another attempt",
            delivery.give_up_after, delivery.hold
        ));
    }
}

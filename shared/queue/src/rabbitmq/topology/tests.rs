use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[test]
fn the_queues_are_those_of_the_design() {
    let topology = Names::new("larkfire", 2).topology();
    let names: Vec<_> = topology.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "larkfire.dead",
            "larkfire.interactions",
            "larkfire.alerts.0",
            "larkfire.alerts.1",
            "larkfire.retry.5s",
            "larkfire.retry.30s",
            "larkfire.retry.2m",
            "larkfire.retry.10m"
        ]
    );
}

#[test]
fn nothing_published_to_an_exchange_but_that_of_the_dead_is_unroutable() {
    let topology = Names::new("p", 1).topology();
    for exchange in topology.exchanges.iter().filter(|exchange| exchange.name != "p.dead") {
        assert_eq!(exchange.alternate.as_deref(), Some("p.dead"), "{}", exchange.name);
    }
    assert!(topology.bindings.iter().any(|b| b.exchange == "p.dead" && b.queue == "p.dead"));
}

#[test]
fn an_alternate_is_declared_before_the_exchange_that_names_it() {
    let topology = Names::new("p", 1).topology();
    let mut declared = HashSet::new();
    for exchange in &topology.exchanges {
        assert!(exchange.alternate.iter().all(|alternate| declared.contains(alternate)));
        declared.insert(exchange.name.clone());
    }
}

#[test]
fn a_parked_message_returns_to_the_shard_it_came_from() {
    let names = Names::new("p", 3);
    let (_, direct) = names.address(names.route(MessageDestination::Alerts { shard_key: 7 }));
    for step in DeferStep::ALL {
        let parked = names.route(MessageDestination::Deferred { shard_key: 7, step });
        let (exchange, key) = names.address(parked);
        assert_eq!(key, direct);
        let topology = names.topology();
        let bound = topology.bindings.iter().find(|binding| binding.exchange == exchange).expect("a binding");
        let queue =
            topology.queues.iter().find(|queue| queue.name == bound.queue).expect("a queue of the step");
        assert_eq!(queue.ttl, Some(step.pause()));
        assert_eq!(queue.dead_letters_to.as_deref(), Some("p"));
    }
}

proptest! {
    #[test]
    fn every_shard_key_has_a_queue_that_is_bound_and_consumed(key: u64, shards in 0_u16..64) {
        let names = Names::new("p", shards);
        let (exchange, routing_key) = names.address(names.route(MessageDestination::Alerts { shard_key: key }));
        let topology = names.topology();
        let binding = topology.bindings.iter().find(|b| b.exchange == exchange && b.routing_key == routing_key);
        let queue = &binding.expect("a binding").queue;
        prop_assert!(names.queues(Subscription::Alerts).contains(queue));
    }
}

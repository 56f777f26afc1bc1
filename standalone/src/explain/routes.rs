//! Where alerts would go, and which routes said so.

use std::fmt::Write;

use super::rows::Rows;
use config::{Config, ReceiverConfig};
use model::alert::Alert;
use model::envelope::Envelope;
use worker::escalation::plan::{EscalationPlans, described};
use worker::render::Item;
use worker::routing::{Parting, Router, UnknownReceiver};

/// What routes said about one alert, in lines.
const STEPS_LISTED_MAX: usize = 40;

/// The routes of the configuration.
pub(super) fn router(config: &Config) -> Result<Router, UnknownReceiver> {
    Router::new(&config.routes, config.receivers.iter().flat_map(ReceiverConfig::addresses).collect())
}

/// Who is told of an envelope, as far as that can be said of all of it.
pub(super) fn receiver(config: &Config, router: &Router, envelope: &Envelope<'_>) -> String {
    let asked = match &*envelope.receiver {
        "" => "none is named".to_owned(),
        name => format!("the sender names {name}"),
    };
    let names = router.names();
    if names.is_empty() {
        return format!("{asked}; no webhook is configured, so cards are previewed");
    }
    if is_routed(router, envelope) {
        return format!("{asked}; each alert goes by the routes");
    }
    let unasked = if router.has_routes() { ", and no route is asked" } else { "" };
    match router.part(envelope) {
        Parting::Whole(Some(chosen)) => {
            let turns = turns(config, &names[chosen]);
            format!("{asked}; it goes to {}{turns}{unasked}", names[chosen])
        }
        Parting::Parts(parts) => {
            let chosen = parts.iter().filter_map(|part| Some(names.get(part.receiver?)?.as_str()));
            format!("{asked}; it goes to {}{unasked}", chosen.collect::<Vec<_>>().join(", "))
        }
        Parting::Whole(None) => {
            format!("{asked}; none of {} is meant: dead letter", names.join(", "))
        }
    }
}

/// Which bots it goes by, if several share what this one is sent.
fn turns(config: &Config, name: &str) -> String {
    let bots =
        config.receivers.iter().find(|receiver| receiver.name == name).map(ReceiverConfig::bot_addresses);
    match bots.unwrap_or_default().as_slice() {
        [] => String::new(),
        bots => format!(" by one of {}", bots.join(", ")),
    }
}

/// What the routes say about one alert, below it.
pub(super) fn list(told: &mut Rows, router: &Router, envelope: &Envelope<'_>, alert: &Alert<'_>) {
    if !is_routed(router, envelope) {
        return;
    }
    let steps = router.story(&alert.labels);
    for step in steps.iter().take(STEPS_LISTED_MAX) {
        // Writing to a string cannot fail.
        let _written = writeln!(told, "           {step}");
    }
    let more = steps.len().saturating_sub(STEPS_LISTED_MAX);
    if more > 0 {
        let _written = writeln!(told, "           and {more} routes more");
    }
}

/// Who would be called about one alert, as long as nobody takes it on.
pub(super) fn list_escalations(
    told: &mut Rows,
    config: &Config,
    router: &Router,
    envelope: &Envelope<'_>,
    alert: &Alert<'_>,
) {
    let plans = EscalationPlans::new(&config.escalations, &config.receivers, &config.severities);
    let item = Item::of(envelope, alert);
    let names = router.names();
    let receivers: Vec<&str> = if is_routed(router, envelope) {
        router.receivers_of(&alert.labels)
    } else {
        let places = match router.part(envelope) {
            Parting::Whole(chosen) => chosen.into_iter().collect(),
            Parting::Parts(parts) => parts.into_iter().filter_map(|part| part.receiver).collect::<Vec<_>>(),
        };
        places.into_iter().filter_map(|place| names.get(place)).map(String::as_str).collect()
    };
    for receiver in receivers {
        let by_route = router.escalation_of(&alert.labels, receiver);
        if let Some(escalation) = plans.of(receiver, &item, by_route) {
            // Writing to a string cannot fail.
            let _written = writeln!(told, "           {}", described(receiver, escalation));
        }
    }
}

fn is_routed(router: &Router, envelope: &Envelope<'_>) -> bool {
    router.has_routes() && router.named(&envelope.receiver).is_empty()
}

#[cfg(test)]
mod tests {
    use crate::explain::tests::{ALERT, explained, explained_for};

    const ROUTES: &str = "{ receivers: { default: { webhook_url: https://h/x }, dba: { webhook_url: https://h/y } }, \
        routes: [{ match: severity=critical, receiver: default }, { match: alertname=Down, receivers: [dba, default] }, \
        { receiver: default }] }";

    #[test]
    fn each_route_says_whether_it_took_an_alert_and_why_not() {
        let told = explained(ALERT, ROUTES).unwrap();
        for part in [
            "receiver   the sender names ops; each alert goes by the routes\n",
            "           route 1 did not: severity=\"critical\", and there is no label severity\n",
            "           route 2 took it (alertname=\"Down\"): it goes to dba, default\n",
            "           route 3 was not asked: 2 does not say `continue`\n",
        ] {
            assert!(told.contains(part), "{part:?} is missing in:\n{told}");
        }
    }

    #[test]
    fn who_would_be_called_is_said_with_the_escalation_that_a_route_or_a_receiver_names() {
        let escalations = "escalations: { night: { severities: [critical], steps: [{ after: 5m, who: owners }] }, \
            day: { steps: [{ after: 1m, who: ann }, { after: 2m, receiver: default }] } }";
        let of_receiver = "{ receivers: { default: { webhook_url: https://h/x, escalation: night } }, ";
        let told = explained(ALERT, &format!("{of_receiver}{escalations} }}")).unwrap();
        // Nobody said how bad it is.
        assert!(told.contains("escalation night: 300s mention (owners)\n"), "{told}");
        let routes = "routes: [{ match: alertname=Down, escalation: day }], ";
        let told = explained(ALERT, &format!("{of_receiver}{routes}{escalations} }}")).unwrap();
        assert!(told.contains("escalation day: 60s mention (ann); 120s receiver default\n"), "{told}");
    }

    #[test]
    fn bots_that_share_a_receivers_cards_are_named_and_those_that_copy_are_each_told() {
        let bots = "bots: [{ webhook_url: https://h/x }, { webhook_url: https://h/y }]";
        let told = explained(ALERT, &format!("receivers: {{ ops: {{ {bots}, mode: spread }} }}")).unwrap();
        assert!(told.contains("it goes to ops by one of ops/1, ops/2\n"), "{told}");
        let told = explained(ALERT, &format!("receivers: {{ ops: {{ {bots} }} }}")).unwrap();
        assert!(told.contains("it goes to ops/1, ops/2\n"), "{told}");
    }

    #[test]
    fn a_receiver_asked_for_is_taken_and_no_route_is_asked() {
        let told = explained_for(Some("dba"), ALERT, ROUTES).unwrap();
        assert!(told.contains("the sender names dba; it goes to dba, and no route is asked\n"), "{told}");
        assert!(!told.contains("route 1"), "{told}");
    }

    #[test]
    fn a_senders_receiver_called_default_leaves_it_to_the_routes_and_a_path_of_that_name_does_not() {
        let body = ALERT.replace("\"ops\"", "\"default\"");
        let told = explained(&body, ROUTES).unwrap();
        assert!(told.contains("receiver   none is named; each alert goes by the routes\n"), "{told}");
        assert!(told.contains("route 2 took it (alertname=\"Down\"): it goes to dba, default\n"), "{told}");
        let told = explained_for(Some("default"), &body, ROUTES).unwrap();
        assert!(
            told.contains("the sender names default; it goes to default, and no route is asked\n"),
            "{told}"
        );
    }
}

//! Escalations that call nobody, or cost more than they need to. Pure.

use crate::{
    Config, EscalationConfig, ReceiverConfig, ReceiverDestination, RouteConfig, StepMethod, Urgency,
};

/// A receiver that has an escalation.
struct Use<'c> {
    escalation: &'c str,
    receiver: &'c ReceiverConfig,
}

pub(super) fn warnings(config: &Config, warnings: &mut Vec<String>) {
    let of_receivers = config.receivers.iter();
    let mut used: Vec<Use<'_>> = of_receivers
        .filter_map(|receiver| Some(Use { escalation: receiver.escalation.as_ref()?, receiver }))
        .collect();
    of_routes(config, &config.routes, &mut used);
    for escalation in &config.escalations {
        let name = &escalation.name;
        let users: Vec<_> = used.iter().filter(|used| used.escalation == name).collect();
        if users.is_empty() {
            warnings.push(format!(
                "nothing names escalation {name}: set it as escalation of a receiver or of a route"
            ));
        }
        let by_bot = users.iter().find(|used| !is_chat(used.receiver)).filter(|_| urges(escalation));
        if let Some(Use { receiver, .. }) = by_bot {
            let receiver = &receiver.name;
            warnings.push(format!(
                "escalation {name} makes urgent pushes, and receiver {receiver} is a custom bot, which cannot: there these \
                 steps fall through"
            ));
        }
        costs(config, escalation, warnings);
    }
}

fn of_routes<'c>(config: &'c Config, routes: &'c [RouteConfig], used: &mut Vec<Use<'c>>) {
    for route in routes {
        let named = |receiver: &&ReceiverConfig| {
            route.receivers.is_empty() || route.receivers.contains(&receiver.name)
        };
        if let Some(escalation) = &route.escalation {
            used.extend(config.receivers.iter().filter(named).map(|receiver| Use { escalation, receiver }));
        }
        of_routes(config, &route.routes, used);
    }
}

const fn is_chat(receiver: &ReceiverConfig) -> bool {
    matches!(receiver.destination, ReceiverDestination::AppChat { .. })
}

fn urges(escalation: &EscalationConfig) -> bool {
    escalation.steps.iter().any(|step| matches!(step.method, StepMethod::Urgent(_)))
}

/// Text messages and calls come out of a quota that is paid for.
fn costs(config: &Config, escalation: &EscalationConfig, warnings: &mut Vec<String>) {
    let limits = config.app.as_ref().map(|app| app.urgent).unwrap_or_default();
    for (urgency, key, limit) in [
        (Urgency::Sms, "sms_per_month", limits.sms_per_month),
        (Urgency::Phone, "phone_per_month", limits.phone_per_month),
    ] {
        let is_it = |method: &StepMethod| matches!(method, StepMethod::Urgent(used) if *used == urgency);
        if limit.is_none() && escalation.steps.iter().any(|step| is_it(&step.method)) {
            warnings.push(format!(
                "escalation {} has a step {}, and app.urgent.{key} is not set: a storm may use up what the tenant has paid \
                 for",
                escalation.name,
                urgency.as_str()
            ));
        }
    }
}

//! `routes test`: where an alert would go.

use std::process::ExitCode;

use config::{Config, EscalationConfig, ReceiverConfig};
use model::alert::Labels;
use serde_json::json;

use super::arguments::TestRoutesArguments;
use super::list::print_json;
use super::terminal::plain;
use super::{CommandError, Terminal};
use crate::escalation::plan::{EscalationPlans, described};
use crate::routing::Router;

/// Asks the routes of the configuration, as a worker does for an alert whose sender names no receiver.
pub(super) fn test(
    config: &Config,
    asked: &TestRoutesArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let names = config.receivers.iter().flat_map(ReceiverConfig::addresses).collect();
    let router =
        Router::new(&config.routes, names).map_err(|error| CommandError::Usage(error.to_string()))?;
    let labels: Labels<'_> =
        asked.labels.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
    let receivers = router.receivers_of(&labels);
    let steps: Vec<String> = router.story(&labels).iter().map(|step| plain(&step.to_string())).collect();
    let plans = EscalationPlans::new(&config.escalations, &config.receivers, &config.severities);
    let escalations = escalations_of(&router, &plans, &receivers, &labels);
    if asked.json {
        let shown: Vec<_> = escalations
            .iter()
            .map(|(receiver, escalation)| json!({ "receiver": receiver, "escalation": escalation.name }))
            .collect();
        let all = json!({ "receivers": receivers, "steps": steps, "escalations": shown });
        print_json(terminal.out, &all)?;
    } else {
        for step in &steps {
            writeln!(terminal.out, "{step}")?;
        }
        let told = match receivers.as_slice() {
            [] if config.receivers.is_empty() => "the preview: no receiver is configured".to_owned(),
            [] => "nobody: dead letter".to_owned(),
            names => names.join(", "),
        };
        writeln!(terminal.out, "goes to {told}")?;
        for (receiver, escalation) in &escalations {
            writeln!(terminal.out, "{}", plain(&described(receiver, escalation)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Which escalation an alert with these labels has at each of these receivers.
fn escalations_of<'c>(
    router: &Router,
    plans: &'c EscalationPlans,
    receivers: &[&'c str],
    labels: &Labels<'_>,
) -> Vec<(&'c str, &'c EscalationConfig)> {
    let of = |receiver: &&'c str| {
        let by_route = router.escalation_of(labels, receiver);
        Some((*receiver, plans.of_labels(receiver, labels, by_route)?))
    };
    receivers.iter().filter_map(of).collect()
}

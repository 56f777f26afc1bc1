//! `routes test`: where an alert would go.

use std::process::ExitCode;

use config::{Config, ReceiverConfig};
use model::alert::Labels;
use serde_json::json;

use super::arguments::TestRoutesArguments;
use super::list::print_json;
use super::terminal::plain;
use super::{CommandError, Terminal};
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
    if asked.json {
        print_json(terminal.out, &json!({ "receivers": receivers, "steps": steps }))?;
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
    }
    Ok(ExitCode::SUCCESS)
}

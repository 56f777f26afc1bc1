//! `adopt-database`: the database is this installation's from now on.

use std::process::ExitCode;

use config::Config;
use serde_json::json;

use super::arguments::AdoptArguments;
use super::context::CommandContext;
use super::terminal::plain;
use super::{CommandError, Terminal, context, list};
use crate::audit::AuditedAction;
use crate::installation::{self, InstallationOrigin, recorded};
use crate::store::StoreError;

pub(super) async fn adopt(
    config: &Config,
    asked: AdoptArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let Some(origin) = InstallationOrigin::of(config) else {
        let needed =
            "a database in data_dir is nobody else's: this is for one that database.url (DATABASE_URL) names";
        return Err(CommandError::Usage(needed.to_owned()));
    };
    let ours = origin.installation().await.map_err(|error| CommandError::Failed(error.to_string()))?;
    let Some(ours) = ours else {
        let unnamed =
            "the broker does not name its cluster, so nothing is compared and nothing need be adopted";
        return Err(CommandError::Failed(unnamed.to_owned()));
    };
    let context = CommandContext::open(config).await?;
    let before = recorded(context.store.pool()).await.map_err(StoreError::from)?;
    if before.as_ref().is_some_and(|before| before.id == ours.id) {
        if asked.json {
            list::print_json(terminal.out, &json!({ "installation": ours.label, "adopted": false }))?;
        } else {
            writeln!(terminal.out, "the database is this installation's already: {}", plain(&ours.label))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let who = asked.name.unwrap_or_else(context::who);
    let before = before.map(|before| before.label);
    let outcome =
        before.as_ref().map_or_else(|| "nobody's before".to_owned(), |before| format!("before: {before}"));
    installation::adopt(&context.store, &ours).await?;
    let action = AuditedAction { who: &who, action: "adopt-database", chosen: &ours.label, meant: 1 };
    context.trail.note(action, 1, &outcome).await?;
    if asked.json {
        let adopted = json!({ "installation": ours.label, "adopted": true, "before": before });
        list::print_json(terminal.out, &adopted)?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        terminal.out,
        "the database is this installation's now: {} ({})",
        plain(&ours.label),
        plain(&outcome)
    )?;
    Ok(ExitCode::SUCCESS)
}

//! Where the logs of an alert would be looked for.

use std::fmt::Write;

use super::rows::Rows;
use config::Config;
use model::alert::Alert;
use worker::link::{self, LinkContext, LinkKind, NoLogs};

/// What Loki would be asked about an alert; the links on the card hide it.
pub(super) fn list(told: &mut Rows, alert: &Alert<'_>, arrival: LinkContext<'_>, config: &Config) {
    let queries = match link::logs(alert, arrival, &config.links) {
        Ok(queries) => queries,
        // Nobody who has no Grafana wants to read of it with every alert.
        Err(NoLogs::NoGrafana) => return,
        Err(why) => {
            let _written = writeln!(told, "           no links to logs: {why}");
            return;
        }
    };
    for query in queries {
        let name = if query.kind == LinkKind::Errors { "errors" } else { "logs" };
        let missing = if query.link.is_some() { "" } else { " (too long for a link)" };
        let _written = writeln!(told, "           {name:6} {}{missing}", query.logql);
    }
}

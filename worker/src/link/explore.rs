//! Addresses of Grafana's Explore with a query in it, in both forms (reference: Grafana's `migrators/v0.ts`, `v1.ts`).
//! Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use config::{Explore, LinksConfig};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::window::TimeWindow;

/// The only pane; three letters, as Grafana asks for.
const PANE: &str = "log";
/// Everything that has a meaning in a query, in markdown or to whatever looks for addresses in a text. The rest stays
/// as it is: a card has room for few bytes.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':').remove(b',').remove(b'/');

#[derive(Serialize)]
struct Pane<'a> {
    datasource: &'a str,
    queries: [Query<'a>; 1],
    range: Range,
}

#[derive(Serialize)]
struct Query<'a> {
    #[serde(rename = "refId")]
    ref_id: &'static str,
    expr: &'a str,
    /// Says it once more: not every version takes it from the pane.
    datasource: Datasource<'a>,
}

#[derive(Serialize)]
struct Datasource<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    uid: &'a str,
}

/// Milliseconds, as texts: numbers are ignored.
#[derive(Serialize)]
struct Range {
    from: String,
    to: String,
}

/// The address that opens Explore with this query. `None` without a Grafana.
pub(super) fn url(config: &LinksConfig, uid: &str, logql: &str, window: TimeWindow) -> Option<String> {
    let mut url = config.grafana_url.as_ref()?.as_str().trim_end_matches('/').to_owned();
    url.push_str("/explore?");
    if let Some(org_id) = config.org_id {
        // Writing to a string cannot fail.
        let _written = write!(url, "orgId={org_id}&");
    }
    let pane = Pane {
        datasource: uid,
        queries: [Query { ref_id: "A", expr: logql, datasource: Datasource { kind: "loki", uid } }],
        range: Range { from: window.from.to_string(), to: window.to.to_string() },
    };
    let (name, state) = match config.explore {
        Explore::Left => ("left=", serde_json::to_string(&pane)),
        Explore::Panes => ("schemaVersion=1&panes=", serde_json::to_string(&BTreeMap::from([(PANE, pane)]))),
    };
    url.push_str(name);
    url.extend(utf8_percent_encode(&state.ok()?, ENCODED));
    Some(url)
}

//! The page at `/`: the messages of all groups, newest first, each as it looks now.

use std::collections::BTreeMap;

use hyper::StatusCode;

use crate::card_view::{self, SCRIPT, STYLE, escaped};
use crate::record::{Record, Verdict};
use crate::response::{Answer, typed};
use crate::state::Shared;

/// Messages shown; older ones are in `/_sim/records`.
const SHOWN_MAX: usize = 50;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"5\"><title>Feishu simulator</title><style>\
body{font:15px sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}section{margin:1.5rem 0}\
pre{overflow-x:auto}small{color:#666}</style>";

/// Updates by the message they belong to, oldest first.
type Updates<'r> = BTreeMap<&'r str, Vec<&'r Record>>;

pub(crate) fn answer(shared: &Shared) -> Answer {
    let body = shared.journal(|journal| {
        let totals = journal.totals();
        let newest =
            journal.records().rev().filter(|record| record.verdict == Verdict::Accepted).take(SHOWN_MAX);
        let mut updates = Updates::new();
        for update in journal.records().filter(|record| record.verdict == Verdict::Updated) {
            updates.entry(update.message_id.as_deref().unwrap_or_default()).or_default().push(update);
        }
        format!(
            "{HEAD}<style>{STYLE}</style><h1>Feishu simulator</h1><p>{} accepted, {} updated, {} refused ({} for their rate), {} met a fault.</p>{}<script>{SCRIPT}</script>",
            totals.accepted,
            totals.updated,
            totals.refused.values().sum::<u64>(),
            totals.throttled,
            totals.faulted,
            newest.map(|record| article(record, &updates)).collect::<String>()
        )
    });
    typed(StatusCode::OK, "text/html; charset=utf-8", body)
}

fn article(record: &Record, updates: &Updates<'_>) -> String {
    let number = record.number;
    let at = record.at;
    let token = escaped(&record.token);
    let later = record.message_id.as_deref().and_then(|id| updates.get(id)).map_or(&[][..], Vec::as_slice);
    let (shown, since) = match later.last() {
        Some(update) => (*update, format!(" · update {} at {}", later.len(), update.at)),
        None => (record, String::new()),
    };
    let card = card_view::html(shown);
    format!("<section><p><small>#{number} · {at} · {token}{since}</small></p>{card}</section>")
}

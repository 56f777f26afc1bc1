//! The page at `/`: the messages of all groups, newest first.

use hyper::StatusCode;

use crate::card_view::{self, SCRIPT, STYLE};
use crate::hook::{Answer, typed};
use crate::record::{Record, Verdict};
use crate::state::Shared;

/// Messages shown; older ones are in `/_sim/records`.
const SHOWN_MAX: usize = 50;

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<meta http-equiv=\"refresh\" content=\"5\"><title>Feishu simulator</title><style>\
body{font:15px sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}section{margin:1.5rem 0}\
pre{overflow-x:auto}small{color:#666}</style>";

pub(crate) fn answer(shared: &Shared) -> Answer {
    let body = shared.journal(|journal| {
        let totals = journal.totals();
        let newest =
            journal.records().rev().filter(|record| record.verdict == Verdict::Accepted).take(SHOWN_MAX);
        format!(
            "{HEAD}<style>{STYLE}</style><h1>Feishu simulator</h1><p>{} accepted, {} refused ({} for their rate), {} met a fault.</p>{}<script>{SCRIPT}</script>",
            totals.accepted,
            totals.refused.values().sum::<u64>(),
            totals.throttled,
            totals.faulted,
            newest.map(article).collect::<String>()
        )
    });
    typed(StatusCode::OK, "text/html; charset=utf-8", body)
}

fn article(record: &Record) -> String {
    let (number, at, token) = (record.number, record.at, escaped(&record.token));
    format!("<section><p><small>#{number} · {at} · {token}</small></p>{}</section>", card_view::html(record))
}

/// Text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! The report as one HTML page that needs nothing else. Pure.

use std::fmt::Write as _;

use super::plot::{Curve, Scale, plot};
use super::round::{Point, RoundReport};
use super::{Report, count as count_of, number, range, verdict};
use crate::conduct::Sample;
use crate::figure::float;

/// What Feishu takes from a custom bot.
const CARDS_PER_SECOND: f64 = 5.0;
const CARDS_PER_MINUTE: f64 = 100.0;

const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1f2328;--soft:#667;--line:#d8dee4;--good:#1a7f37;--bad:#cf222e;--a:#0969da;\
--b:#bf8700;--c:#cf222e;--back:#fff}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9198a1;--line:#30363d;--good:#3fb950;--bad:#f85149;\
--a:#58a6ff;--b:#d29922;--c:#f85149;--back:#0d1117}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:60rem;margin:2rem auto;\
padding:0 1rem}
h1{margin:0}h2{margin:2.2rem 0 .4rem}h3{font-size:1rem;margin:1.2rem 0 0}
.soft,.legend{color:var(--soft)}.legend{margin:.1rem 0;font-size:.85rem}.legend span{margin-right:1.2em}
table{border-collapse:collapse;width:100%}th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;\
font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left;padding-left:0}th{font-weight:600}
.counts{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;margin:.5rem 0}.counts b{font-variant-numeric:tabular-nums}
.met,.held{color:var(--good)}.missed,.broken{color:var(--bad)}.held,.broken{font-weight:700}
svg{width:100%;height:auto}svg text{fill:var(--soft);font-size:12px}.grid{stroke:var(--line)}
polyline{fill:none;stroke-width:1.8;stroke-linejoin:round}
polyline.a{stroke:var(--a)}polyline.b{stroke:var(--b)}polyline.c{stroke:var(--c)}polyline.d{stroke:var(--soft);\
stroke-dasharray:6 4}
span.a{color:var(--a)}span.b{color:var(--b)}span.c{color:var(--c)}rect.fault{fill:var(--bad);opacity:.13}\
span.fault{color:var(--bad);opacity:.5}
details summary{cursor:pointer;color:var(--soft);margin-top:2rem}pre{overflow-x:auto;font-size:.8rem}";

/// The whole page.
pub(super) fn of(report: &Report) -> String {
    let name = escaped(&report.name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name} · Larkfire</title>\
         <style>{STYLE}</style></head><body>\n<h1>{name}</h1><p>{}</p><p class=\"soft\">{}</p>\n",
        escaped(&report.about),
        escaped(&report.machine.to_string()),
    );
    for (index, round) in report.rounds.iter().enumerate() {
        verdict_of(&mut page, index + 1, round);
    }
    figures(&mut page, report);
    for (index, round) in report.rounds.iter().enumerate() {
        curves(&mut page, index + 1, round);
    }
    let scenario = serde_json::to_string_pretty(&report.scenario).unwrap_or_default();
    append(
        &mut page,
        format_args!("<details><summary>Scenario</summary><pre>{}</pre></details>", escaped(&scenario)),
    );
    page + "\n</body></html>\n"
}

fn verdict_of(page: &mut String, number_of: usize, round: &RoundReport) {
    let (class, word) = if round.holds { ("held", "held") } else { ("broken", "broken") };
    let verdict = &round.verdict;
    append(
        page,
        format_args!("<h2>Round {number_of}: <span class=\"{class}\">{word}</span></h2><p class=\"counts\">"),
    );
    let breaches =
        [("lost", verdict.lost), ("doubled", verdict.doubled), ("over budget", verdict.over_budget)];
    for (name, count) in breaches {
        let class = if count == 0 { "met" } else { "missed" };
        append(page, format_args!("<span class=\"{class}\">{name} <b>{}</b></span>", count_of(count)));
    }
    for (name, count) in round.rows() {
        append(page, format_args!("<span>{name} <b>{}</b></span>", count_of(count)));
    }
    page.push_str("</p>\n");
}

fn figures(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Figures</h2><table><tr><th></th><th>median</th><th>lowest … highest</th><th>goal</th></tr>\n",
    );
    for figure in report.figures.iter() {
        let class = match figure.met() {
            Some(true) => "met",
            Some(false) => "missed",
            None => "",
        };
        append(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td class=\"soft\">{}</td><td class=\"{class}\">{}</td></tr>\n",
                escaped(&figure.name),
                number(figure.median()),
                range(figure),
                verdict(figure)
            ),
        );
    }
    page.push_str("</table>\n");
}

fn curves(page: &mut String, number_of: usize, round: &RoundReport) {
    let faults: Vec<_> = round
        .faults
        .iter()
        .map(|fault| (fault.begins().as_secs_f64(), (fault.begins() + fault.lasts()).as_secs_f64()))
        .collect();
    append(page, format_args!("<h2>Round {number_of} over time</h2>"));
    let words: Vec<_> = round
        .faults
        .iter()
        .map(|fault| {
            format!("{} from {} s for {} s", fault.what.as_str(), fault.at_seconds, fault.for_seconds)
        })
        .collect();
    if !words.is_empty() {
        append(page, format_args!("<p class=\"soft\">{}</p>", words.join(", ")));
    }
    let mut section = |title: &str, curves: &[Curve<'_>], scale| {
        append(page, format_args!("<h3>{title}</h3>{}\n", plot(curves, &faults, scale)));
    };
    section("Accept: from due to 202, ms", &times(&round.accept_ms), Scale::Logarithmic);
    section("From due to card, ms, by when the alert was due", &times(&round.card_ms), Scale::Logarithmic);
    let over_time = |name, class, value: fn(&Sample) -> Option<f64>| Curve {
        name,
        class,
        points: round.samples.iter().filter_map(|sample| Some((sample.at, value(sample)?))).collect(),
    };
    let depth = [
        over_time("messages waiting", "a", |sample| sample.waiting.map(float)),
        over_time("deferred", "b", |sample| sample.deferred.map(float)),
    ];
    section("Queue depth", &depth, Scale::Linear);
    let alerts = [
        over_time("sent", "d", |sample| Some(float(sample.sent))),
        over_time("accepted", "a", |sample| Some(float(sample.accepted))),
        over_time("delivered", "b", |sample| Some(sample.delivered)),
    ];
    section("Alerts", &alerts, Scale::Linear);
    let mut cards = vec![over_time("cards", "a", |sample| Some(float(sample.cards)))];
    if round.limited_bots > 0 {
        cards.push(over_time("budget", "d", |sample| Some(sample.at)));
        let bots = f64::from(round.limited_bots);
        cards[1].points.iter_mut().for_each(|(at, value)| *value = budget(*at) * bots);
    }
    section("Cards since the start", &cards, Scale::Linear);
}

fn times(points: &[Point]) -> [Curve<'static>; 3] {
    let curve = |name, class, value: fn(&Point) -> f64| Curve {
        name,
        class,
        points: points.iter().map(|point| (point.at, value(point))).collect(),
    };
    [
        curve("max", "c", |point| point.max),
        curve("p99", "b", |point| point.p99),
        curve("p50", "a", |point| point.p50),
    ]
}

/// The most cards a bot may have sent by now: 5 in every second begun, 100 in every minute begun.
fn budget(seconds: f64) -> f64 {
    let begun = |length: f64| (seconds / length).floor() + 1.0;
    (CARDS_PER_SECOND * begun(1.0)).min(CARDS_PER_MINUTE * begun(60.0))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Writing to a string cannot fail.
fn append(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _infallible = text.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_second_s_at_first_and_a_minute_s_from_then_on() {
        assert_eq!(
            [0.0, 3.5, 30.0, 61.0].map(|seconds| budget(seconds).to_string()),
            ["5", "20", "100", "200"]
        );
    }

    #[test]
    fn names_cannot_break_the_page() {
        assert_eq!(escaped("<b>&\"x\""), "&lt;b&gt;&amp;&quot;x&quot;");
    }
}

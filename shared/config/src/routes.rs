//! Settings of the routes: which alerts go to which receivers.

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashSet;

use super::ReceiverConfig;
use super::kinds::{Must, text, yes_or_no};
use super::reader::{Reader, Section, key};
use model::matcher::Matcher;

/// Routes in all: the time to read them grows with their number, and so does the memory of those with expressions.
const ROUTES_MAX: usize = 5_000;
/// How deep routes may be nested.
const ROUTE_DEPTH_MAX: usize = 6;
/// Conditions of one route.
const MATCHERS_MAX: usize = 32;
/// Receivers of one route: an alert is told to each of them.
const ROUTE_RECEIVERS_MAX: usize = 16;

/// Which alerts go to which receivers, as in Alertmanager: the first route whose matchers all hold takes an alert, one
/// below it takes it over, and the next beside it is asked only if it says `continue`.
#[derive(Clone, Debug)]
pub struct RouteConfig {
    /// Its place, counted from one: `2.1` is the first below the second.
    pub number: String,
    /// What an alert's labels have to satisfy; none: nothing.
    pub matchers: Vec<Matcher>,
    /// Who is told, if no route below it takes over: its own or those of the route above. Empty: the default.
    pub receivers: Vec<String>,
    /// What calls somebody when nobody takes on what it took: its own, or that of the route above. `None`: the receiver's.
    pub escalation: Option<String>,
    /// Whether the routes after it are asked although it took the alert.
    pub continues: bool,
    /// Those below it.
    pub routes: Vec<RouteConfig>,
}

/// What a route has from the one above it, where it says nothing itself.
#[derive(Clone, Copy, Default)]
struct Inherited<'r> {
    receivers: &'r [String],
    escalation: Option<&'r str>,
}

/// What all routes of one configuration are read with.
struct Reading<'r> {
    reader: &'r Reader,
    known: HashSet<String>,
    seen: Cell<usize>,
}

pub(super) fn read(reader: &Reader, root: &Section<'_>, receivers: &[ReceiverConfig]) -> Vec<RouteConfig> {
    let reading = Reading { reader, known: receiver_names(root, receivers), seen: Cell::new(0) };
    let routes = reading.routes(root, "", Inherited::default(), 1);
    if reading.seen.get() > ROUTES_MAX {
        reader.report(root.place_at("routes"), format!("there may be at most {ROUTES_MAX} in all"));
    }
    routes
}

impl Reading<'_> {
    /// The routes of a section that stands in a route of that number, for these receivers.
    fn routes(
        &self,
        parent: &Section<'_>,
        above: &str,
        inherited: Inherited<'_>,
        depth: usize,
    ) -> Vec<RouteConfig> {
        let sections = parent.listed("routes");
        if let Some(section) = sections.first().filter(|_| depth > ROUTE_DEPTH_MAX) {
            self.reader.report(section.place(), format!("may be nested at most {ROUTE_DEPTH_MAX} deep"));
            return Vec::new();
        }
        let each = sections.into_iter().enumerate();
        each.map(|(index, section)| self.route(section, index + 1, above, inherited, depth)).collect()
    }

    fn route(
        &self,
        section: Section<'_>,
        index: usize,
        above: &str,
        inherited: Inherited<'_>,
        depth: usize,
    ) -> RouteConfig {
        self.seen.set(self.seen.get() + 1);
        let number = if above.is_empty() { index.to_string() } else { format!("{above}.{index}") };
        let matchers: Vec<Matcher> = section.texts("match", matchers).into_iter().flatten().collect();
        let known = |text: &str| self.receiver(text);
        let mut receivers: Vec<String> = section.value(key("receiver"), known).into_iter().collect();
        for name in section.values(key("receivers"), known) {
            if !receivers.contains(&name) {
                receivers.push(name);
            }
        }
        if receivers.is_empty() {
            receivers = inherited.receivers.to_vec();
        }
        let escalation = section.value(key("escalation"), text);
        let escalation = escalation.or_else(|| inherited.escalation.map(str::to_owned));
        if matchers.len() > MATCHERS_MAX || receivers.len() > ROUTE_RECEIVERS_MAX {
            let most = format!("has at most {MATCHERS_MAX} matchers and {ROUTE_RECEIVERS_MAX} receivers");
            self.reader.report(section.place(), most);
        }
        let continues = section.value(key("continue"), yes_or_no).unwrap_or(false);
        let below = Inherited { receivers: &receivers, escalation: escalation.as_deref() };
        let routes = self.routes(&section, &number, below, depth + 1);
        section.finish();
        RouteConfig { number, matchers, receivers, escalation, continues, routes }
    }

    fn receiver(&self, name: &str) -> Result<String, Must> {
        known_receiver(&self.known, name)
    }
}

/// The names that a setting may have for a receiver. What is wrong with a receiver is said once, and not again wherever it is
/// named.
pub(super) fn receiver_names(root: &Section<'_>, receivers: &[ReceiverConfig]) -> HashSet<String> {
    let usable = receivers.iter().map(|receiver| receiver.name.clone());
    let named = root.sections("receivers").into_iter().map(|(name, _)| name);
    usable.chain(named).collect()
}

/// The name of one of these receivers.
pub(super) fn known_receiver(known: &HashSet<String>, name: &str) -> Result<String, Must> {
    if known.contains(name) {
        return Ok(name.to_owned());
    }
    let mut known: Vec<_> = known.iter().map(String::as_str).collect();
    known.sort_unstable();
    match known.as_slice() {
        [] => Err("the name of a receiver, and none is configured".to_owned()),
        known => Err(format!("the name of a receiver: {}", known.join(", "))),
    }
}

/// The matchers of one text.
pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, Must> {
    Matcher::all(text).map_err(|error| format!("a matcher of labels, such as severity=\"critical\": {error}"))
}

//! Settings of the heartbeats: alerts that are expected again and again, and who is told when one is missing.

use std::time::Duration;

use super::ReceiverConfig;
use super::kinds::duration;
use super::reader::{Reader, Section, key};
use super::routes::{known_receiver, matchers, receiver_names};
use model::matcher::Matcher;

/// How many there may be: each is a row that workers look at every few seconds.
const HEARTBEATS_MAX: usize = 10_000;
/// Conditions of one heartbeat.
const MATCHERS_MAX: usize = 32;
/// How long a name may be, in bytes: it is a key in the database.
const NAME_BYTES_MAX: usize = 64;
const SECOND: Duration = Duration::from_secs(1);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// An alert that always fires, and is therefore expected instead of delivered.
#[derive(Clone, Debug)]
pub struct HeartbeatConfig {
    /// What people are told is missing.
    pub name: String,
    /// What the labels of an alert have to satisfy to be a sign of it; at least one.
    pub matchers: Vec<Matcher>,
    /// How often it comes.
    pub every: Duration,
    /// How much later than that it may be.
    pub grace: Duration,
    /// Who is told; `None`: whoever the routes name for the alert about it.
    pub receiver: Option<String>,
}

impl HeartbeatConfig {
    /// How long after one sign the next one has to be there.
    pub const fn allowed(&self) -> Duration {
        self.every.saturating_add(self.grace)
    }
}

pub(super) fn read(
    reader: &Reader,
    root: &Section<'_>,
    receivers: &[ReceiverConfig],
) -> Vec<HeartbeatConfig> {
    let sections = root.sections("heartbeats");
    if sections.len() > HEARTBEATS_MAX {
        reader.report(root.place_at("heartbeats"), format!("there may be at most {HEARTBEATS_MAX}"));
    }
    if sections.is_empty() {
        return Vec::new();
    }
    let known = receiver_names(root, receivers);
    let heartbeat = |(name, section): (String, Section<'_>)| {
        let matchers: Vec<Matcher> = section.texts("match", matchers).into_iter().flatten().collect();
        let every = section.value(key("every"), duration(SECOND..=WEEK));
        let grace = section.value(key("grace"), duration(Duration::ZERO..=WEEK));
        let receiver = section.value(key("receiver"), |text| known_receiver(&known, text));
        let is_set = section.is_set(key("every"));
        let place = section.place();
        section.finish();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
            reader.report(place.clone(), format!("a name has at most {NAME_BYTES_MAX} bytes"));
        }
        if matchers.is_empty() || matchers.len() > MATCHERS_MAX {
            let wanted = "needs `match`: which alert it is, such as alertname=\"Watchdog\"; at most";
            reader.report(place.clone(), format!("{wanted} {MATCHERS_MAX} matchers"));
        }
        if every.is_none() && !is_set {
            reader.report(place, "needs `every`: how often it comes, such as 5m");
        }
        let every = every.unwrap_or(WEEK);
        HeartbeatConfig { name, matchers, every, grace: grace.unwrap_or(every / 2), receiver }
    };
    sections.into_iter().map(heartbeat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, ConfigErrors, Environment, parse};

    fn read(heartbeats: &str) -> Result<Config, ConfigErrors> {
        let text =
            format!("{{ receivers: {{ ops: {{ webhook_url: https://h/x }} }}, heartbeats: {heartbeats} }}");
        parse("test.yaml", &text, Environment::default())
    }

    #[test]
    fn what_is_not_said_is_half_as_long_as_every_and_the_routes() {
        let config = read("{ eu: { match: ['alertname=Watchdog', cluster=eu], every: 2m } }").unwrap();
        let [heartbeat] = config.heartbeats.as_slice() else { panic!("{config:?}") };
        assert_eq!((heartbeat.name.as_str(), heartbeat.matchers.len()), ("eu", 2));
        assert_eq!(heartbeat.allowed(), Duration::from_mins(3));
        assert_eq!(heartbeat.receiver, None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words_that_help() {
        for (heartbeats, says) in [
            ("{ eu: { every: 2m } }", "needs `match`"),
            ("{ eu: { match: alertname=Watchdog } }", "needs `every`"),
            ("{ eu: { match: alertname=Watchdog, every: 2 years } }", "must be a time from"),
            ("{ eu: { match: Watchdog, every: 2m } }", "a matcher of labels"),
            ("{ eu: { match: a=b, every: 2m, receiver: dev } }", "the name of a receiver: ops"),
            ("{ eu: { match: a=b, every: 2m, gracie: 1m } }", "did you mean `grace`"),
        ] {
            let said = read(heartbeats).unwrap_err().to_string();
            assert!(said.contains(says), "{heartbeats}: {said}");
        }
    }
}

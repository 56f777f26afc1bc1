//! Settings of who is told by name: whose alerts are whose, and where people's Feishu ids are found.

mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Secret;
use super::kinds::{Must, duration, number, yes_or_no};
use super::reader::{Reader, Section, key, key_or};

pub use table::{UserColumns, UserServer, UserTableConfig};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// How long a name of a person may be, in bytes.
const PERSON_BYTES_MAX: usize = 128;
/// Annotations and labels that name an owner, where no others are set.
const LABELS: [&str; 3] = ["owner", "at_name", "feishu_user"];
/// Where people who take turns stand now.
const ROTATIONS_MOVED: &str = "stands at the top of the file now, for owners and escalations alike, as \
    `rotations: { NAME: { people: [ann, bob], shift: 1w, hand_over: Mon 09:00, start: 2024-01-15 } }`: `every: day` is \
    `shift: 1d`, `every: week` is `shift: 1w`, and `starts` is `start` with `hand_over`";
/// Labels that name the service of an alert.
const SERVICE_LABELS: [&str; 3] = ["service", "app", "job"];

/// People by a pattern of what they own, in the order of the file; `*` and `?` stand for anything and for one
/// character.
pub type Owned = Vec<(String, Vec<String>)>;

/// Who is told by name.
#[derive(Clone, Debug)]
pub struct OwnersConfig {
    /// Annotations, or else labels, whose value is a list of owners.
    pub labels: Vec<String>,
    /// Labels that name the service; the first whose service somebody owns.
    pub service_labels: Vec<String>,
    /// Owners of services.
    pub services: Owned,
    /// Owners by further labels: the label, and the owners by its value.
    pub by_label: Vec<(String, Owned)>,
    /// Owners of namespaces.
    pub namespaces: Owned,
    /// People who are named on every card.
    pub always_mention: Vec<String>,
    /// Whether a card about nothing but what is over wakes people.
    pub mention_resolved: bool,
    /// Whether a custom bot's card may mention a `user_id`.
    pub mention_user_ids: bool,
    /// People on one card.
    pub mentions_max: usize,
    /// How long a card waits for people to be looked up.
    pub deadline: Duration,
    /// How long somebody who was found is remembered.
    pub remember: Duration,
    /// How long it is remembered that somebody was not found.
    pub remember_unknown: Duration,
    /// Where people's ids are.
    pub table: UserTableConfig,
}

/// People who take turns.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// What stands for whoever's turn it is.
    pub name: String,
    /// The people, in their order.
    pub people: Vec<String>,
    /// How long a turn is.
    pub every: RotationTurn,
    /// When the first one's turn began; turns end at this time of the day.
    pub starts: DateTime,
    /// Where it is that time; `None`: where cards are read.
    pub timezone: Option<TimeZone>,
    /// Who stands in for whoever's turn it would be, and when; the last that fits counts.
    pub overrides: Vec<RotationOverride>,
    /// With what its calendar may be read by whoever is not logged in; `None`: with nothing.
    pub calendar_token: Option<Secret>,
}

/// Somebody stands in for whoever's turn it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationOverride {
    /// Who.
    pub person: String,
    /// From when, by the rotation's clock.
    pub from: DateTime,
    /// Until before when, by the rotation's clock.
    pub until: DateTime,
}

/// How long a turn is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RotationTurn {
    /// From one day to the next.
    Day,
    /// Seven days.
    #[default]
    Week,
}

/// Who is told by name in one receiver's chat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverOwners {
    /// Owners of what nobody owns.
    pub fallback: Vec<String>,
    /// Whether everybody in the chat may be mentioned.
    pub allow_mention_all: bool,
}

impl Default for OwnersConfig {
    fn default() -> Self {
        Self {
            labels: LABELS.map(str::to_owned).into(),
            service_labels: SERVICE_LABELS.map(str::to_owned).into(),
            services: Owned::new(),
            by_label: Vec::new(),
            namespaces: Owned::new(),
            always_mention: Vec::new(),
            mention_resolved: false,
            mention_user_ids: false,
            mentions_max: 10,
            deadline: Duration::from_millis(300),
            remember: Duration::from_hours(1),
            remember_unknown: 5 * MINUTE,
            table: UserTableConfig::default(),
        }
    }
}

pub(super) fn owners(reader: &Reader, section: Section<'_>) -> OwnersConfig {
    let default = OwnersConfig::default();
    let or = |set: Vec<String>, default| if set.is_empty() { default } else { set };
    let yes = |name| section.value(key(name), yes_or_no);
    section.refuse_moved("rotations", ROTATIONS_MOVED);
    let by_label = section.sections("by_label").into_iter();
    let owners = OwnersConfig {
        labels: or(section.values(key("labels"), person), default.labels),
        service_labels: or(section.values(key("service_labels"), person), default.service_labels),
        services: section.lists_or(key_or("services", "SERVICE_TO_USER"), person, person),
        by_label: by_label.map(|(label, section)| (label, section.own_lists(person, person))).collect(),
        namespaces: section.lists("namespaces", person, person),
        always_mention: section.values(key("always_mention"), person),
        mention_resolved: yes("mention_resolved").unwrap_or(default.mention_resolved),
        mention_user_ids: yes("mention_user_ids").unwrap_or(default.mention_user_ids),
        mentions_max: section.value(key("mentions_max"), number(1..=50)).unwrap_or(default.mentions_max),
        deadline: section
            .value(key("deadline"), duration(Duration::ZERO..=Duration::from_secs(5)))
            .unwrap_or(default.deadline),
        remember: section.value(key("remember"), duration(MINUTE..=7 * DAY)).unwrap_or(default.remember),
        remember_unknown: section
            .value(key("remember_unknown"), duration(Duration::from_secs(1)..=DAY))
            .unwrap_or(default.remember_unknown),
        table: table::table(reader, section.section("table")),
    };
    section.finish();
    owners
}

/// What a receiver's section says about people.
pub(super) fn of_receiver(section: &Section<'_>) -> ReceiverOwners {
    ReceiverOwners {
        fallback: section.values(key("fallback"), person),
        allow_mention_all: section.value(key("allow_mention_all"), yes_or_no).unwrap_or(false),
    }
}

/// A user name, a mobile, an open id, a rotation; or what somebody owns.
pub(super) fn person(text: &str) -> Result<String, Must> {
    let usable = (1..=PERSON_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
    usable.then(|| text.to_owned()).ok_or_else(|| format!("a name of 1 to {PERSON_BYTES_MAX} bytes"))
}

/// A day, or a day and a time: without a zone, which has a setting of its own.
pub(super) fn moment(text: &str) -> Result<DateTime, Must> {
    let day = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() <= 10).map(DateTime::from);
    let must = "a day and perhaps a time, such as 2024-01-15 or 2024-01-15T09:00";
    day(text).or_else(|| text.parse().ok()).ok_or_else(|| must.to_owned())
}

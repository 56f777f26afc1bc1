//! Settings of escalations: who is called, when and how, as long as nobody takes an alert on.

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::civil::Time;
use model::matcher::Matcher;
use url::Url;

use super::kinds::{Must, duration, instead_of, text, without_blanks};
use super::owners::person;
use super::reader::{Reader, Section, key};
use super::rotations::clock_time;
use super::routes::matchers;
use super::{Config, NamedSeverity, Secret};

/// The soonest and the latest somebody is called after the card: later nobody knows what it was about.
const AFTER_MIN: Duration = Duration::from_secs(1);
const AFTER_MAX: Duration = Duration::from_hours(7 * 24);
/// Steps of one escalation; a step's number is a column of the database.
const STEPS_MAX: usize = 20;
/// People of one step.
const PEOPLE_MAX: usize = 50;
/// How long a name may be, in bytes: it is part of a key in the database.
const NAME_BYTES_MAX: usize = 48;
/// What stands for whoever is to be called, where that is no name.
const OWNERS: &str = "owners";
/// Shorter keys could be guessed.
const WEBHOOK_SECRET_BYTES_MIN: usize = 16;

/// Steps that are gone through for alerts that nobody takes on.
#[derive(Clone, Debug)]
pub struct EscalationConfig {
    /// What receivers and routes call it.
    pub name: String,
    /// What an alert's labels have to satisfy; none: nothing.
    pub matchers: Vec<Matcher>,
    /// How bad an alert has to be; none: however bad it is.
    pub severities: Vec<NamedSeverity>,
    /// The steps, in their order.
    pub steps: Vec<EscalationStep>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct EscalationStep {
    /// How long after the card was delivered.
    pub after: Duration,
    /// Who is called.
    pub who: Vec<Callee>,
    /// How.
    pub method: StepMethod,
    /// When only what is critical calls anybody.
    pub quiet_hours: Option<QuietHours>,
}

/// Somebody who is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The owners of the alert.
    Owners,
    /// Somebody by a name, a mobile or an id; or whoever's turn it is in the rotation of that name.
    Person(String),
    /// Whoever's turn it is in a rotation.
    OnCall(String),
    /// Whoever's turn is next in a rotation.
    NextOnCall(String),
}

/// How somebody is called.
#[derive(Clone, Debug)]
pub enum StepMethod {
    /// By another message in the same chat, which mentions them.
    Mention,
    /// By Feishu's urgent push (加急) on the message that was delivered.
    Urgent(Urgency),
    /// By a card for another receiver.
    Receiver(String),
    /// By a request to an address, which is a credential.
    Webhook {
        /// The address.
        url: Secret,
        /// What the body is signed with.
        secret: Option<Secret>,
    },
}

/// How urgent an urgent push is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// A window in Feishu.
    App,
    /// A text message as well.
    Sms,
    /// A telephone call as well.
    Phone,
}

/// Hours of the day, by the clock of the configuration; they may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// From when.
    pub from: Time,
    /// Until before when.
    pub until: Time,
}

impl StepMethod {
    /// The word for it, in metrics and texts.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::Urgent(urgency) => urgency.as_str(),
            Self::Receiver(_) => "receiver",
            Self::Webhook { .. } => "webhook",
        }
    }

    /// Every word there is.
    pub const WORDS: [&'static str; 6] =
        ["mention", "urgent_app", "urgent_sms", "urgent_phone", "receiver", "webhook"];
}

impl Urgency {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "urgent_app",
            Self::Sms => "urgent_sms",
            Self::Phone => "urgent_phone",
        }
    }
}

impl EscalationConfig {
    /// The rotations its steps name.
    pub fn rotations(&self) -> impl Iterator<Item = &str> {
        let callees = self.steps.iter().flat_map(|step| &step.who);
        callees.filter_map(|callee| match callee {
            Callee::OnCall(name) | Callee::NextOnCall(name) => Some(name.as_str()),
            Callee::Owners | Callee::Person(_) => None,
        })
    }
}

/// What the file says; names of receivers and rotations are held against what else it says.
pub(super) fn read(reader: &Reader, root: &Section<'_>, config: &Config) -> Vec<EscalationConfig> {
    let sections = root.sections("escalations");
    let names: Vec<String> = sections.iter().map(|(name, _)| name.clone()).collect();
    let each = sections.into_iter();
    let escalations: Vec<_> = each.map(|(name, section)| escalation(reader, config, name, section)).collect();
    let of_receivers = config.receivers.iter().filter_map(|receiver| {
        Some((format!("receivers.{}.escalation", receiver.name), receiver.escalation.as_ref()?))
    });
    let mut routes: Vec<_> = config.routes.iter().collect();
    let mut of_routes = Vec::new();
    while let Some(route) = routes.pop() {
        of_routes.extend(route.escalation.as_ref().map(|name| (format!("route {}", route.number), name)));
        routes.extend(&route.routes);
    }
    for (place, name) in of_receivers.chain(of_routes) {
        if !names.contains(name) {
            reader.report(place, format!("must be the name of an escalation{}", listed(&names)));
        }
    }
    escalations
}

/// Which names there are.
fn listed(names: &[String]) -> String {
    if names.is_empty() { ", and none is configured".to_owned() } else { format!(": {}", names.join(", ")) }
}

fn escalation(reader: &Reader, config: &Config, name: String, section: Section<'_>) -> EscalationConfig {
    let place = section.place();
    if name.len() > NAME_BYTES_MAX || name.contains(|c: char| c.is_control() || c == '/') {
        reader.report(place.clone(), format!("a name has at most {NAME_BYTES_MAX} bytes and no slash"));
    }
    let matchers = section.texts("match", matchers).into_iter().flatten().collect();
    let severities = section.values(key("severities"), severity);
    let listed = section.listed("steps");
    let is_in_range = (1..=STEPS_MAX).contains(&listed.len());
    let steps: Vec<_> = listed.into_iter().filter_map(|section| step(reader, config, section)).collect();
    section.finish();
    if !is_in_range {
        reader.report(place, format!("has 1 to {STEPS_MAX} steps"));
    } else if !steps.is_sorted_by(|before, after| before.after < after.after) {
        reader.report(place, "each step comes later than the one before it: `after` has to rise");
    }
    EscalationConfig { name, matchers, severities, steps }
}

fn step(reader: &Reader, config: &Config, section: Section<'_>) -> Option<EscalationStep> {
    let place = section.place();
    let after = section.value(key("after"), duration(AFTER_MIN..=AFTER_MAX));
    let mut who = section.values(key("who"), callee);
    let rotation = |name| section.value(key(name), |text| known_rotation(config, text));
    who.extend(rotation("rotation").map(Callee::OnCall));
    who.extend(rotation("next").map(Callee::NextOnCall));
    let receiver = section.value(key("receiver"), |text| known_receiver(config, text));
    let url = section.secret(key("webhook_url"), webhook_url);
    let secret = section.secret(key("webhook_secret"), webhook_secret);
    let quiet_hours = section.value(key("quiet_hours"), quiet_hours);
    let named: Vec<&str> =
        ["urgent", "receiver", "webhook_url"].into_iter().filter(|name| section.is_set(key(name))).collect();
    let urgent = section.value(key("urgent"), urgency);
    let is_timed = section.is_set(key("after"));
    let has_people = ["who", "rotation", "next"].iter().any(|name| section.is_set(key(name)));
    section.finish();
    let report = |message: &str| reader.report(place.clone(), message);
    if !is_timed {
        report("a step needs `after`: how long after the card it comes, such as 5m");
    }
    if named.len() > 1 {
        report("a step has one of urgent, receiver and webhook_url; without them it mentions people again");
    }
    if secret.is_some() && !named.contains(&"webhook_url") {
        report("webhook_secret signs what goes to a webhook_url, and there is none");
    }
    if !has_people && !named.iter().any(|name| matches!(*name, "receiver" | "webhook_url")) {
        report("a step needs people to call: who, rotation or next");
    }
    if who.len() > PEOPLE_MAX {
        report("a step calls at most 50 people");
    }
    let method = match (urgent, receiver, url) {
        (Some(urgency), ..) => StepMethod::Urgent(urgency),
        (None, Some(receiver), _) => StepMethod::Receiver(receiver),
        (None, None, Some(url)) => StepMethod::Webhook { url, secret },
        // What is set and wrong is reported.
        (None, None, None) => StepMethod::Mention,
    };
    Some(EscalationStep { after: after?, who, method, quiet_hours })
}

fn callee(text: &str) -> Result<Callee, Must> {
    if text == OWNERS { Ok(Callee::Owners) } else { person(text).map(Callee::Person) }
}

fn known_rotation(config: &Config, name: &str) -> Result<String, Must> {
    let names: Vec<_> = config.rotations.iter().map(|rotation| rotation.name.clone()).collect();
    if names.iter().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let known =
        if names.is_empty() { ", and there is none".to_owned() } else { format!(": {}", names.join(", ")) };
    Err(format!("the name of a rotation{known}"))
}

fn known_receiver(config: &Config, name: &str) -> Result<String, Must> {
    let names: Vec<_> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(format!("the name of a receiver: {}", names.join(", ")))
}

fn urgency(text: &str) -> Result<Urgency, Must> {
    match text {
        "app" => Ok(Urgency::App),
        "sms" => Ok(Urgency::Sms),
        "phone" => Ok(Urgency::Phone),
        _ => Err(instead_of(text, "app, sms or phone")),
    }
}

fn severity(text: &str) -> Result<NamedSeverity, Must> {
    match text {
        "critical" => Ok(NamedSeverity::Critical),
        "warning" => Ok(NamedSeverity::Warning),
        "info" => Ok(NamedSeverity::Info),
        _ => Err(instead_of(text, "critical, warning or info")),
    }
}

fn quiet_hours(text: &str) -> Result<QuietHours, Must> {
    let must = || instead_of(text, "hours of the day, such as 22:00-08:00");
    let (from, until) = text.split_once('-').ok_or_else(must)?;
    let from = clock_time(from.trim()).ok_or_else(must)?;
    let until = clock_time(until.trim()).ok_or_else(must)?;
    (from != until).then_some(QuietHours { from, until }).ok_or_else(must)
}

fn webhook_url(url: &str) -> Result<String, Must> {
    without_blanks(url, "an address")?;
    let is_usable =
        Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_usable { text(url) } else { Err("an address, such as https://example.com/hook".to_owned()) }
}

fn webhook_secret(secret: &str) -> Result<String, Must> {
    if secret.len() >= WEBHOOK_SECRET_BYTES_MIN {
        return text(secret);
    }
    Err(format!("at least {WEBHOOK_SECRET_BYTES_MIN} characters"))
}

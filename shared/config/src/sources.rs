//! Formats of one's own: where in a body of JSON the parts of an alert stand.

#[cfg(test)]
mod tests;

use super::kinds::Must;
use super::reader::{Reader, Section, key};

/// How long a format's name, a pointer and a text may be, in bytes.
const NAME_BYTES_MAX: usize = 64;
const PART_BYTES_MAX: usize = 512;
/// How many formats there may be: bodies that are none of the known formats are held against each.
const SOURCES_MAX: usize = 32;

/// A format of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceConfig {
    /// What the address calls it (`?source=NAME`), and what its alerts are known by beside the rest.
    pub name: String,
    /// What a body has to have to be of this format.
    pub when: Vec<Condition>,
    /// The arrays its alerts stand in, by their pointer; none: the body is one alert.
    pub items: Option<String>,
    /// What an alert is called. Of each list the first part that says something counts.
    pub alert_name: Vec<Part>,
    /// Whether it fires.
    pub status: Vec<Part>,
    /// The words of a status that is over, besides the usual ones; in any case.
    pub resolved: Vec<String>,
    /// How bad it is.
    pub severity: Vec<Part>,
    /// One line.
    pub summary: Vec<Part>,
    /// More lines.
    pub description: Vec<Part>,
    /// Where its sender shows it.
    pub link: Vec<Part>,
    /// When it began.
    pub starts_at: Vec<Part>,
    /// When it ended.
    pub ends_at: Vec<Part>,
    /// Whom it names.
    pub owners: Vec<Part>,
    /// What tells one alert from another; all of them together. None: its name and its labels.
    pub identity: Vec<Part>,
    /// Labels by their names.
    pub labels: Vec<(String, Part)>,
    /// Objects whose texts are labels.
    pub labels_from: Vec<String>,
    /// What its sender takes for a success: 200 or 202.
    pub answer: SuccessStatus,
}

/// What a body has to have: something at this pointer, or exactly this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where.
    pub pointer: String,
    /// What; `None`: anything, `null` included.
    pub value: Option<String>,
}

/// A part of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands there (RFC 6901).
    Pointer(String),
    /// This text, in which `{/pointer}` stands for what is there.
    Text(String),
}

/// How a success is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SuccessStatus {
    /// `202 Accepted`.
    #[default]
    Accepted,
    /// `200 OK`, for senders that take nothing else for a success.
    Ok,
}

pub(super) fn read(reader: &Reader, root: &Section<'_>) -> Vec<SourceConfig> {
    let sections = root.sections("sources");
    if sections.len() > SOURCES_MAX {
        reader.report(root.place_at("sources"), format!("there may be at most {SOURCES_MAX}"));
    }
    sections.into_iter().map(|(name, section)| source(reader, name, section)).collect()
}

fn source(reader: &Reader, name: String, section: Section<'_>) -> SourceConfig {
    let source = SourceConfig {
        when: section.texts("when", condition),
        items: section.value(key("items"), pointer),
        alert_name: section.texts("name", part),
        status: section.texts("status", part),
        resolved: section.values(key("resolved"), word),
        severity: section.texts("severity", part),
        summary: section.texts("summary", part),
        description: section.texts("description", part),
        link: section.texts("link", part),
        starts_at: section.texts("starts_at", part),
        ends_at: section.texts("ends_at", part),
        owners: section.texts("owners", part),
        identity: section.texts("identity", part),
        labels: section.pairs("labels", label, part),
        labels_from: section.texts("labels_from", pointer),
        answer: section.value(key("answer"), answer).unwrap_or_default(),
        name,
    };
    let place = section.place();
    section.finish();
    if source.name.len() > NAME_BYTES_MAX || source.name.contains(char::is_control) {
        reader.report(place.clone(), format!("a name has at most {NAME_BYTES_MAX} bytes"));
    }
    if source.alert_name.is_empty() {
        reader.report(place, "needs a name: where what an alert is called stands, such as /rule/name");
    }
    source
}

fn pointer(text: &str) -> Result<String, Must> {
    let is_pointer = text.starts_with('/') && text.len() <= PART_BYTES_MAX;
    is_pointer.then(|| text.to_owned()).ok_or_else(|| "a JSON pointer, such as /alert/name".to_owned())
}

/// `/event/type`, or `/event/type=problem`.
fn condition(text: &str) -> Result<Condition, Must> {
    let (at, value) = match text.split_once('=') {
        Some((at, value)) => (at.trim(), Some(value.trim().to_owned())),
        None => (text, None),
    };
    Ok(Condition { pointer: pointer(at)?, value })
}

fn part(text: &str) -> Result<Part, Must> {
    if text.is_empty() || text.len() > PART_BYTES_MAX {
        return Err(format!("a JSON pointer or a text, of at most {PART_BYTES_MAX} bytes"));
    }
    Ok(if text.starts_with('/') { Part::Pointer(text.to_owned()) } else { Part::Text(text.to_owned()) })
}

fn word(text: &str) -> Result<String, Must> {
    let usable = (1..=NAME_BYTES_MAX).contains(&text.len());
    usable.then(|| text.to_owned()).ok_or_else(|| format!("a word of at most {NAME_BYTES_MAX} bytes"))
}

fn label(text: &str) -> Result<String, Must> {
    let usable = (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_whitespace);
    usable.then(|| text.to_owned()).ok_or_else(|| "the name of a label, without blanks".to_owned())
}

fn answer(text: &str) -> Result<SuccessStatus, Must> {
    match text {
        "202" => Ok(SuccessStatus::Accepted),
        "200" => Ok(SuccessStatus::Ok),
        _ => Err("200 or 202".to_owned()),
    }
}

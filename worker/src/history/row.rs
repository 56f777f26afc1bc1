//! What became of an alert, as it is written down. Pure.

use std::sync::Arc;

use jiff::Timestamp;
use model::alert::{Labels, Status};
use model::envelope::{EnvelopeId, json_text};
use serde::{Serialize, Serializer};

use crate::metrics::Outcome;
use crate::render::Item;

/// What the columns hold of a receiver, of an identity and of a card's name, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 64;
/// What is kept of an alert's name, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 128;
/// What is kept of a bot's name, in bytes: a receiver's, and the bot's number.
const BOT_BYTES_MAX: usize = 80;
/// What is kept of a reason, in bytes.
const REASON_BYTES_MAX: usize = 512;
/// What is kept of an alert's labels, in bytes of JSON. A label for which there is no room is left out.
const LABELS_BYTES_MAX: usize = 2 * 1024;
/// What a row takes besides its texts, about, in bytes.
const ROW_BYTES: usize = 160;

/// What became of an alert, or what somebody did about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HistoryOutcome {
    /// It has ended so.
    Ended(Outcome),
    /// It was put aside for a while.
    Deferred,
    /// Somebody has taken it on.
    Acknowledged,
    /// Somebody has given it back.
    Unacknowledged,
    /// Somebody has silenced it.
    Silenced,
    /// Somebody has ended its silence.
    Unsilenced,
    /// Somebody was called because nobody had taken it on.
    Escalated,
}

impl HistoryOutcome {
    /// All there are.
    pub const ALL: [Self; Outcome::ALL.len() + 6] = {
        let [delivered, summarised, duplicate, superseded, dead_lettered, expected] = Outcome::ALL;
        [
            Self::Ended(delivered),
            Self::Ended(summarised),
            Self::Ended(duplicate),
            Self::Ended(superseded),
            Self::Ended(dead_lettered),
            Self::Ended(expected),
            Self::Deferred,
            Self::Acknowledged,
            Self::Unacknowledged,
            Self::Silenced,
            Self::Unsilenced,
            Self::Escalated,
        ]
    };

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended(outcome) => outcome.as_str(),
            Self::Deferred => "deferred",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Silenced => "silenced",
            Self::Unsilenced => "unsilenced",
            Self::Escalated => "escalated",
        }
    }

    /// Whether it is something that a person did, and says nothing of where the alert is.
    pub const fn is_act(self) -> bool {
        match self {
            Self::Ended(_) | Self::Deferred => false,
            Self::Acknowledged
            | Self::Unacknowledged
            | Self::Silenced
            | Self::Unsilenced
            | Self::Escalated => true,
        }
    }

    /// Whether most alerts end so, in one installation or another.
    pub(super) const fn is_common(self) -> bool {
        match self {
            Self::Ended(
                Outcome::Delivered
                | Outcome::Summarised
                | Outcome::Duplicate
                | Outcome::Superseded
                | Outcome::Expected,
            ) => true,
            Self::Ended(Outcome::DeadLettered)
            | Self::Deferred
            | Self::Acknowledged
            | Self::Unacknowledged
            | Self::Silenced
            | Self::Unsilenced
            | Self::Escalated => false,
        }
    }

    /// As the table has it. A number stays what it is: rows of other versions have it, too.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Ended(Outcome::Delivered) => 0,
            Self::Ended(Outcome::Summarised) => 1,
            Self::Ended(Outcome::Duplicate) => 2,
            Self::Ended(Outcome::Superseded) => 3,
            Self::Ended(Outcome::DeadLettered) => 4,
            Self::Deferred => 5,
            Self::Acknowledged => 6,
            Self::Unacknowledged => 7,
            Self::Silenced => 8,
            Self::Unsilenced => 9,
            Self::Ended(Outcome::Expected) => 10,
            Self::Escalated => 12,
        }
    }

    /// By its number; `None` for one of a later version.
    pub(super) fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.number() == number)
    }
}

impl From<Outcome> for HistoryOutcome {
    fn from(outcome: Outcome) -> Self {
        Self::Ended(outcome)
    }
}

impl Serialize for HistoryOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the rows of several alerts have in common.
#[derive(Debug, Default)]
pub struct HistoryFacts {
    receiver: String,
    bot: Option<String>,
    card: Option<String>,
    code: Option<i64>,
    reason: Option<String>,
}

impl HistoryFacts {
    /// At a receiver.
    pub fn at(receiver: &str) -> Self {
        Self { receiver: cut(receiver, KEY_BYTES_MAX).to_owned(), ..Self::default() }
    }

    /// On a card, sent by this bot.
    #[must_use]
    pub fn on_card(self, card: &str, bot: &str) -> Self {
        let card = Some(cut(card, KEY_BYTES_MAX).to_owned());
        Self { card, bot: Some(cut(bot, BOT_BYTES_MAX).to_owned()), ..self }
    }

    /// For a reason, with the code that Feishu gave if it gave one.
    #[must_use]
    pub fn because(self, reason: &str, code: Option<i64>) -> Self {
        Self { reason: Some(cut(reason, REASON_BYTES_MAX).to_owned()), code, ..self }
    }

    pub(super) const fn receiver(&self) -> &str {
        self.receiver.as_str()
    }

    pub(super) fn bot(&self) -> Option<&str> {
        self.bot.as_deref()
    }

    pub(super) fn card(&self) -> Option<&str> {
        self.card.as_deref()
    }

    pub(super) const fn code(&self) -> Option<i64> {
        self.code
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// What became of one alert, or of it several times.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    facts: Arc<HistoryFacts>,
    pub(super) outcome: HistoryOutcome,
    pub(super) status: Status,
    /// The envelope it came with; of several the last.
    pub(super) envelope: EnvelopeId,
    /// The envelope that has delivered it instead, or is about to.
    pub(super) by: Option<EnvelopeId>,
    /// When, in milliseconds since 1970; of several the first.
    pub(super) at_ms: i64,
    /// Tells it from others of the same millisecond.
    pub(super) number: i64,
    pub(super) last_ms: i64,
    pub(super) times: u32,
    /// Until when it waits.
    pub(super) until_ms: Option<i64>,
    pub(super) attempts: u32,
    /// Whether it was never written before.
    pub(super) is_new: bool,
    /// Its identity, its name and its labels, one behind the other: one allocation.
    texts: Vec<u8>,
    identity_end: u8,
    name_end: u8,
}

/// An alert as a row tells it from others.
#[derive(Clone, Copy, Debug)]
pub struct HistorySubject<'a> {
    /// Who it is.
    pub identity: &'a str,
    /// What its sender or its card calls it.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a Labels<'a>,
    /// Whether it fires.
    pub status: Status,
    /// The envelope it came with.
    pub envelope: EnvelopeId,
}

impl HistoryRow {
    /// What became of an alert. When is found out when it is noted.
    pub fn new(item: &Item<'_>, outcome: impl Into<HistoryOutcome>, facts: &Arc<HistoryFacts>) -> Self {
        let alert = HistorySubject {
            identity: item.alert.fingerprint.as_str(),
            name: item.name(),
            labels: &item.alert.labels,
            status: item.alert.status,
            envelope: item.envelope.id,
        };
        Self::about(alert, outcome, facts)
    }

    /// The same, of an alert by itself.
    pub fn about(
        alert: HistorySubject<'_>,
        outcome: impl Into<HistoryOutcome>,
        facts: &Arc<HistoryFacts>,
    ) -> Self {
        let identity = cut(alert.identity, KEY_BYTES_MAX);
        let name = name_of(&alert);
        let labels: usize = alert.labels.iter().map(|(name, value)| name.len() + value.len() + 6).sum();
        let mut texts = Vec::with_capacity(identity.len() + name.len() + labels.min(LABELS_BYTES_MAX) + 2);
        texts.extend_from_slice(identity.as_bytes());
        texts.extend_from_slice(name.as_bytes());
        write_labels(&mut texts, alert.labels);
        // Both limits together are less than 256.
        let end = |bytes: usize| u8::try_from(bytes).unwrap_or(u8::MAX);
        Self {
            facts: Arc::clone(facts),
            outcome: outcome.into(),
            status: alert.status,
            envelope: alert.envelope,
            by: None,
            at_ms: 0,
            number: 0,
            last_ms: 0,
            times: 1,
            until_ms: None,
            attempts: 0,
            is_new: true,
            texts,
            identity_end: end(identity.len()),
            name_end: end(identity.len() + name.len()),
        }
    }

    /// The same, because of another envelope.
    #[must_use]
    pub fn by(self, envelope: Option<EnvelopeId>) -> Self {
        Self { by: envelope, ..self }
    }

    /// The same, which lasts until then.
    #[must_use]
    pub fn until(self, until: Option<Timestamp>) -> Self {
        Self { until_ms: until.map(Timestamp::as_millisecond), ..self }
    }

    /// The same, after so many attempts.
    #[must_use]
    pub fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The same, as it happened then.
    pub(super) fn noted(self, now_ms: i64, number: i64) -> Self {
        Self { at_ms: now_ms, last_ms: now_ms, number, ..self }
    }

    pub(super) fn facts(&self) -> &HistoryFacts {
        &self.facts
    }

    pub(super) fn identity(&self) -> &[u8] {
        &self.texts[..usize::from(self.identity_end)]
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.texts[usize::from(self.identity_end)..usize::from(self.name_end)]
    }

    pub(super) fn labels(&self) -> &[u8] {
        &self.texts[usize::from(self.name_end)..]
    }

    /// How much it takes, about, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let HistoryFacts { receiver, bot, card, code: _, reason } = &*self.facts;
        let shared = [bot, card, reason].into_iter().flatten().map(String::len).sum::<usize>();
        ROW_BYTES + self.texts.len() + receiver.len() + shared
    }
}

/// By which it is looked for: what its sender calls it, or else what its card does.
fn name_of<'a>(alert: &HistorySubject<'a>) -> &'a str {
    let named = alert.labels.get("alertname").filter(|name| !name.trim().is_empty());
    name_kept(named.unwrap_or(alert.name))
}

/// What of a name is kept.
pub(super) fn name_kept(name: &str) -> &str {
    cut(name, NAME_BYTES_MAX)
}

/// As JSON, as far as there is room.
fn write_labels(texts: &mut Vec<u8>, labels: &Labels<'_>) {
    let begin = texts.len();
    texts.push(b'{');
    for (name, value) in labels.iter() {
        let before = texts.len();
        if before > begin + 1 {
            texts.push(b',');
        }
        let mut is_written = json_text(texts, name).is_ok();
        texts.push(b':');
        is_written &= json_text(texts, value).is_ok();
        if !is_written || texts.len() - begin >= LABELS_BYTES_MAX {
            texts.truncate(before);
        }
    }
    texts.push(b'}');
}

/// The beginning of a text that is too long.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use model::envelope::{Envelope, decode};

    use super::*;

    fn envelope(labels: &str) -> Envelope<'static> {
        let line = format!(
            r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-000000000001","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{{"fingerprint":"f1","status":"firing","labels":{labels}}}]}}"#
        );
        decode(line.as_bytes()).unwrap().into_owned()
    }

    fn row(labels: &str) -> HistoryRow {
        let envelope = envelope(labels);
        let facts = Arc::new(HistoryFacts::at("ops"));
        HistoryRow::new(&Item::all_of(&envelope)[0], Outcome::Delivered, &facts)
    }

    #[test]
    fn identity_name_and_labels_are_what_they_were() {
        let row = row(r#"{"alertname":"Disk \"full\"","pod":"a\nb"}"#);
        assert_eq!((row.identity(), row.name()), (&b"f1"[..], &br#"Disk "full""#[..]));
        let labels: Labels<'_> = serde_json::from_slice(row.labels()).unwrap();
        assert_eq!((labels.get("pod"), labels.len()), (Some("a\nb"), 2));
    }

    #[test]
    fn a_label_for_which_there_is_no_room_is_left_out_and_the_others_stay() {
        let long = "x".repeat(LABELS_BYTES_MAX);
        let row = row(&format!(r#"{{"alertname":"{}","long":"{long}","pod":"p"}}"#, "警".repeat(100)));
        assert_eq!(row.name().len(), NAME_BYTES_MAX - NAME_BYTES_MAX % 3, "cut between characters");
        let labels: Labels<'_> = serde_json::from_slice(row.labels()).unwrap();
        assert_eq!((labels.get("long"), labels.get("pod")), (None, Some("p")));
    }

    #[test]
    fn every_outcome_has_a_number_of_its_own() {
        for outcome in HistoryOutcome::ALL {
            assert_eq!(HistoryOutcome::of_number(outcome.number()), Some(outcome));
        }
    }
}

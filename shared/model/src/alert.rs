//! One normalised alert, as every source is turned into and every card is made from. Pure.
//!
//! The types borrow from the bytes they were parsed from (`Cow`), because ingest only passes them on:
//! copying each label would cost more than parsing it. What has to outlive the bytes calls `into_owned`.

mod fingerprint;
mod labels;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use fingerprint::Fingerprint;
pub use labels::{LABEL_VALUE_BYTES_MAX, LABELS_BYTES_MAX, LABELS_MAX, Labels};

/// One alert in its newest known state.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Alert<'a> {
    /// Who this alert is: the same for every state of the same alert.
    #[serde(borrow)]
    pub fingerprint: Fingerprint<'a>,
    /// What a version before the rule of docs/identity.md took for its fingerprint, where that was another: what was
    /// delivered under it goes on under it. `identity` on the wire, and there the two change places, so that a worker
    /// of that version finds under `fingerprint` what it goes by.
    #[serde(borrow, default, rename = "identity")]
    pub former: Option<Fingerprint<'a>>,
    /// Whether it fires or is over.
    pub status: Status,
    /// When it began; `None` where the source has no times of its own.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// When it ended. While it fires: until when its sender stands by it, of sources that say so again and again
    /// (`Source::Prometheus`), else `None`.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// What identifies and classifies it.
    #[serde(borrow, default)]
    pub labels: Labels<'a>,
    /// What explains it to a person.
    #[serde(borrow, default)]
    pub annotations: Labels<'a>,
    /// Where the rule that raised it can be seen; empty when unknown. Untrusted.
    #[serde(borrow, default)]
    pub generator_url: Cow<'a, str>,
    /// Further places to look, where the source knows them.
    #[serde(borrow, default)]
    pub links: Links<'a>,
    /// Whom the sender asked to mention.
    #[serde(borrow, default)]
    pub mention: Mention<'a>,
}

impl Alert<'_> {
    /// Goes by what it was known by before, from here on and on the wire.
    pub fn go_by_former(&mut self) {
        if let Some(former) = self.former.take() {
            self.fingerprint = former;
        }
    }

    /// Puts the two names where they belong after they were read from the wire.
    pub(crate) fn restore_names(&mut self) {
        if let Some(identity) = self.former.take() {
            self.former = Some(std::mem::replace(&mut self.fingerprint, identity));
        }
    }

    /// Copies whatever is still borrowed, so that the alert may outlive its message.
    pub fn into_owned(self) -> Alert<'static> {
        Alert {
            fingerprint: self.fingerprint.into_owned(),
            former: self.former.map(Fingerprint::into_owned),
            status: self.status,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            labels: self.labels.into_owned(),
            annotations: self.annotations.into_owned(),
            generator_url: owned(self.generator_url),
            links: self.links.into_owned(),
            mention: self.mention.into_owned(),
        }
    }
}

/// The two states an alert can be told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The condition holds.
    Firing,
    /// The condition no longer holds.
    Resolved,
}

impl Status {
    /// The word used on the wire, in logs and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// Links that come with some sources (Grafana); an empty string means there is none. Untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Links<'a> {
    /// The dashboard the rule belongs to.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub dashboard: Cow<'a, str>,
    /// The panel on that dashboard.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub panel: Cow<'a, str>,
    /// A form that silences this alert.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub silence: Cow<'a, str>,
    /// A picture of the panel when it fired.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub image: Cow<'a, str>,
}

impl Links<'_> {
    /// Whether there is nowhere to look.
    pub fn is_empty(&self) -> bool {
        self.dashboard.is_empty() && self.panel.is_empty() && self.silence.is_empty() && self.image.is_empty()
    }

    fn into_owned(self) -> Links<'static> {
        Links {
            dashboard: owned(self.dashboard),
            panel: owned(self.panel),
            silence: owned(self.silence),
            image: owned(self.image),
        }
    }
}

/// People named by the payload itself; the worker turns names and mobiles into Feishu ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mention<'a> {
    /// User names as the operators' user table has them; `all` asks for everybody.
    #[serde(borrow)]
    pub usernames: Vec<Cow<'a, str>>,
    /// Mobile numbers. Personal data: never logged, never shown on a card.
    #[serde(borrow)]
    pub mobiles: Vec<Cow<'a, str>>,
    /// Feishu open ids.
    #[serde(borrow)]
    pub open_ids: Vec<Cow<'a, str>>,
}

impl Mention<'_> {
    /// Whether nobody was named.
    pub fn is_empty(&self) -> bool {
        self.usernames.is_empty() && self.mobiles.is_empty() && self.open_ids.is_empty()
    }

    fn into_owned(self) -> Mention<'static> {
        let all = |names: Vec<Cow<'_, str>>| names.into_iter().map(owned).collect();
        Mention { usernames: all(self.usernames), mobiles: all(self.mobiles), open_ids: all(self.open_ids) }
    }
}

pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

//! Every field of every format in one struct: the body is read once, and which fields it has decides what it is.

use serde::Deserialize;
use shared::envelope::Source;

use super::lenient::{Item, List, Names, Object, Pairs, Text};
use super::{Door, SourceError};

/// How many alerts one request may carry. Groups of 20 000 occur; past this a body of empty objects would take
/// many times its length in memory.
pub(super) const ALERTS_MAX: usize = 100_000;
/// How many series of a legacy Grafana rule are kept for its value.
const EVAL_MATCHES_MAX: usize = 16;

/// The fields any source sends, whatever the format.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Shape<'a> {
    #[serde(borrow)]
    pub(super) alerts: List<RawAlert<'a>, ALERTS_MAX>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) receiver: Text<'a>,
    #[serde(borrow)]
    pub(super) version: Text<'a>,
    #[serde(borrow)]
    pub(super) group_key: Text<'a>,
    #[serde(borrow)]
    pub(super) group_labels: Pairs<'a>,
    #[serde(borrow)]
    pub(super) common_labels: Pairs<'a>,
    #[serde(borrow)]
    pub(super) common_annotations: Pairs<'a>,
    #[serde(borrow, rename = "externalURL")]
    pub(super) external_url: Text<'a>,
    #[serde(borrow)]
    pub(super) truncated_alerts: Text<'a>,

    #[serde(borrow)]
    pub(super) org_id: Text<'a>,
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,

    #[serde(borrow)]
    pub(super) rule_id: Text<'a>,
    #[serde(borrow)]
    pub(super) rule_name: Text<'a>,
    #[serde(borrow)]
    pub(super) rule_url: Text<'a>,
    #[serde(borrow, rename = "rule_url")]
    pub(super) old_rule_url: Text<'a>,
    #[serde(borrow)]
    pub(super) image_url: Text<'a>,
    #[serde(borrow, rename = "image_url")]
    pub(super) old_image_url: Text<'a>,
    #[serde(borrow)]
    pub(super) tags: Pairs<'a>,
    #[serde(borrow)]
    pub(super) eval_matches: List<EvalMatch<'a>, EVAL_MATCHES_MAX>,

    #[serde(borrow, rename = "sender_id")]
    pub(super) sender_id: Text<'a>,
    #[serde(borrow, rename = "chat_id")]
    pub(super) chat_id: Text<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow)]
    pub(super) metadata: Pairs<'a>,

    #[serde(borrow, rename = "at_name")]
    pub(super) at_name: Names<'a>,
    #[serde(borrow, rename = "at_phone")]
    pub(super) at_phone: Names<'a>,
}

/// One alert of Alertmanager or Grafana; the fields after `fingerprint` are Grafana's own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawAlert<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    #[serde(borrow)]
    pub(super) labels: Pairs<'a>,
    #[serde(borrow)]
    pub(super) annotations: Pairs<'a>,
    #[serde(borrow)]
    pub(super) starts_at: Text<'a>,
    #[serde(borrow)]
    pub(super) ends_at: Text<'a>,
    #[serde(borrow, rename = "generatorURL")]
    pub(super) generator_url: Text<'a>,
    #[serde(borrow)]
    pub(super) fingerprint: Text<'a>,
    #[serde(borrow)]
    pub(super) values: Pairs<'a>,
    #[serde(borrow)]
    pub(super) value_string: Text<'a>,
    #[serde(borrow, rename = "silenceURL")]
    pub(super) silence_url: Text<'a>,
    #[serde(borrow, rename = "dashboardURL")]
    pub(super) dashboard_url: Text<'a>,
    #[serde(borrow, rename = "panelURL")]
    pub(super) panel_url: Text<'a>,
    #[serde(borrow, rename = "imageURL")]
    pub(super) image_url: Text<'a>,
}

/// One series of a legacy Grafana rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EvalMatch<'a> {
    #[serde(borrow)]
    pub(super) metric: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Text<'a>,
    #[serde(borrow)]
    pub(super) tags: Pairs<'a>,
}

impl Item for RawAlert<'_> {
    /// Whatever else it says, it is known by nothing but what it has in common with the others.
    fn is_blank(&self) -> bool {
        self.labels.0.is_empty() && self.annotations.0.is_empty() && self.fingerprint.0.is_empty()
    }
}

impl Item for EvalMatch<'_> {}

impl<'a> Shape<'a> {
    /// Reads a body; `None` if it is JSON but not an object.
    pub(super) fn read(body: &'a str) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_str::<Object<Self>>(body).map(|object| object.0)
    }

    /// Which format this is, and what says so. The door matters only where the fields leave it open: a lone
    /// `message`.
    pub(super) fn recognise(&self, door: Door) -> Result<(Source, &'static str), SourceError> {
        let (nearest, because) = self.resembles(door);
        match self.lacks(nearest) {
            None => Ok((nearest, because)),
            Some(missing) => Err(SourceError::Unknown { nearest, missing }),
        }
    }

    fn resembles(&self, door: Door) -> (Source, &'static str) {
        let rule = [&self.rule_id, &self.rule_name, &self.rule_url, &self.old_rule_url];
        if self.alerts.items.is_some() {
            // Alertmanager writes version 4 and has no key of the other two.
            if self.version.0 == "1" || present(&[&self.org_id, &self.state]) {
                (Source::Grafana, "there is an array `alerts`, and a `version` of 1, an `orgId` or a `state`")
            } else {
                (Source::Alertmanager, "there is an array `alerts`, and nothing that only Grafana writes")
            }
        } else if self.eval_matches.items.is_some() || present(&rule) {
            (Source::GrafanaLegacy, "there are `evalMatches` or something of a rule, and no `alerts`")
        } else if present(&[&self.sender_id, &self.chat_id]) || !self.metadata.0.is_empty() {
            (Source::Custom, "there is a `sender_id`, a `chat_id` or `metadata`")
        } else if door == Door::LokiFeishu {
            (Source::LokiFeishu, "it comes to /alert")
        } else if !self.at_name.0.is_empty() || !self.at_phone.0.is_empty() {
            (Source::LokiFeishu, "there is an `at_name` or an `at_phone`")
        } else if present(&[&self.message]) {
            if present(&[&self.status]) {
                (Source::LokiFeishu, "there are a `message` and a `status`, and nothing else that is known")
            } else {
                (Source::Custom, "there is a `message` and nothing else that is known")
            }
        } else if present(&[&self.state, &self.title]) {
            (Source::GrafanaLegacy, "there is a `state` or a `title`, and no `alerts`")
        } else {
            (Source::Alertmanager, "nothing in it is known")
        }
    }

    /// What keeps this from being told as one of that format.
    fn lacks(&self, source: Source) -> Option<&'static str> {
        let untold = self.message.0.trim().is_empty();
        match source {
            Source::Alertmanager | Source::Grafana => match &self.alerts.items {
                None => Some("the array `alerts`"),
                // An empty group has nothing to tell; one of nothing but oddities has, and we cannot.
                Some(items) if items.is_empty() && self.alerts.odd > 0 => {
                    Some("objects in the array `alerts`")
                }
                Some(_) => None,
            },
            Source::GrafanaLegacy => {
                (!present(&[&self.rule_name, &self.title])).then_some("`ruleName` or `title`")
            }
            Source::Custom | Source::LokiFeishu if untold => Some("a `message` that is not empty"),
            Source::Custom => (!present(&[&self.sender_id])).then_some("`sender_id`"),
            Source::LokiFeishu => None,
        }
    }
}

fn present(fields: &[&Text<'_>]) -> bool {
    fields.iter().any(|field| !field.0.is_empty())
}

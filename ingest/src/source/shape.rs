//! Every field of every format in one struct: the body is read once, and which fields it has decides what it is. Pure.

use model::envelope::Source;
use serde::Deserialize;

use super::lenient::{AllPairs, Item, List, Names, NotedPairs, Object, Pairs, Text};
use super::{Because, Endpoint, SourceError};

/// How many alerts one request may carry. Groups of 20 000 occur; past this a body of empty objects would take
/// many times its length in memory.
pub(crate) const ALERTS_MAX: usize = 100_000;
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
    #[serde(borrow, rename = "notification_reason")]
    pub(super) notification_reason: Text<'a>,

    #[serde(borrow)]
    pub(super) org_id: Text<'a>,
    #[serde(borrow)]
    pub(super) state: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) message: Text<'a>,
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    content: Text<'a>,
    #[serde(borrow)]
    body: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    /// Whether the message begins with a title that stood beside it.
    #[serde(skip)]
    pub(super) has_title: bool,
    /// Whether it is nothing but an array of alerts.
    #[serde(skip)]
    pub(super) is_bare: bool,

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
    #[serde(borrow)]
    pub(super) key: Text<'a>,

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
    pub(super) labels: AllPairs<'a>,
    #[serde(borrow)]
    pub(super) annotations: NotedPairs<'a>,
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
    #[serde(borrow, rename = "ruleUID")]
    pub(super) rule_uid: Text<'a>,
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
        self.labels.pairs.is_empty() && self.annotations.0.is_empty() && self.fingerprint.0.is_empty()
    }
}

impl Item for EvalMatch<'_> {}

impl<'a> Shape<'a> {
    /// Reads a body; `None` if it is JSON but neither an object nor an array of alerts.
    pub(super) fn read(body: &'a str) -> Result<Option<Self>, serde_json::Error> {
        if body.trim_start().starts_with('[') {
            let alerts: List<RawAlert<'a>, ALERTS_MAX> = serde_json::from_str(body)?;
            let is_alert = |alert: &RawAlert<'_>| !alert.labels.pairs.is_empty();
            let has_any = alerts.items.iter().flatten().any(is_alert);
            return Ok(has_any.then(|| Self { alerts, is_bare: true, ..Self::default() }));
        }
        let object = serde_json::from_str::<Object<Self>>(body)?.0;
        Ok(object.map(Self::with_message))
    }

    /// A text as if it had come in the custom format.
    pub(super) fn of_text(text: &'a str, sender: String) -> Self {
        Self { message: Text(text.into()), sender_id: Text(sender.into()), ..Self::default() }
    }

    /// The text people would read, whatever its key: with the title that stands beside it before it.
    fn with_message(mut self) -> Self {
        if self.alerts.items.is_some() || !self.of_a_rule().is_empty() || self.is_of_old_grafana() {
            return self;
        }
        let is_custom = !self.sender_id.0.is_empty();
        let has_message = !self.message.0.is_empty();
        if has_message && (is_custom || self.title.0.is_empty()) {
            return self;
        }
        if !is_custom && self.title.0.is_empty() && self.status.0.is_empty() {
            return self;
        }
        let texts =
            [&mut self.message, &mut self.text, &mut self.content, &mut self.body, &mut self.description];
        let found = texts.into_iter().find(|text| !text.0.trim().is_empty());
        let text = found.map(std::mem::take).unwrap_or_default().0;
        self.has_title = !self.title.0.is_empty();
        let title = &*self.title.0;
        self.message = Text(match (title.is_empty() || text.starts_with(title), text.is_empty()) {
            (true, _) => text,
            (false, true) => self.title.0.clone(),
            (false, false) => format!("{title}\n{text}").into(),
        });
        self
    }

    /// A rule of old Grafanas without anything that names it but its title.
    fn is_of_old_grafana(&self) -> bool {
        let words = ["alerting", "ok", "paused", "pending", "no_data", "unknown"];
        !self.title.0.is_empty() && words.iter().any(|word| self.state.0.eq_ignore_ascii_case(word))
    }

    /// Which format this is, and what says so. The endpoint matters only where the fields leave it open: a text
    /// without a sender.
    pub(super) fn recognise(&self, endpoint: Endpoint) -> Result<(Source, Because), SourceError> {
        let (nearest, because) = self.resembles(endpoint);
        match self.lacks(nearest) {
            None => Ok((nearest, because)),
            Some(missing) => Err(SourceError::Unknown { nearest, missing }),
        }
    }

    fn resembles(&self, endpoint: Endpoint) -> (Source, Because) {
        if self.alerts.items.is_some() {
            self.resembles_of_groups(endpoint)
        } else {
            self.resembles_of_single(endpoint)
        }
    }

    fn resembles_of_groups(&self, endpoint: Endpoint) -> (Source, Because) {
        if self.is_bare {
            let circumstance = "in an array of its own, as for Alertmanager's own API";
            let is_pushed = endpoint == Endpoint::AlertmanagerApi;
            let source = if is_pushed { Source::Prometheus } else { Source::Alertmanager };
            return (source, Because { keys: vec!["labels"], circumstance });
        }
        let grafana = self.of_grafana();
        if grafana.is_empty() {
            let none = "and no `version` 1, no `orgId` and no `state`, which Grafana writes beside it";
            (Source::Alertmanager, Because { keys: vec!["alerts"], circumstance: none })
        } else {
            let keys = [vec!["alerts"], grafana].concat();
            (Source::Grafana, Because { keys, circumstance: "which Alertmanager does not write together" })
        }
    }

    fn resembles_of_single(&self, endpoint: Endpoint) -> (Source, Because) {
        let because = |keys: Vec<&'static str>, circumstance| Because { keys, circumstance };
        let rule = self.of_a_rule();
        let named = self.of_a_sender();
        let mentions = self.of_mentions();
        let message = shown([("message", &self.message), ("status", &self.status)]);
        let title = shown([("title", &self.title), ("state", &self.state)]);
        if !rule.is_empty() {
            (Source::GrafanaLegacy, because(rule, "and no array `alerts`"))
        } else if !self.sender_id.0.is_empty() || (endpoint == Endpoint::Any && !named.is_empty()) {
            (Source::Custom, because(named, "and no `alerts` and nothing of a rule"))
        } else if self.is_of_old_grafana() {
            (Source::GrafanaLegacy, because(title, "and no array `alerts`"))
        } else if endpoint == Endpoint::LokiFeishu {
            (Source::LokiFeishu, because(message, "and no `sender_id`, and came to /alert"))
        } else if !mentions.is_empty() {
            (Source::LokiFeishu, because(mentions, "and no `sender_id`"))
        } else if message.len() == 2 {
            (Source::LokiFeishu, because(message, "and no `sender_id`"))
        } else if self.has_title {
            (Source::LokiFeishu, because(vec!["title"], "and no `sender_id` and nothing of a rule"))
        } else if !self.message.0.is_empty() {
            (Source::Custom, because(message, "and nothing else that is known"))
        } else if !title.is_empty() {
            (Source::GrafanaLegacy, because(title, "and no array `alerts`"))
        } else {
            (Source::Alertmanager, because(Vec::new(), "nothing that is known"))
        }
    }

    /// What Grafana's unified alerting has and Alertmanager, which writes version 4, has not.
    fn of_grafana(&self) -> Vec<&'static str> {
        let version = (self.version.0 == "1").then_some("version");
        version.into_iter().chain(shown([("orgId", &self.org_id), ("state", &self.state)])).collect()
    }

    fn of_a_rule(&self) -> Vec<&'static str> {
        let fields = [
            ("ruleId", &self.rule_id),
            ("ruleName", &self.rule_name),
            ("ruleUrl", &self.rule_url),
            ("rule_url", &self.old_rule_url),
        ];
        let matches = self.eval_matches.items.is_some().then_some("evalMatches");
        shown(fields).into_iter().chain(matches).collect()
    }

    fn of_a_sender(&self) -> Vec<&'static str> {
        let metadata = (!self.metadata.0.is_empty()).then_some("metadata");
        let fields = [("sender_id", &self.sender_id), ("chat_id", &self.chat_id)];
        shown(fields).into_iter().chain(metadata).collect()
    }

    fn of_mentions(&self) -> Vec<&'static str> {
        let fields = [("at_name", &self.at_name), ("at_phone", &self.at_phone)];
        fields.into_iter().filter(|(_, names)| !names.0.is_empty()).map(|(name, _)| name).collect()
    }

    /// What keeps this from being told as one of that format.
    fn lacks(&self, source: Source) -> Option<&'static str> {
        let untold = self.message.0.trim().is_empty();
        if source == Source::GrafanaLegacy {
            return (self.rule_name.0.is_empty() && self.title.0.is_empty())
                .then_some("`ruleName` or `title`");
        }
        if matches!(source, Source::Custom | Source::LokiFeishu) {
            let lacks_sender = source == Source::Custom && self.sender_id.0.is_empty();
            let lacks_message = untold.then_some("a `message` that is not empty");
            return lacks_message.or(lacks_sender.then_some("`sender_id`"));
        }
        match &self.alerts.items {
            None => Some("the array `alerts`"),
            // An empty group has nothing to tell; one of nothing but oddities has, and we cannot.
            Some(items) if items.is_empty() && self.alerts.odd > 0 => Some("objects in the array `alerts`"),
            Some(_) => None,
        }
    }
}

/// The names of the fields that hold something.
fn shown<const N: usize>(fields: [(&'static str, &Text<'_>); N]) -> Vec<&'static str> {
    fields.into_iter().filter(|(_, field)| !field.0.is_empty()).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;

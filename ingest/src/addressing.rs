//! Which receiver an envelope is for, as far as this process can know it: in the order in which a worker looks. Where
//! routes go by labels, a worker decides, and nothing is known here. Pure.

use std::collections::{BTreeMap, BTreeSet};

use config::{BOT_MARK, Config, DEFAULT_RECEIVER, is_chat_id};
use model::envelope::{Envelope, Source};

/// The label in which the custom format's chat is kept.
const CHAT_LABEL: &str = "chat_id";

/// What ingest knows of where its alerts go.
#[derive(Clone, Debug, Default)]
pub struct Addressing {
    /// The receivers a path, a query or a body may name.
    pub receivers: BTreeSet<String>,
    /// The receivers in the chats that a body may name (`app.chats_allowed`).
    pub chats: BTreeMap<String, String>,
    /// Who is told of what names nobody; `None`: routes by label decide, or nobody is told.
    pub unnamed: Option<String>,
}

impl Addressing {
    /// That of a configuration.
    pub fn from_config(config: &Config) -> Self {
        let configured = config.receivers.iter().map(|receiver| receiver.name.clone());
        // Without any, cards are previewed for the default, or the worker knows what this process does not.
        let default = config.receivers.is_empty().then(|| DEFAULT_RECEIVER.to_owned());
        let allowed = config.app.iter().flat_map(|app| &app.chats_allowed);
        let chats = allowed.filter_map(|chat| {
            let within = config.receivers.iter().find(|receiver| receiver.is_in(chat))?;
            Some((chat.clone(), within.name.clone()))
        });
        let unnamed = config.routes.is_empty().then(|| unnamed(config)).flatten();
        Self { receivers: configured.chain(default).collect(), chats: chats.collect(), unnamed }
    }

    /// The receiver this envelope goes to; `None` where that is not known here.
    pub fn receiver_of(&self, envelope: &Envelope<'_>) -> Option<&str> {
        self.in_chat_of(envelope).or_else(|| self.called(&envelope.receiver)).or(self.unnamed.as_deref())
    }

    fn in_chat_of(&self, envelope: &Envelope<'_>) -> Option<&str> {
        if envelope.source != Source::Custom {
            return None;
        }
        let chat = envelope.alerts.iter().find_map(|alert| alert.labels.get(CHAT_LABEL))?;
        self.chats.get(chat).map(String::as_str)
    }

    /// A receiver by its name, or by the name of one of its bots.
    fn called(&self, name: &str) -> Option<&str> {
        let known = |name: &str| self.receivers.get(name).map(String::as_str);
        known(name).or_else(|| known(name.split_once(BOT_MARK)?.0))
    }
}

/// Who is told of what names nobody, where there are no routes: `default`, or else the only receiver there is.
fn unnamed(config: &Config) -> Option<String> {
    let names = || config.receivers.iter().map(|receiver| &receiver.name);
    if names().any(|name| name == DEFAULT_RECEIVER) {
        return Some(DEFAULT_RECEIVER.to_owned());
    }
    // Chats that a body may name are receivers of their own, called by their ids: nothing else goes there.
    let own: Vec<_> = names().filter(|name| !is_chat_id(name)).collect();
    match (own.as_slice(), config.receivers.as_slice()) {
        ([only], _) => Some((*only).clone()),
        ([], [only]) => Some(only.name.clone()),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use model::envelope::decode;

    use super::*;

    fn addressing() -> Addressing {
        Addressing {
            receivers: ["default", "ops"].map(str::to_owned).into(),
            chats: BTreeMap::from([("oc_1".to_owned(), "ops".to_owned())]),
            unnamed: Some("default".to_owned()),
        }
    }

    fn told(addressing: &Addressing, source: &str, receiver: &str, chat: &str) -> Option<String> {
        let line = format!(
            r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-000000000001","received_at":"2024-01-15T10:30:00Z","source":"{source}","receiver":"{receiver}","alerts":[{{"fingerprint":"f","status":"firing","labels":{{"chat_id":"{chat}"}}}}]}}"#
        );
        addressing.receiver_of(&decode(line.as_bytes()).unwrap()).map(str::to_owned)
    }

    #[test]
    fn a_receiver_is_found_by_its_name_its_bots_its_chat_and_by_default() {
        for (source, receiver, chat, expected) in [
            ("alertmanager", "ops", "", "ops"),
            ("alertmanager", "ops/2", "", "ops"),
            ("custom", "", "oc_1", "ops"),
            ("custom", "default", "oc_1", "ops"),
            ("alertmanager", "", "oc_1", "default"),
            ("custom", "gone", "oc_2", "default"),
        ] {
            assert_eq!(told(&addressing(), source, receiver, chat).as_deref(), Some(expected), "{receiver}");
        }
    }

    #[test]
    fn what_routes_decide_is_not_known_here() {
        let routed = Addressing { unnamed: None, ..addressing() };
        assert_eq!(told(&routed, "alertmanager", "gone", ""), None);
        assert_eq!(told(&routed, "alertmanager", "ops", "").as_deref(), Some("ops"));
    }
}

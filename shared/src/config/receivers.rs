//! The receivers: those of the file, and over them the variables, which mean the one called `default`.

use super::kinds::{number, text, webhook_url};
use super::reader::{Reader, Section, key, key_or};
use super::{DEFAULT_RECEIVER, ReceiverConfig, Secret};

/// How long a receiver's name may be, in bytes: it stands in logs, metrics and paths.
const NAME_BYTES_MAX: usize = 64;
/// What Feishu takes from one bot (custom bot guide, "frequency limits").
const CARDS_PER_MINUTE: u32 = 100;
const CARDS_PER_SECOND: u32 = 5;

/// A receiver as far as it is set, and where it stands.
struct Draft {
    name: String,
    place: String,
    webhook_url: Option<Secret>,
    secret: Option<Secret>,
    cards_per_minute: u32,
    cards_per_second: u32,
}

pub(super) fn read(reader: &Reader, root: &Section<'_>) -> Vec<ReceiverConfig> {
    let mut drafts: Vec<_> = root.sections("receivers").into_iter().map(draft).collect();
    let webhook_url = root.secret(key_or("feishu_webhook_url", "FEISHU_WEBHOOK_URL"), webhook_url);
    let secret = root.secret(key_or("feishu_secret", "FEISHU_SECRET"), text);
    if webhook_url.is_some() || secret.is_some() {
        let default = default_of(&mut drafts);
        // One by one: the URL may stand in a file that everybody reads, and the secret in the environment.
        default.webhook_url = webhook_url.or(default.webhook_url.take());
        default.secret = secret.or(default.secret.take());
    }
    drafts.into_iter().filter_map(|draft| checked(reader, draft)).collect()
}

fn draft((name, section): (String, Section<'_>)) -> Draft {
    let draft = Draft {
        name,
        place: section.path(),
        webhook_url: section.secret(key("webhook_url"), webhook_url),
        secret: section.secret(key("secret"), text),
        cards_per_minute: section
            .value(key("cards_per_minute"), number(1..=100_000))
            .unwrap_or(CARDS_PER_MINUTE),
        cards_per_second: section
            .value(key("cards_per_second"), number(1..=10_000))
            .unwrap_or(CARDS_PER_SECOND),
    };
    section.finish();
    draft
}

fn default_of(drafts: &mut Vec<Draft>) -> &mut Draft {
    let place = drafts.iter().position(|draft| draft.name == DEFAULT_RECEIVER).unwrap_or_else(|| {
        drafts.push(Draft {
            name: DEFAULT_RECEIVER.to_owned(),
            place: "FEISHU_SECRET".to_owned(),
            webhook_url: None,
            secret: None,
            cards_per_minute: CARDS_PER_MINUTE,
            cards_per_second: CARDS_PER_SECOND,
        });
        drafts.len() - 1
    });
    &mut drafts[place]
}

fn checked(reader: &Reader, draft: Draft) -> Option<ReceiverConfig> {
    let Draft { name, place, webhook_url, secret, cards_per_minute, cards_per_second } = draft;
    if name.len() > NAME_BYTES_MAX || name.contains(|c: char| c == '/' || c.is_control()) {
        reader.report(place, format!("a name has at most {NAME_BYTES_MAX} bytes and no slash"));
        return None;
    }
    if webhook_url.is_none() {
        reader
            .report(place, "needs a webhook_url (or webhook_url_file, or FEISHU_WEBHOOK_URL for `default`)");
    }
    Some(ReceiverConfig { name, webhook_url: webhook_url?, secret, cards_per_minute, cards_per_second })
}

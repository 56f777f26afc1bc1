//! The receivers: those of the file, and over them the variables, which mean the one called `default`.

use std::time::Duration;

use super::bots::{self, BOT_MARK, BOTS, BotConfig, BotMode};
use super::cards::card_format;
use super::kinds::{Must, duration, number, text, webhook_url};
use super::problem::Place;
use super::reader::{Key, Reader, Section, key, key_or};
use super::templates::one_of;
use super::{AppConfig, CardFormat, DEFAULT_RECEIVER, ReceiverOwners, Secret, TemplateConfig};

/// How long a receiver's name may be, in bytes: it stands in logs, metrics and paths.
const NAME_BYTES_MAX: usize = 64;
/// What `/16` takes of it.
const NUMBER_BYTES: usize = 3;
/// What Feishu takes from one bot (custom bot guide, "frequency limits"). A chat takes as many a second from all bots
/// in it; the minute is the app's, and what people can read.
const CARDS_PER_MINUTE: u32 = 100;
const CARDS_PER_SECOND: u32 = 5;
/// Where the receiver called `default` leads.
const URL_OF_DEFAULT: Key = key_or("feishu_webhook_url", "FEISHU_WEBHOOK_URL");
const CHAT_OF_DEFAULT: Key = key_or("feishu_chat_id", "FEISHU_CHAT_ID");
/// How long a receiver is out of reach before its fallback is told.
const UNREACHABLE_FOR: Duration = Duration::from_mins(10);
const UNREACHABLE_FOR_MIN: Duration = Duration::from_secs(1);
const UNREACHABLE_FOR_MAX: Duration = Duration::from_hours(24);
/// Longer than any id Feishu has given so far; it is part of a key in the database.
const CHAT_ID_BYTES_MAX: usize = 48;

/// One Feishu destination.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// What routes, paths and logs call it.
    pub name: String,
    /// Where its cards go.
    pub destination: ReceiverDestination,
    /// Cards it may be sent in a minute, by all workers together.
    pub cards_per_minute: u32,
    /// Cards it may be sent in a second, by all workers together.
    pub cards_per_second: u32,
    /// Who is told by name there.
    pub owners: ReceiverOwners,
    /// The template its cards go by; `None`: the built-in one.
    pub template: Option<String>,
    /// The format its cards are written in.
    pub card_format: CardFormat,
    /// Who is told instead where it cannot be reached, and after how long.
    pub fallback: Option<FallbackConfig>,
    /// What calls somebody when nobody takes its alerts on; `None`: nothing, but where a route says so.
    pub escalation: Option<String>,
}

/// Who is told instead of a receiver that cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallbackConfig {
    /// The receiver; it has no fallback of its own.
    pub receiver: String,
    /// For how long the other has to be out of reach.
    pub after: Duration,
}

/// How a receiver is reached.
#[derive(Clone, Debug)]
pub enum ReceiverDestination {
    /// By a custom bot of its group.
    CustomBot {
        /// Its webhook URL: a credential.
        webhook_url: Secret,
        /// Its signing secret, if it signs.
        secret: Option<Secret>,
    },
    /// By several custom bots.
    Bots {
        /// The bots.
        bots: Vec<BotConfig>,
        /// Whether each is sent every card.
        mode: BotMode,
    },
    /// By the app's bot, which is in that chat. There is an app in the configuration then.
    AppChat {
        /// The chat's id, `oc_…`.
        chat_id: String,
    },
}

impl ReceiverConfig {
    /// Whether its cards go into this chat of the app's.
    pub fn is_in(&self, chat: &str) -> bool {
        matches!(&self.destination, ReceiverDestination::AppChat { chat_id } if chat_id == chat)
    }

    /// What the ledger and the queue call it: a receiver whose bots are each sent every card is one for each of them.
    pub fn addresses(&self) -> Vec<String> {
        match &self.destination {
            ReceiverDestination::Bots { mode: BotMode::Copy, .. } => self.bot_addresses(),
            ReceiverDestination::Bots { mode: BotMode::Spread, .. }
            | ReceiverDestination::CustomBot { .. }
            | ReceiverDestination::AppChat { .. } => vec![self.name.clone()],
        }
    }

    /// What its bots are called, if it has several: `NAME/1`, `NAME/2` and so on.
    pub fn bot_addresses(&self) -> Vec<String> {
        let bots = match &self.destination {
            ReceiverDestination::Bots { bots, .. } => bots.len(),
            ReceiverDestination::CustomBot { .. } | ReceiverDestination::AppChat { .. } => 0,
        };
        (1..=bots).map(|number| format!("{}{BOT_MARK}{number}", self.name)).collect()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name
    }
}

/// A receiver as far as it is set, and where it stands.
struct Draft {
    name: String,
    place: Place,
    webhook_url: Option<Secret>,
    secret: Option<Secret>,
    chat_id: Option<String>,
    bots: Option<Vec<BotConfig>>,
    mode: Option<BotMode>,
    cards_per_minute: u32,
    cards_per_second: u32,
    owners: ReceiverOwners,
    template: Option<String>,
    card_format: Option<CardFormat>,
    fallback: Option<FallbackConfig>,
    escalation: Option<String>,
    /// Whether where it leads is set, and wrong: that is reported then.
    is_wrong: bool,
}

/// What receivers go by whose own settings do not say.
#[derive(Clone, Copy)]
pub(super) struct CardDefaults<'t> {
    pub(super) template: Option<&'t str>,
    pub(super) format: CardFormat,
}

/// `templates` are those there are.
pub(super) fn read(
    reader: &Reader,
    root: &Section<'_>,
    app: Option<&AppConfig>,
    templates: &[TemplateConfig],
    defaults: CardDefaults<'_>,
) -> Vec<ReceiverConfig> {
    let mut drafts: Vec<_> = root
        .sections("receivers")
        .into_iter()
        .map(|(name, section)| draft(reader, name, section, templates))
        .collect();
    let webhook_url = root.secret(URL_OF_DEFAULT, webhook_url);
    let secret = root.secret(key_or("feishu_secret", "FEISHU_SECRET"), text);
    let chat_id = root.value(CHAT_OF_DEFAULT, chat_id);
    let is_wrong = (webhook_url.is_none() && root.is_set(URL_OF_DEFAULT))
        || (chat_id.is_none() && root.is_set(CHAT_OF_DEFAULT));
    if webhook_url.is_some() || secret.is_some() || chat_id.is_some() || is_wrong {
        let place = if chat_id.is_some() { "FEISHU_CHAT_ID" } else { "FEISHU_SECRET" };
        let default = default_of(&mut drafts, place);
        // One by one: the URL may stand in a file that everybody reads, and the secret in the environment.
        default.webhook_url = webhook_url.or(default.webhook_url.take());
        default.secret = secret.or(default.secret.take());
        default.chat_id = chat_id.or(default.chat_id.take());
        default.is_wrong |= is_wrong;
    }
    let mut receivers: Vec<_> =
        drafts.into_iter().filter_map(|draft| checked(reader, draft, app, defaults.format)).collect();
    for chat_id in app.iter().flat_map(|app| &app.chats_allowed) {
        if !receivers.iter().any(|receiver| receiver.is_called(chat_id) || receiver.is_in(chat_id)) {
            receivers.push(ReceiverConfig {
                name: chat_id.clone(),
                destination: ReceiverDestination::AppChat { chat_id: chat_id.clone() },
                cards_per_minute: CARDS_PER_MINUTE,
                cards_per_second: CARDS_PER_SECOND,
                owners: ReceiverOwners::default(),
                template: None,
                card_format: defaults.format,
                fallback: None,
                escalation: None,
            });
        }
    }
    check_fallbacks(reader, root, &receivers);
    for receiver in &mut receivers {
        receiver.template = receiver.template.take().or_else(|| defaults.template.map(str::to_owned));
    }
    receivers
}

/// Whether this may be the id of a chat.
pub fn is_chat_id(text: &str) -> bool {
    text.len() <= CHAT_ID_BYTES_MAX
        && text.strip_prefix("oc_").is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        })
}

/// The id of a chat.
pub(super) fn chat_id(text: &str) -> Result<String, Must> {
    is_chat_id(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "the id of a chat, such as oc_84983ff6…".to_owned())
}

fn draft(reader: &Reader, name: String, section: Section<'_>, templates: &[TemplateConfig]) -> Draft {
    let webhook_url = section.secret(key("webhook_url"), webhook_url);
    let chat_id = section.value(key("chat_id"), chat_id);
    let bots = bots::read(reader, &section);
    let is_wrong = (webhook_url.is_none() && section.is_set(key("webhook_url")))
        || (chat_id.is_none() && section.is_set(key("chat_id")))
        || (bots.is_none() && section.is_set(key(BOTS)));
    let draft = Draft {
        name,
        place: section.place(),
        webhook_url,
        secret: section.secret(key("secret"), text),
        chat_id,
        bots,
        is_wrong,
        mode: bots::mode(&section),
        cards_per_minute: section
            .value(key("cards_per_minute"), number(1..=100_000))
            .unwrap_or(CARDS_PER_MINUTE),
        cards_per_second: section
            .value(key("cards_per_second"), number(1..=10_000))
            .unwrap_or(CARDS_PER_SECOND),
        owners: super::owners::of_receiver(&section),
        template: section.value(key("template"), one_of(templates)),
        card_format: section.value(key("card_format"), card_format),
        fallback: fallback(reader, &section),
        escalation: section.value(key("escalation"), text),
    };
    section.finish();
    draft
}

fn fallback(reader: &Reader, section: &Section<'_>) -> Option<FallbackConfig> {
    let receiver = section.value(key("fallback_receiver"), text);
    let after = section.value(key("unreachable_for"), duration(UNREACHABLE_FOR_MIN..=UNREACHABLE_FOR_MAX));
    if after.is_some() && !section.is_set(key("fallback_receiver")) {
        reader.report(section.place(), "unreachable_for needs fallback_receiver: who is told instead");
    }
    receiver.map(|receiver| FallbackConfig { receiver, after: after.unwrap_or(UNREACHABLE_FOR) })
}

/// Each leads to a receiver that is another, is one, and has none itself.
fn check_fallbacks(reader: &Reader, root: &Section<'_>, receivers: &[ReceiverConfig]) {
    for receiver in receivers {
        let Some(fallback) = &receiver.fallback else { continue };
        let name = &fallback.receiver;
        let other = receivers.iter().find(|other| other.is_called(name));
        let wrong = match other {
            None => "is not there",
            Some(other) if other.name == receiver.name => "is the same receiver",
            Some(other) if other.fallback.is_some() => "has a fallback_receiver itself: there are no chains",
            Some(other) if other.addresses().len() > 1 => "is several: each of its bots is sent every card",
            Some(_) => continue,
        };
        let from = &receiver.name;
        reader.report(root.place_at("receivers"), format!("fallback_receiver {name} of {from} {wrong}"));
    }
}

fn default_of<'d>(drafts: &'d mut Vec<Draft>, place: &str) -> &'d mut Draft {
    let index = drafts.iter().position(|draft| draft.name == DEFAULT_RECEIVER).unwrap_or_else(|| {
        drafts.push(Draft {
            name: DEFAULT_RECEIVER.to_owned(),
            place: place.into(),
            webhook_url: None,
            secret: None,
            chat_id: None,
            bots: None,
            mode: None,
            cards_per_minute: CARDS_PER_MINUTE,
            cards_per_second: CARDS_PER_SECOND,
            owners: ReceiverOwners::default(),
            template: None,
            card_format: None,
            fallback: None,
            escalation: None,
            is_wrong: false,
        });
        drafts.len() - 1
    });
    &mut drafts[index]
}

fn checked(
    reader: &Reader,
    draft: Draft,
    app: Option<&AppConfig>,
    format: CardFormat,
) -> Option<ReceiverConfig> {
    // The number of a bot stands behind the name.
    let bytes_max = if draft.bots.is_some() { NAME_BYTES_MAX - NUMBER_BYTES } else { NAME_BYTES_MAX };
    let Draft { name, place, cards_per_minute, cards_per_second, owners, template, .. } = &draft;
    if name.len() > bytes_max || name.contains(|c: char| c == BOT_MARK || c.is_control()) {
        reader.report(place.clone(), format!("a name has at most {bytes_max} bytes and no slash"));
        return None;
    }
    let cards_per_minute = *cards_per_minute;
    let cards_per_second = *cards_per_second;
    let name = name.clone();
    let place = place.clone();
    let owners = owners.clone();
    let template = template.clone();
    let escalation = draft.escalation.clone();
    let card_format = draft.card_format.unwrap_or(format);
    let fallback = draft.fallback.clone();
    match destination(draft, app) {
        Ok(destination) => Some(ReceiverConfig {
            name,
            destination,
            cards_per_minute,
            cards_per_second,
            owners,
            template,
            card_format,
            fallback,
            escalation,
        }),
        Err(message) => {
            reader.report(place, message);
            None
        }
    }
}

/// Where it leads, or what is to be done about it.
fn destination(draft: Draft, app: Option<&AppConfig>) -> Result<ReceiverDestination, &'static str> {
    let Draft { webhook_url, secret, chat_id, bots, mode, is_wrong, .. } = draft;
    match (webhook_url, chat_id) {
        // What is wrong is reported; the receiver is there all the same, for routes to lead to.
        _ if is_wrong => {
            Ok(ReceiverDestination::CustomBot { webhook_url: Secret::new(String::new()), secret })
        }
        (None, None) if bots.is_some() && secret.is_some() => {
            Err("secret signs what goes to a webhook_url; each of the bots has its own: move it there")
        }
        (None, None) if let Some(bots) = bots => {
            Ok(ReceiverDestination::Bots { bots, mode: mode.unwrap_or_default() })
        }
        (Some(_), _) | (_, Some(_)) if bots.is_some() => {
            Err("has more than one of webhook_url, chat_id and bots: remove what is not meant")
        }
        _ if mode.is_some() => Err("mode is for several bots: set bots, or remove it"),
        (Some(webhook_url), None) => Ok(ReceiverDestination::CustomBot { webhook_url, secret }),
        (None, Some(_)) if app.is_none() => Err(
            "chat_id needs the app that sends there: set app.id and app.secret (FEISHU_APP_ID, FEISHU_APP_SECRET)",
        ),
        (None, Some(_)) if secret.is_some() => {
            Err("secret signs what goes to a webhook_url; beside chat_id it does nothing: remove it")
        }
        (None, Some(chat_id)) => Ok(ReceiverDestination::AppChat { chat_id }),
        (Some(_), Some(_)) => Err("has both webhook_url and chat_id: remove the one that is not meant"),
        (None, None) => {
            Err("needs a webhook_url (or webhook_url_file, or FEISHU_WEBHOOK_URL for `default`), \
                             or the chat_id of a chat of the app (FEISHU_CHAT_ID for `default`)")
        }
    }
}

//! The app whose bot sends into chats, updates what it sent, and looks people up.

#[cfg(test)]
mod tests;

use url::Url;

use super::Secret;
use super::kinds::{Must, instead_of, number, text, without_blanks};
use super::reader::{Key, Reader, Section, key, key_or};
use super::receivers::chat_id;

/// Feishu's address.
const BASE_URL: &str = "https://open.feishu.cn";
const ID: Key = key_or("id", "FEISHU_APP_ID");
const SECRET: Key = key_or("secret", "FEISHU_APP_SECRET");
/// Longer than any id of an app so far; it is part of a key in the database.
const APP_ID_BYTES_MAX: usize = 48;

/// Pushes an hour where nothing else is set. Whoever has 200 unread ones gets no more (reference "Feishu", 4.9).
const URGENT_PER_HOUR: u32 = 60;

/// A self-built app, as in the developer console.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// The app's id, `cli_…`.
    pub id: String,
    /// The app's secret.
    pub secret: Secret,
    /// The platform: Feishu's address, or Lark's.
    pub base_url: String,
    /// The chats a payload may name by itself. Each is a receiver, called by its id if nothing else is in that chat.
    pub chats_allowed: Vec<String>,
    /// How people learn that everything on a card is over.
    pub resolved: ResolvedNews,
    /// How often its bot may call people.
    pub urgent: UrgentLimits,
}

/// How often the app's bot may call people by an urgent push (加急), by all workers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrgentLimits {
    /// Pushes of any kind in an hour.
    pub per_hour: u32,
    /// Text messages in a calendar month; `None`: as many as Feishu lets through.
    pub sms_per_month: Option<u32>,
    /// Telephone calls in a calendar month; `None`: as many as Feishu lets through.
    pub phone_per_month: Option<u32>,
}

impl Default for UrgentLimits {
    fn default() -> Self {
        Self { per_hour: URGENT_PER_HOUR, sms_per_month: None, phone_per_month: None }
    }
}

/// How people learn that everything on a card is over. The card itself is updated in each case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolvedNews {
    /// By the card alone, which moves no chat upwards and notifies nobody.
    Update,
    /// By a short answer to the card, too.
    #[default]
    Reply,
    /// By a card of its own, too.
    New,
}

pub(super) fn app(reader: &Reader, section: Section<'_>) -> Option<AppConfig> {
    let id = section.value(ID, app_id);
    let secret = section.secret(SECRET, text);
    let base_url = section.value(key_or("base_url", "FEISHU_BASE_URL"), base_url);
    let chats_allowed = section.values(key("chats_allowed"), chat_id);
    let resolved = section.value(key("resolved"), resolved_news).unwrap_or_default();
    let urgent = urgent(section.section("urgent"));
    let place = section.place();
    // What is set and wrong is reported already.
    let has_id = section.is_set(ID);
    let has_secret = section.is_set(SECRET);
    section.finish();
    match (id, secret) {
        (Some(id), Some(secret)) => Some(AppConfig {
            id,
            secret,
            base_url: base_url.unwrap_or_else(|| BASE_URL.to_owned()),
            chats_allowed,
            resolved,
            urgent,
        }),
        (Some(_), None) if !has_secret => {
            reader.report(
                place,
                "an id needs its secret: set app.secret, app.secret_file or FEISHU_APP_SECRET",
            );
            None
        }
        (None, Some(_)) if !has_id => {
            reader.report(place, "a secret needs its id: set app.id or FEISHU_APP_ID");
            None
        }
        (_, _) => None,
    }
}

fn urgent(section: Section<'_>) -> UrgentLimits {
    let limit = |name| section.value(key(name), number(0..=1_000_000));
    let urgent = UrgentLimits {
        per_hour: limit("per_hour").unwrap_or(URGENT_PER_HOUR),
        sms_per_month: limit("sms_per_month"),
        phone_per_month: limit("phone_per_month"),
    };
    section.finish();
    urgent
}

fn app_id(text: &str) -> Result<String, Must> {
    let usable = text.len() <= APP_ID_BYTES_MAX
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    usable.then(|| text.to_owned()).ok_or_else(|| "an app's id, such as cli_a5ca35a6…".to_owned())
}

fn base_url(text: &str) -> Result<String, Must> {
    without_blanks(text, "an address")?;
    let usable = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    usable
        .then(|| text.to_owned())
        .ok_or_else(|| "an address, such as https://open.feishu.cn or https://open.larksuite.com".to_owned())
}

fn resolved_news(text: &str) -> Result<ResolvedNews, Must> {
    match text {
        "update" => Ok(ResolvedNews::Update),
        "reply" => Ok(ResolvedNews::Reply),
        "new" => Ok(ResolvedNews::New),
        _ => Err(instead_of(text, "update, reply or new")),
    }
}

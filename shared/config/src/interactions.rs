//! What people may do from Feishu, and the Alertmanagers in which alerts are silenced for them.

use url::Url;

use super::kinds::{Must, basic_pair, text, without_blanks, yes_or_no};
use super::reader::{Reader, Section, key, key_or};
use super::{DEFAULT_RECEIVER, Secret};

/// Shorter keys could be guessed from one button.
const SIGNING_KEY_BYTES_MIN: usize = 16;
/// Emojis that say "I have it" where nothing else is set.
const REACTIONS: [&str; 3] = ["DONE", "OK", "THUMBSUP"];

/// Buttons, commands and reactions.
#[derive(Clone, Debug, Default)]
pub struct InteractionsConfig {
    /// Whether cards in chats of the app's have buttons: by default where this process knows what Feishu's callbacks
    /// are checked with, because elsewhere nobody may hear that they are pressed.
    pub buttons: bool,
    /// What the values of buttons are signed with: the first signs, all are taken. Empty: a key is made from the app's
    /// secret.
    pub signing_keys: Vec<Secret>,
    /// Who may take alerts on, by any of Feishu's ids of a person; empty: everybody in the chat.
    pub may_acknowledge: Vec<String>,
    /// Who may silence alerts; empty: everybody in the chat.
    pub may_silence: Vec<String>,
    /// Who may change who is on call; empty: everybody in the chat.
    pub may_swap: Vec<String>,
    /// Emojis that take on the alerts of the card they are put on.
    pub reactions: Vec<String>,
}

/// An Alertmanager that silences alerts.
#[derive(Clone, Debug)]
pub struct AlertmanagerConfig {
    /// What the configuration calls it.
    pub name: String,
    /// Where its API is, without `/api/v2`.
    pub url: Url,
    /// Its own address as its alerts name it, where that is another one than `url`.
    pub external_url: Option<Url>,
    /// `user:password`.
    pub basic_auth: Option<Secret>,
    /// A bearer token.
    pub bearer_token: Option<Secret>,
}

pub(super) fn interactions(section: Section<'_>, hears_presses: bool) -> InteractionsConfig {
    let allow = section.section("allow");
    let reactions = section.values(key_or("reactions", "INTERACTION_REACTIONS"), emoji);
    let interactions = InteractionsConfig {
        buttons: section.value(key_or("buttons", "INTERACTION_BUTTONS"), yes_or_no).unwrap_or(hears_presses),
        signing_keys: section.secrets(key_or("signing_keys", "INTERACTION_SIGNING_KEYS"), signing_key),
        may_acknowledge: allow.values(key("acknowledge"), text),
        may_silence: allow.values(key("silence"), text),
        may_swap: allow.values(key("swap"), text),
        reactions: if reactions.is_empty() { REACTIONS.map(str::to_owned).into() } else { reactions },
    };
    allow.finish();
    section.finish();
    interactions
}

/// Those of the file, and the one the environment can set, which is called `default`.
pub(super) fn alertmanagers(reader: &Reader, root: &Section<'_>) -> Vec<AlertmanagerConfig> {
    let sections = root.sections("alertmanagers").into_iter();
    let mut all: Vec<_> =
        sections.filter_map(|(name, section)| alertmanager(reader, name, section)).collect();
    if let Some(url) = root.value(key_or("alertmanager_url", "ALERTMANAGER_URL"), address) {
        match all.iter_mut().find(|one| one.name == DEFAULT_RECEIVER) {
            Some(default) => default.url = url,
            None => all.push(AlertmanagerConfig {
                name: DEFAULT_RECEIVER.to_owned(),
                url,
                external_url: None,
                basic_auth: None,
                bearer_token: None,
            }),
        }
    }
    all
}

fn alertmanager(reader: &Reader, name: String, section: Section<'_>) -> Option<AlertmanagerConfig> {
    let url = section.value(key("url"), address);
    let external_url = section.value(key("external_url"), address);
    let basic_auth = section.secret(key("basic_auth"), basic_pair);
    let bearer_token = section.secret(key("bearer_token"), text);
    let place = section.place();
    let is_set = section.is_set(key("url"));
    section.finish();
    if basic_auth.is_some() && bearer_token.is_some() {
        reader
            .report(place.clone(), "has both basic_auth and bearer_token: remove the one that is not meant");
    }
    if url.is_none() && !is_set {
        reader.report(place, "needs a url, such as http://alertmanager:9093");
    }
    Some(AlertmanagerConfig { name, url: url?, external_url, basic_auth, bearer_token })
}

fn address(text: &str) -> Result<Url, Must> {
    without_blanks(text, "an address")?;
    let must =
        || "an address, such as http://alertmanager:9093 or https://example.com/alertmanager".to_owned();
    let url = Url::parse(text).map_err(|_| must())?;
    // A password in it would be shown wherever the address is.
    let usable = matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none();
    usable.then_some(url).ok_or_else(must)
}

fn signing_key(text: &str) -> Result<String, Must> {
    (text.len() >= SIGNING_KEY_BYTES_MIN)
        .then(|| text.to_owned())
        .ok_or_else(|| format!("at least {SIGNING_KEY_BYTES_MIN} characters"))
}

fn emoji(text: &str) -> Result<String, Must> {
    let usable = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    usable.then(|| text.to_owned()).ok_or_else(|| "Feishu's name of an emoji, such as DONE".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::{Config, Secret, parse};

    fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
        parse("larkfire.yaml", text, pairs.iter().copied().collect()).map_err(|errors| errors.to_string())
    }

    #[test]
    fn alertmanagers_have_names_and_the_environment_sets_one() {
        let text = "
alertmanagers:
  eu:
    url: http://am-eu:9093/base
    external_url: https://eu.example.com
    bearer_token: t0ken
interactions:
  allow: { silence: [ou_1, ou_2] }
";
        let config = read(text, &[("ALERTMANAGER_URL", "http://am:9093")]).unwrap();
        let names: Vec<_> = config.alertmanagers.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["eu", "default"]);
        assert_eq!(config.alertmanagers[0].bearer_token.as_ref().map(Secret::expose), Some("t0ken"));
        assert!(!config.interactions.buttons, "nobody would hear that they are pressed");
        assert!(read("", &[("LARK_ENCRYPT_KEY", "k")]).unwrap().interactions.buttons);
        assert_eq!(config.interactions.may_silence, ["ou_1", "ou_2"]);
        assert_eq!(config.interactions.reactions, ["DONE", "OK", "THUMBSUP"]);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_key() {
        let text = "
alertmanagers:
  a: { url: 'http://user:s3cret@am:9093' }
  b: { url: 'http://am', basic_auth: 'u:p', bearer_token: t }
interactions: { signing_keys: [short], reactions: ['不'] }
";
        let problems = read(text, &[]).unwrap_err();
        for told in
            ["alertmanagers.a", "both basic_auth", "interactions.signing_keys", "interactions.reactions"]
        {
            assert!(problems.contains(told), "{told} is not in {problems}");
        }
        assert!(!problems.contains("s3cret") && !problems.contains("short"), "{problems}");
    }
}

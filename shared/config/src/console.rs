//! Settings of the operators' console.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::Duration;

use url::Url;

use super::kinds::{Must, duration, header_name, instead_of, network, without_blanks};
use super::reader::{Reader, Section, key, key_or};
use super::receivers::chat_id;
use super::{AppConfig, Network, Secret};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// Names of users are shown, and kept with what they did.
const NAME_CHARS_MAX: usize = 64;
/// The least and the most memory that one look at a password may take, in KiB.
const HASH_KIB: std::ops::RangeInclusive<u32> = 8 * 1024..=256 * 1024;
/// And how often it may go over it.
const HASH_PASSES: std::ops::RangeInclusive<u32> = 1..=16;

/// The operators' console on the admin port.
#[derive(Clone, Debug)]
pub struct ConsoleConfig {
    /// Stands before the path of every page: empty, or with a slash at its beginning and none at its end.
    pub path_prefix: String,
    /// Where browsers find it.
    pub url: Option<Url>,
    /// How long a session lasts that is not used.
    pub session_idle: Duration,
    /// How long one lasts in all.
    pub session_longest: Duration,
    /// Users with passwords.
    pub users: Vec<ConsoleUserConfig>,
    /// Who gets in with Feishu.
    pub feishu: Option<ConsoleFeishuConfig>,
    /// A proxy that says who somebody is.
    pub trusted_header: Option<TrustedHeaderConfig>,
    /// Proxies whose word on where a request comes from is taken.
    pub trusted_proxies: Vec<Network>,
}

/// What somebody may do in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleRoleConfig {
    /// Looks at everything.
    Viewer,
    /// Looks and acts.
    Operator,
}

/// A user with a password.
#[derive(Clone, Debug)]
pub struct ConsoleUserConfig {
    /// The name they log in with.
    pub name: String,
    /// An argon2id hash of their password.
    pub password_hash: Secret,
    /// What they may do.
    pub role: ConsoleRoleConfig,
}

/// Who gets in with Feishu.
#[derive(Clone, Debug)]
pub struct ConsoleFeishuConfig {
    /// The company whose people may.
    pub tenant_key: Option<String>,
    /// Who may act, by `open_id`.
    pub operators: Vec<String>,
    /// Who may look, by `open_id`.
    pub viewers: Vec<String>,
    /// Chats whose members may act.
    pub operator_chats: Vec<String>,
    /// Chats whose members may look.
    pub viewer_chats: Vec<String>,
}

/// A proxy that says who somebody is.
#[derive(Clone, Debug)]
pub struct TrustedHeaderConfig {
    /// The header that it says it in.
    pub name: String,
    /// Where the proxy connects from.
    pub from: Vec<Network>,
    /// Who may act.
    pub operators: Vec<String>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            path_prefix: String::new(),
            url: None,
            session_idle: 8 * HOUR,
            session_longest: 24 * HOUR,
            users: Vec::new(),
            feishu: None,
            trusted_header: None,
            trusted_proxies: Vec::new(),
        }
    }
}

impl ConsoleConfig {
    /// Where people find it, if that is said; without a slash at its end.
    pub fn address(&self) -> Option<String> {
        self.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned())
    }

    /// Whether anybody can log in.
    pub fn has_login(&self) -> bool {
        !self.users.is_empty() || self.feishu.is_some() || self.trusted_header.is_some()
    }
}

pub(super) fn console(reader: &Reader, section: Section<'_>, app: Option<&AppConfig>) -> ConsoleConfig {
    let default = ConsoleConfig::default();
    let session = section.section("session");
    let time = |name, range| session.value(key(name), duration(range));
    let session_idle = time("idle", MINUTE..=24 * 30 * HOUR).unwrap_or(default.session_idle);
    let session_longest = time("longest", MINUTE..=24 * 90 * HOUR).unwrap_or(default.session_longest);
    session.finish();
    let console = ConsoleConfig {
        path_prefix: section
            .value(key_or("path_prefix", "LARKFIRE_CONSOLE_PATH_PREFIX"), path_prefix)
            .unwrap_or_default(),
        url: section.value(key_or("url", "LARKFIRE_CONSOLE_URL"), public_url),
        session_idle,
        session_longest,
        users: users(reader, &section),
        feishu: feishu(section.section("feishu")),
        trusted_header: trusted_header(reader, section.section("trusted_header")),
        trusted_proxies: section.values(key("trusted_proxies"), network),
    };
    if console.feishu.is_some() {
        let place = section.place_at("feishu");
        if app.is_none() {
            reader.report(place.clone(), "needs an app: set app.id and app.secret");
        }
        if console.url.is_none() && !section.is_set(key_or("url", "LARKFIRE_CONSOLE_URL")) {
            reader.report(
                place,
                "needs console.url, the address of the console as browsers see it: Feishu sends them back there",
            );
        }
    }
    section.finish();
    console
}

fn users(reader: &Reader, section: &Section<'_>) -> Vec<ConsoleUserConfig> {
    let mut names = HashSet::new();
    let mut all = Vec::new();
    for user in section.listed("users") {
        let name = user.value(key("name"), user_name);
        let hash = user.secret(key("password_hash"), password_hash);
        let role = user.value(key("role"), role).unwrap_or(ConsoleRoleConfig::Viewer);
        let place = user.place();
        let is_there = user.is_set(key("name")) && user.is_set(key("password_hash"));
        user.finish();
        if !is_there {
            reader.report(place.clone(), "a user needs a name and a password_hash");
        }
        let (Some(name), Some(password_hash)) = (name, hash) else { continue };
        if names.insert(name.clone()) {
            all.push(ConsoleUserConfig { name, password_hash, role });
        } else {
            reader.report(place, "has the name of another user");
        }
    }
    all
}

fn feishu(section: Section<'_>) -> Option<ConsoleFeishuConfig> {
    let feishu = ConsoleFeishuConfig {
        tenant_key: section.value(key("tenant_key"), tenant_key),
        operators: section.values(key("operators"), open_id),
        viewers: section.values(key("viewers"), open_id),
        operator_chats: section.values(key("operator_chats"), chat_id),
        viewer_chats: section.values(key("viewer_chats"), chat_id),
    };
    section.finish();
    let lists = [&feishu.operators, &feishu.viewers, &feishu.operator_chats, &feishu.viewer_chats];
    lists.iter().any(|list| !list.is_empty()).then_some(feishu)
}

fn trusted_header(reader: &Reader, section: Section<'_>) -> Option<TrustedHeaderConfig> {
    let name = section.value(key("name"), header_name);
    let from = section.values(key("from"), network);
    let operators = section.values(key("operators"), user_name);
    let place = section.place();
    let has_name = section.is_set(key("name"));
    let has_from = section.is_set(key("from"));
    section.finish();
    if has_name != has_from {
        reader.report(
            place,
            "needs both a name and from, the addresses of the proxy: whoever else sends the header is not believed",
        );
    }
    let name = name.filter(|_| !from.is_empty())?;
    Some(TrustedHeaderConfig { name, from, operators })
}

/// A path such as `/larkfire`; a slash alone is none.
fn path_prefix(text: &str) -> Result<String, Must> {
    let path = text.trim_end_matches('/');
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
    let is_path = path.is_empty() || (path.starts_with('/') && !path.contains("//") && !path.contains("/."));
    if is_path && path.chars().all(is_usual) && path.len() <= 200 {
        return Ok(path.to_owned());
    }
    Err("a path such as /larkfire, of letters, digits, dashes and slashes".to_owned())
}

fn public_url(text: &str) -> Result<Url, Must> {
    let must = "the address of the console in a browser, such as https://larkfire.example.com";
    without_blanks(text, must)?;
    let url = Url::parse(text).map_err(|_| must.to_owned())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let usable =
        matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain && url.fragment().is_none();
    usable.then_some(url).ok_or_else(|| must.to_owned())
}

fn user_name(text: &str) -> Result<String, Must> {
    let usable = (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.contains(char::is_control);
    usable.then(|| text.to_owned()).ok_or_else(|| format!("a name of 1 to {NAME_CHARS_MAX} characters"))
}

fn role(text: &str) -> Result<ConsoleRoleConfig, Must> {
    match text {
        "viewer" => Ok(ConsoleRoleConfig::Viewer),
        "operator" => Ok(ConsoleRoleConfig::Operator),
        _ => Err(instead_of(text, "viewer or operator")),
    }
}

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, with parameters that neither make guessing cheap nor a look expensive.
fn password_hash(text: &str) -> Result<String, Must> {
    let is_right = || {
        let ["", "argon2id", "v=19", parameters, salt, hash] = text.split('$').collect::<Vec<_>>()[..] else {
            return None;
        };
        let [memory, passes, lanes] = parameters.split(',').collect::<Vec<_>>()[..] else { return None };
        let number = |text: &str, name: &str| text.strip_prefix(name)?.parse::<u32>().ok();
        let is_in_bounds = HASH_KIB.contains(&number(memory, "m=")?)
            && HASH_PASSES.contains(&number(passes, "t=")?)
            && (1..=8).contains(&number(lanes, "p=")?);
        let is_base64 = |text: &str, least: usize| {
            (least..=128).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/'))
        };
        // 8 bytes of salt and 16 of hash are the least that RFC 9106 knows of use.
        (is_in_bounds && is_base64(salt, 11) && is_base64(hash, 22)).then_some(())
    };
    is_right().map(|()| text.to_owned()).ok_or_else(|| {
        "a hash as `larkfire-worker console hash-password` makes it, such as $argon2id$v=19$m=19456,t=2,p=1$…; \
         in single quotes, because $ begins a variable in `${…}`"
            .to_owned()
    })
}

fn open_id(text: &str) -> Result<String, Must> {
    let usable = text.strip_prefix("ou_").is_some_and(|id| {
        !id.is_empty()
            && id.len() <= 64
            && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    });
    usable
        .then(|| text.to_owned())
        .ok_or_else(|| "an open_id of the app's, such as ou_7d8a6e6df7621556ce…".to_owned())
}

fn tenant_key(text: &str) -> Result<String, Must> {
    let usable = (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    usable.then(|| text.to_owned()).ok_or_else(|| "the key of a company, such as 2ed263bf32cf1651".to_owned())
}

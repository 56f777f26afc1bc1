//! Log-ins (OAuth 2.0, authorisation code with PKCE): codes, each good once and for five minutes, and people's tokens.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Platform;

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(2);
/// Tokens are JWTs of 1 to 2 KB.
const TOKEN_BYTES: usize = 1_500;
/// What a verifier is made of (RFC 7636, 4.1).
const VERIFIER_CHARS: std::ops::RangeInclusive<usize> = 43..=128;

/// Why a log-in does not go on.
#[derive(Debug)]
pub(crate) struct LoginRefusal {
    pub(crate) code: i64,
    pub(crate) told: String,
}

/// What a browser was sent with.
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) client_id: String,
    pub(crate) response_type: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) code_challenge: String,
    pub(crate) code_challenge_method: String,
}

/// A code that was given out.
struct GivenCode {
    app_id: String,
    redirect_uri: String,
    /// The challenge, and whether it is a hash of the verifier.
    challenge: Option<(String, bool)>,
    open_id: String,
    at: Timestamp,
    is_used: bool,
}

struct UserToken {
    open_id: String,
    end: Timestamp,
}

#[derive(Default)]
pub(super) struct Logins {
    /// Who sits at the browser; nobody: the log-in is refused there.
    pub(super) person: Option<String>,
    codes: BTreeMap<String, GivenCode>,
    tokens: BTreeMap<String, UserToken>,
    issued: u64,
}

impl Logins {
    fn secret(&mut self, what: &str, now: Timestamp) -> String {
        self.issued += 1;
        let digest = Sha256::digest(format!("{what} {} {now}", self.issued));
        digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
    }
}

fn refuse<T>(code: i64, told: &str) -> Result<T, LoginRefusal> {
    Err(LoginRefusal { code, told: told.to_owned() })
}

/// What redirect URLs are compared by: everything from `?` or `#` on is ignored.
fn path_of(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

impl Platform {
    /// Where the browser goes on to.
    pub(crate) fn authorize(&mut self, asked: Authorization, now: Timestamp) -> Result<String, LoginRefusal> {
        let Some(app) = self.apps.get(&asked.client_id) else {
            return refuse(20_048, "the app does not exist");
        };
        if asked.response_type != "code" {
            return refuse(20_001, "response_type must be code");
        }
        let is_listed =
            app.settings.redirect_urls.iter().any(|known| path_of(known) == path_of(&asked.redirect_uri));
        if asked.redirect_uri.is_empty() || !is_listed {
            return refuse(20_029, "the redirect_uri is not among the app's redirect URLs");
        }
        let challenge = match (asked.code_challenge.as_str(), asked.code_challenge_method.as_str()) {
            ("", "") => None,
            (challenge, "S256") if challenge.len() == 43 => Some((challenge.to_owned(), true)),
            (challenge, "" | "plain") if VERIFIER_CHARS.contains(&challenge.len()) => {
                Some((challenge.to_owned(), false))
            }
            _ => return refuse(20_001, "code_challenge or code_challenge_method is malformed"),
        };
        let separator = if asked.redirect_uri.contains('?') { '&' } else { '?' };
        let back = |what: &str| format!("{}{separator}{what}&state={}", asked.redirect_uri, asked.state);
        let Some(open_id) = self.logins.person.clone() else { return Ok(back("error=access_denied")) };
        let code = self.logins.secret("code", now);
        let location = back(&format!("code={code}"));
        let given = GivenCode {
            app_id: asked.client_id,
            redirect_uri: asked.redirect_uri,
            challenge,
            open_id,
            at: now,
            is_used: false,
        };
        self.logins.codes.insert(code, given);
        Ok(location)
    }

    /// A person's token for a code; the answer is flat.
    pub(crate) fn user_token(
        &mut self,
        body: &[u8],
        is_json: bool,
        is_basic: bool,
        now: Timestamp,
    ) -> Result<Value, LoginRefusal> {
        let fields: Map<String, Value> = match serde_json::from_slice(body) {
            Ok(fields) if is_json => fields,
            _ => return refuse(20_063, "the body is no JSON"),
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("grant_type") != "authorization_code" {
            return refuse(20_036, "the grant_type is not supported");
        }
        let Some(app) = self.apps.get(text("client_id")) else {
            return refuse(20_048, "the app does not exist");
        };
        if is_basic && !text("client_secret").is_empty() {
            return refuse(20_070, "more than one way of authentication");
        }
        if !app.settings.enabled {
            return refuse(20_069, "the app is not enabled");
        }
        if app.settings.secret != text("client_secret") {
            return refuse(20_002, "the client secret is wrong");
        }
        let Some(given) = self.logins.codes.get_mut(text("code")) else {
            return refuse(20_003, "the code is not found");
        };
        if given.app_id != text("client_id") {
            return refuse(20_024, "the code belongs to another client_id");
        }
        if given.is_used {
            return refuse(20_065, "the code was used already");
        }
        if now.duration_since(given.at) >= CODE_LIFE {
            return refuse(20_004, "the code has expired");
        }
        if given.redirect_uri != text("redirect_uri") {
            return refuse(20_071, "the redirect_uri differs from the one of the authorization");
        }
        if !is_verified(given.challenge.as_ref(), text("code_verifier")) {
            return refuse(20_049, "the PKCE code challenge failed");
        }
        given.is_used = true;
        let open_id = given.open_id.clone();
        if self.users.iter().any(|user| user.open_id == open_id && user.outside_app) {
            return refuse(20_010, "the user is outside the app's availability");
        }
        let mut token = format!("eyJ{}", self.logins.secret("token", now));
        token.extend(std::iter::repeat_n('x', TOKEN_BYTES.saturating_sub(token.len())));
        self.logins.tokens.insert(token.clone(), UserToken { open_id, end: now + TOKEN_LIFE });
        Ok(json!({
            "code": 0, "access_token": token, "expires_in": TOKEN_LIFE.as_secs(), "token_type": "Bearer", "scope": "",
        }))
    }

    /// Whose token it is.
    pub(crate) fn user_info(&self, token: &str, now: Timestamp) -> Result<Value, LoginRefusal> {
        let known = self.logins.tokens.get(token).filter(|token| now < token.end);
        let Some(UserToken { open_id, .. }) = known else { return refuse(20_005, "the token is invalid") };
        let Some(user) = self.users.iter().find(|user| user.open_id == *open_id) else {
            return refuse(20_008, "the user does not exist");
        };
        if user.resigned {
            return refuse(20_021, "the user has resigned");
        }
        Ok(json!({
            "open_id": user.open_id, "union_id": format!("on_{open_id}"), "name": user.name, "en_name": user.name,
            "tenant_key": user.tenant_key, "avatar_url": "https://example.com/avatar.png",
        }))
    }

    /// Who sits at the browser from now on.
    pub(crate) fn sits_at_browser(&mut self, open_id: Option<&str>) {
        self.logins.person = open_id.map(str::to_owned);
    }
}

fn is_verified(challenge: Option<&(String, bool)>, verifier: &str) -> bool {
    let Some((challenge, is_hash)) = challenge else { return true };
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let shown = if *is_hash { URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) } else { verifier.to_owned() };
    VERIFIER_CHARS.contains(&verifier.len()) && verifier.chars().all(is_usual) && *challenge == shown
}

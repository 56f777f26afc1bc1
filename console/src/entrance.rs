//! Who gets in where people log in: by a password, by Feishu, or because a proxy in front has seen to it. Once logged in they have
//! a session, which is kept in the database.

mod address;
mod attempts;
mod cookies;
mod feishu;
mod login;
mod pages;
mod passwords;
mod reasons;
mod sessions;
mod throttle;
mod trusted;

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use hyper::{HeaderMap, Method};
use prometheus::IntCounterVec;
use runtime::clock::Clock;
use runtime::telemetry::admin::{PageAnswer, PageRequest};
use subtle::ConstantTimeEq as _;
use tracing::warn;

use crate::access::{Access, Admission, ConsoleRole, Identity, comes_from_here, host_name, names_loopback};
use crate::answer::see_other;
use crate::assets;
use crate::language::Language;
use crate::request::{self, AnswerFormat, Fields};
use attempts::SharedAttempts;
use cookies::{Cookie, CookieRules};
use pages::{Doorway, OpenWays, Refusal};
use passwords::Users;
use sessions::Token;
use throttle::Throttle;

pub use attempts::AttemptStore;
pub use feishu::{FeishuLogin, FeishuLoginError, FeishuPerson, FeishuRules, KnownSince};
pub use passwords::{ConsoleUser, HashError, hash_password};
pub use sessions::{
    LoginMethod, Person, SecretHash, SessionEnds, SessionStore, SessionTimes, Stored, StoredSession,
};
pub use throttle::{FORGOTTEN_AFTER as ATTEMPTS_FORGOTTEN_AFTER, Tried};
pub use trusted::{PeerRule, TrustedHeader};

/// What the entrance is made of.
pub struct EntranceParts {
    /// The hosts that pages may be asked for under, beside those of loopback.
    pub hosts: Vec<String>,
    /// Where browsers find the console, without a slash at its end, if that is known: Feishu sends them back there.
    pub public_url: Option<String>,
    /// Whether browsers come over https.
    pub is_https: bool,
    /// Stands before every path.
    pub path_prefix: String,
    /// Users with passwords.
    pub users: Vec<ConsoleUser>,
    /// Log in with Feishu.
    pub feishu: Option<FeishuEntrance>,
    /// A proxy that has seen to who it is.
    pub trusted_header: Option<TrustedHeader>,
    /// Which peers are proxies, whose word on where a request comes from is taken.
    pub is_proxy: PeerRule,
    /// How long sessions last.
    pub times: SessionTimes,
    /// Where they are kept.
    pub sessions: Arc<dyn SessionStore>,
    /// Where attempts to log in are counted.
    pub attempts: Arc<dyn AttemptStore>,
    /// Log-ins by way and result.
    pub logins: IntCounterVec,
    /// The time.
    pub clock: Clock,
}

/// Log in with Feishu.
#[derive(Clone)]
pub struct FeishuEntrance {
    /// Who gets in.
    pub rules: FeishuRules,
    /// What asks Feishu.
    pub port: Arc<dyn FeishuLogin>,
}

/// What became of an attempt to log in, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginResult {
    /// They are in.
    LetIn,
    /// They are not who they say, or may not.
    Refused,
    /// They have to wait.
    Slowed,
    /// It could not be found out.
    Failed,
}

impl LoginResult {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::LetIn, Self::Refused, Self::Slowed, Self::Failed];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LetIn => "let_in",
            Self::Refused => "refused",
            Self::Slowed => "slowed",
            Self::Failed => "failed",
        }
    }
}

/// The way in for people who log in.
pub struct Entrance {
    parts: EntranceParts,
    users: Users,
    cookies: CookieRules,
    /// As this worker remembers them.
    throttle: Mutex<Throttle>,
    /// As all of them do.
    attempts: SharedAttempts,
}

/// A request, read as far as it has to be before anybody is known.
struct Visit<'r> {
    request: &'r PageRequest,
    query: Fields,
    language: Language,
    format: AnswerFormat,
}

/// Somebody with a session.
struct LoggedIn {
    token: Token,
    person: Person,
    role: ConsoleRole,
}

impl Entrance {
    /// Made of these parts.
    pub fn new(mut parts: EntranceParts) -> Self {
        let users = Users::new(std::mem::take(&mut parts.users));
        let cookies = CookieRules { is_https: parts.is_https, path_prefix: parts.path_prefix.clone() };
        let attempts = SharedAttempts(Arc::clone(&parts.attempts));
        Self { parts, users, cookies, throttle: Mutex::default(), attempts }
    }

    async fn decide(&self, request: &PageRequest, path: &str) -> Admission {
        let query = Fields::read(request.uri.query().unwrap_or_default().as_bytes());
        let language = request::language(&query, &request.headers);
        let visit = Visit { request, format: request::format(&query), query, language };
        match self.admitted(&visit, path).await {
            Ok(admission) => admission,
            Err(refusal) => instead(self.door(&visit).refused(&refusal)),
        }
    }

    async fn admitted(&self, visit: &Visit<'_>, path: &str) -> Result<Admission, Refusal> {
        let headers = &visit.request.headers;
        if !self.is_known_host(headers) {
            return Err(reasons::wrong_host());
        }
        if let Some(asset) = assets::find(path) {
            return Ok(instead(asset));
        }
        let trusted = self.parts.trusted_header.as_ref();
        if let Some(identity) = trusted.and_then(|trusted| trusted.identity(visit.request)) {
            let is_door = path == "/login" || path.starts_with("/login/");
            return Ok(if is_door { instead(self.to("/")) } else { Admission::As(identity) });
        }
        match path {
            "/login" => self.login(visit).await.map(instead),
            "/login/feishu" => self.to_feishu(visit).map(instead),
            "/login/feishu/callback" => Ok(instead(self.back_from_feishu(visit).await)),
            "/logout" | "/logout/everywhere" => self.log_out(visit, path).await.map(instead),
            _ => match self.logged_in(headers).await? {
                Some(who) => Ok(Admission::As(Identity {
                    form_token: who.token.form_token(),
                    name: who.person.name,
                    role: who.role,
                    is_logged_in: true,
                })),
                None => self.nobody(visit, path).map(instead),
            },
        }
    }

    /// Nobody is logged in: people are led to the form, programs are told.
    fn nobody(&self, visit: &Visit<'_>, path: &str) -> Result<PageAnswer, Refusal> {
        let is_read = [Method::GET, Method::HEAD].contains(&visit.request.method);
        if self.users.is_empty() && self.parts.feishu.is_none() {
            return Err(reasons::not_through_the_proxy());
        }
        if visit.format != AnswerFormat::Html || !is_read {
            return Err(reasons::not_logged_in());
        }
        let query = visit.request.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let next: String =
            url::form_urlencoded::byte_serialize(format!("{path}{query}").as_bytes()).collect();
        Ok(self.to(&format!("/login?next={next}")))
    }

    /// Who has the session that the browser shows, if it is one and they may still come in.
    async fn logged_in(&self, headers: &HeaderMap) -> Result<Option<LoggedIn>, Refusal> {
        let shown = self.cookies.shown(headers, Cookie::Session).and_then(Token::shown);
        let Some(token) = shown else { return Ok(None) };
        let now = self.parts.clock.now();
        let found = self.parts.sessions.find(token.hash()).await;
        let Some(session) = found.map_err(|error| reasons::no_database(&error))? else { return Ok(None) };
        if session.is_over(self.parts.times.ends(now)) {
            self.forget(&token).await;
            return Ok(None);
        }
        let role = match session.person.way {
            LoginMethod::Password => {
                let user = self.users.find(&session.person.subject);
                user.filter(|user| bool::from(user.proof().ct_eq(&session.proof))).map(|user| user.role)
            }
            LoginMethod::Feishu => match &self.parts.feishu {
                Some(FeishuEntrance { rules, port }) => {
                    let role = rules.role(port.as_ref(), &session.person.subject, KnownSince::Lately).await;
                    role.map_err(|error| reasons::of_feishu(&error))?
                }
                None => None,
            },
        };
        let Some(role) = role else {
            self.forget(&token).await;
            return Ok(None);
        };
        if session.is_to_be_noted(now)
            && let Err(error) = self.parts.sessions.used(token.hash(), now).await
        {
            // At worst they have to log in again earlier.
            warn!(%error, "the use of a console session was not written down");
        }
        Ok(Some(LoggedIn { token, person: session.person, role }))
    }

    /// What is over and stays in the database is found to be over once more.
    async fn forget(&self, token: &Token) {
        if let Err(error) = self.parts.sessions.end(token.hash()).await {
            warn!(%error, "a console session that is over was not removed");
        }
    }

    fn is_known_host(&self, headers: &HeaderMap) -> bool {
        let is_ours = |name: &str| self.parts.hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
        names_loopback(headers) || host_name(headers).is_some_and(is_ours)
    }

    fn door<'d>(&'d self, visit: &'d Visit<'_>) -> Doorway<'d> {
        Doorway {
            prefix: &self.parts.path_prefix,
            query: &visit.query,
            language: visit.language,
            format: visit.format,
            ways: OpenWays { passwords: !self.users.is_empty(), feishu: self.parts.feishu.is_some() },
        }
    }

    /// Leads to another page of ours.
    fn to(&self, path: &str) -> PageAnswer {
        pages::private(see_other(&format!("{}{path}", self.parts.path_prefix)))
    }

    fn count(&self, way: LoginMethod, result: LoginResult) {
        self.parts.logins.with_label_values(&[way.as_str(), result.as_str()]).inc();
    }
}

impl Access for Entrance {
    fn admit<'a>(&'a self, request: &'a PageRequest, path: &'a str) -> BoxFuture<'a, Admission> {
        Box::pin(self.decide(request, path))
    }

    fn is_own_form(&self, request: &PageRequest, identity: &Identity, token: Option<&str>) -> bool {
        let is_theirs = if identity.is_logged_in {
            token.is_some_and(|token| sessions::is_same(token, &identity.form_token))
        } else {
            // A proxy's people have no session: what a browser says of its page has to do, and one always says it.
            request.headers.contains_key(hyper::header::ORIGIN)
                || !request.headers.contains_key(hyper::header::COOKIE)
        };
        request.method == Method::POST && comes_from_here(&request.headers) && is_theirs
    }
}

fn instead(answer: PageAnswer) -> Admission {
    Admission::Instead(Box::new(answer))
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Entrance").field("users", &self.users).finish_non_exhaustive()
    }
}

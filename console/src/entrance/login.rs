//! The steps of logging in and out.

use std::net::IpAddr;
use std::sync::PoisonError;

use hyper::{Method, StatusCode};
use jiff::SignedDuration;
use runtime::telemetry::admin::{PageAnswer, PageRequest, only_get};
use tracing::{info, warn};
use url::form_urlencoded;

use super::attempts::{AttemptKeys, TriedName};
use super::cookies::Cookie;
use super::feishu::{KnownSince, PendingLogin};
use super::pages::{LoginForm, Refusal, private};
use super::reasons;
use super::sessions::{LoginMethod, Person, SecretHash, StoredSession, Token, is_same};
use super::{Entrance, FeishuEntrance, LoginResult, Visit, address};
use crate::access::comes_from_here;
use crate::answer::see_other;
use crate::request::Fields;

/// How long a form to log in may be open, and a log-in with Feishu may take.
const FORM_LASTS: SignedDuration = SignedDuration::from_mins(10);
/// The longest address that is led to after the log-in.
const NEXT_BYTES_MAX: usize = 1_500;

impl Entrance {
    /// The form to log in, and what is sent with it.
    pub(super) async fn login(&self, visit: &Visit<'_>) -> Result<PageAnswer, Refusal> {
        match visit.request.method {
            Method::GET | Method::HEAD => {
                if self.logged_in(&visit.request.headers).await.is_ok_and(|who| who.is_some()) {
                    return Ok(self.to(&next(&visit.query)));
                }
                Ok(self.form(visit, &next(&visit.query), "", false))
            }
            Method::POST => self.password(visit).await,
            _ => Ok(only_get()),
        }
    }

    /// A form belongs to the browser it was made for: nobody else can log somebody in with it.
    fn form(&self, visit: &Visit<'_>, next: &str, name: &str, is_refused: bool) -> PageAnswer {
        let shown = self.cookies.shown(&visit.request.headers, Cookie::Form).and_then(Token::shown);
        let token = shown.unwrap_or_else(Token::new);
        let form = LoginForm { token: &token.form_token(), next, name, is_refused };
        let mut answer = self.door(visit).login(&form);
        self.cookies.set(&mut answer, Cookie::Form, token.as_str(), FORM_LASTS.as_secs());
        answer
    }

    async fn password(&self, visit: &Visit<'_>) -> Result<PageAnswer, Refusal> {
        if self.users.is_empty() {
            return Err(reasons::no_such_way());
        }
        let request = visit.request;
        let sent = Fields::read(&request.body);
        let own = self.cookies.shown(&request.headers, Cookie::Form).and_then(Token::shown);
        let is_own = own.zip(sent.get("token")).is_some_and(|(own, sent)| is_same(&own.form_token(), sent));
        if !is_own || !comes_from_here(&request.headers) {
            return Err(reasons::foreign_form());
        }
        let name = sent.get("name").unwrap_or_default();
        // Not by `Fields`, which leaves out blanks at the ends.
        let fields = form_urlencoded::parse(&request.body);
        let password = fields.into_iter().find(|(name, _)| name == "password").map(|(_, value)| value);
        let from = self.address(request);
        self.begin(LoginMethod::Password, Some(name), from).await?;
        let Some(user) = self.users.authenticate(name, &password.unwrap_or_default()).await else {
            self.count(LoginMethod::Password, LoginResult::Refused);
            // What was written where a name belongs may be a password.
            let known = self.users.find(name).map(|user| user.name.as_str());
            warn!(user = known, address = %from, "a log-in to the console was refused: wrong name or password");
            return Ok(self.form(visit, &next(&sent), name, true));
        };
        let person =
            Person { way: LoginMethod::Password, subject: user.name.clone(), name: user.name.clone() };
        let answer = self.enter(request, person, user.proof(), &next(&sent)).await?;
        self.succeeded(Some(name), from).await;
        Ok(answer)
    }

    /// Sends the browser to Feishu.
    pub(super) fn to_feishu(&self, visit: &Visit<'_>) -> Result<PageAnswer, Refusal> {
        let Some((feishu, redirect_uri)) = self.parts.feishu.as_ref().zip(self.redirect_uri()) else {
            return Err(reasons::no_such_way());
        };
        let pending = PendingLogin::new(next(&visit.query));
        let url =
            feishu.port.authorize_url(&redirect_uri, pending.state.as_str(), &pending.verifier.challenge());
        let mut answer = private(see_other(&url));
        self.cookies.set(&mut answer, Cookie::Feishu, &pending.written(), FORM_LASTS.as_secs());
        Ok(answer)
    }

    /// The browser is back. Whatever comes of it, this log-in is over.
    pub(super) async fn back_from_feishu(&self, visit: &Visit<'_>) -> PageAnswer {
        let mut answer = match self.feishu(visit).await {
            Ok(answer) => answer,
            Err(refusal) => {
                let result = match refusal.status {
                    StatusCode::TOO_MANY_REQUESTS => LoginResult::Slowed,
                    status if status.is_server_error() => LoginResult::Failed,
                    _ => LoginResult::Refused,
                };
                // A slowed one is counted where it is slowed.
                if result != LoginResult::Slowed {
                    self.count(LoginMethod::Feishu, result);
                    warn!(reason = refusal.code, "a log-in to the console with Feishu came to nothing");
                }
                self.door(visit).refused(&refusal)
            }
        };
        self.cookies.remove(&mut answer, Cookie::Feishu);
        answer
    }

    async fn feishu(&self, visit: &Visit<'_>) -> Result<PageAnswer, Refusal> {
        let Some((FeishuEntrance { rules, port }, redirect_uri)) =
            self.parts.feishu.as_ref().zip(self.redirect_uri())
        else {
            return Err(reasons::no_such_way());
        };
        let request = visit.request;
        let state = visit.query.get("state").unwrap_or_default();
        let cookie = self.cookies.shown(&request.headers, Cookie::Feishu).unwrap_or_default();
        let pending = PendingLogin::read(cookie, state).ok_or_else(reasons::of_another_browser)?;
        let from = self.address(request);
        self.begin(LoginMethod::Feishu, None, from).await?;
        let now = self.parts.clock.now();
        let until = now.checked_add(FORM_LASTS).unwrap_or(now);
        let is_first = self.parts.sessions.use_once(pending.state.hash(), now, until).await;
        if !is_first.map_err(|error| reasons::no_database(&error))? {
            return Err(reasons::used_before());
        }
        if visit.query.get("error").is_some() {
            return Err(reasons::denied());
        }
        let code = visit.query.get("code").ok_or_else(reasons::of_another_browser)?;
        let person = port.person(code, pending.verifier.as_str(), &redirect_uri).await;
        let person = person.map_err(|error| reasons::of_feishu(&error))?;
        if rules.tenant_key.as_ref() != Some(&person.tenant_key) {
            return Err(reasons::another_company(&person.tenant_key));
        }
        let role = rules.role(port.as_ref(), &person.open_id, KnownSince::Now).await;
        if role.map_err(|error| reasons::of_feishu(&error))?.is_none() {
            return Err(reasons::not_on_the_list(&person.open_id));
        }
        let name = format!("{} ({})", person.name, person.open_id);
        let person = Person { way: LoginMethod::Feishu, subject: person.open_id, name };
        let answer = self.enter(request, person, SecretHash::default(), &pending.next).await?;
        self.succeeded(None, from).await;
        Ok(answer)
    }

    /// Lets somebody in, with a session that nobody knew before.
    async fn enter(
        &self,
        request: &PageRequest,
        person: Person,
        proof: SecretHash,
        next: &str,
    ) -> Result<PageAnswer, Refusal> {
        let sessions = &self.parts.sessions;
        let now = self.parts.clock.now();
        if let Some(before) = self.cookies.shown(&request.headers, Cookie::Session).and_then(Token::shown) {
            self.forget(&before).await;
        }
        let token = Token::new();
        let way = person.way;
        let session = StoredSession { person, proof, begun_at: now, used_at: now };
        let begun = sessions.begin(token.hash(), &session, self.parts.times.ends(now)).await;
        begun.map_err(|error| {
            self.count(way, LoginResult::Failed);
            reasons::no_database(&error)
        })?;
        let who = &session.person.name;
        self.noted(who, "log_in", way.as_str()).await;
        self.count(way, LoginResult::LetIn);
        info!(who, way = way.as_str(), address = %self.address(request), "somebody logged in to the console");
        let mut answer = self.to(next);
        self.cookies.set(&mut answer, Cookie::Session, token.as_str(), self.parts.times.longest.as_secs());
        self.cookies.remove(&mut answer, Cookie::Form);
        Ok(answer)
    }

    /// Logs out here, or everywhere.
    pub(super) async fn log_out(&self, visit: &Visit<'_>, path: &str) -> Result<PageAnswer, Refusal> {
        let request = visit.request;
        let Some(who) = self.logged_in(&request.headers).await? else { return Ok(self.to("/login")) };
        let sent = Fields::read(&request.body);
        let is_own = sent.get("token").is_some_and(|sent| is_same(sent, &who.token.form_token()));
        if request.method != Method::POST || !is_own || !comes_from_here(&request.headers) {
            return Err(reasons::foreign_form());
        }
        let sessions = &self.parts.sessions;
        let (ended, action) = if path == "/logout" {
            (sessions.end(who.token.hash()).await, "log_out")
        } else {
            (sessions.end_all(&who.person).await.map(drop), "log_out_everywhere")
        };
        ended.map_err(|error| reasons::no_database(&error))?;
        self.noted(&who.person.name, action, who.person.way.as_str()).await;
        let mut answer = self.to("/login");
        self.cookies.remove(&mut answer, Cookie::Session);
        Ok(answer)
    }

    async fn noted(&self, who: &str, action: &str, outcome: &str) {
        if let Err(error) = self.parts.sessions.note(who, action, outcome).await {
            warn!(%error, who, action, "what somebody did in the console is not in the audit trail");
        }
    }

    /// Begins an attempt, which counts as failed until it is known better: here, and where all workers count.
    async fn begin(&self, way: LoginMethod, name: Option<&str>, from: IpAddr) -> Result<(), Refusal> {
        let now = self.parts.clock.now();
        let mut wait = {
            let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.begin(name, from, now).err()
        };
        if wait.is_none() {
            // With the database away it is this worker alone that counts; then there is no session either.
            wait = self.attempts.begin(&self.attempt(name, from), now).await.unwrap_or_default();
        }
        let Some(wait) = wait else { return Ok(()) };
        self.count(way, LoginResult::Slowed);
        // Rounded up: who comes at the very second is early.
        Err(reasons::slowed(wait.as_secs() + 1))
    }

    async fn succeeded(&self, name: Option<&str>, from: IpAddr) {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).succeeded(name, from);
        let now = self.parts.clock.now();
        if let Err(error) = self.attempts.succeeded(&self.attempt(name, from), now).await {
            // At worst somebody who mistypes next waits a little.
            warn!(%error, "that a log-in to the console went well is not counted by the other workers");
        }
    }

    /// What an attempt is counted under.
    fn attempt(&self, name: Option<&str>, from: IpAddr) -> AttemptKeys {
        let known = |name| match self.users.find(name) {
            Some(user) => TriedName::User(&user.name),
            None => TriedName::Nobody(name),
        };
        AttemptKeys::of(name.map(known), from)
    }

    fn address(&self, request: &PageRequest) -> IpAddr {
        address::client(request.peer.ip(), &request.headers, &self.parts.is_proxy)
    }

    fn redirect_uri(&self) -> Option<String> {
        Some(format!("{}/login/feishu/callback", self.parts.public_url.as_ref()?))
    }
}

/// The page of ours that is led to after the log-in: no other site's, whatever the address says.
fn next(fields: &Fields) -> String {
    let next = fields.get("next").unwrap_or_default();
    let is_ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/login")
        && !next.starts_with("/logout")
        && next.len() <= NEXT_BYTES_MAX
        && next.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    if is_ours { next.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_a_page_of_ours() {
        let of = |next_page: &str| {
            let query: String = form_urlencoded::byte_serialize(next_page.as_bytes()).collect();
            next(&Fields::read(format!("next={query}").as_bytes()))
        };
        assert_eq!(of("/receivers?q=a%22b"), "/receivers?q=a%22b");
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "receivers",
            "/login?next=/",
        ] {
            assert_eq!(of(other), "/", "{other}");
        }
    }
}

//! The console as a page of the admin port: who asks, in which language, for which page.

use std::sync::Arc;

use hyper::Method;
use hyper::header::{ALLOW, HeaderValue};
use jiff::tz::TimeZone;
use runtime::telemetry::admin::{Page, PageAnswer, PageFuture, PageRequest, only_get};
use tokio::sync::Semaphore;

use crate::access::{Access, Admission, Identity};
use crate::answer;
use crate::assets;
use crate::backend::{ConsoleActs, ConsoleReads, ExplainsPayload};
use crate::frame::Frame;
use crate::language::Language;
use crate::request::{self, AnswerFormat, Fields};
use crate::route::ConsoleRoute;
use crate::shared_sheets::SharedSheets;

/// Pages made at once: each asks the database, and deliveries are not to wait for people who look at them.
const PAGES_AT_ONCE: usize = 8;
/// Payloads explained at once: a long one takes a core for seconds, and alerts and pages are to have one too.
const EXPLAINED_AT_ONCE: usize = 1;

/// What the console is made of.
pub struct ConsoleParts {
    /// What can be looked at.
    pub reads: Arc<dyn ConsoleReads>,
    /// What can be done.
    pub acts: Arc<dyn ConsoleActs>,
    /// What explains payloads, where there is such a thing.
    pub explains: Option<Arc<dyn ExplainsPayload>>,
    /// Who may.
    pub access: Arc<dyn Access>,
    /// Stands before every path: empty, or with a slash at its beginning and none at its end.
    pub path_prefix: String,
    /// In which times are shown.
    pub timezone: TimeZone,
    /// The version, for the foot of pages.
    pub version: String,
    /// Whether cards are shown here and sent to nobody, which every page says.
    pub is_previewing: bool,
}

/// The console.
pub struct Console {
    pub(crate) parts: ConsoleParts,
    places: Semaphore,
    pub(crate) explaining: Semaphore,
    /// What fires now, as it was shown a moment ago.
    pub(crate) firing: SharedSheets,
}

/// A request that somebody may make.
pub(crate) struct Asked<'r> {
    pub(crate) request: &'r PageRequest,
    /// Below the prefix.
    pub(crate) path: &'r str,
    pub(crate) query: Fields,
    pub(crate) language: Language,
    pub(crate) format: AnswerFormat,
    pub(crate) identity: Identity,
}

impl Console {
    /// Made of these parts.
    pub fn new(parts: ConsoleParts) -> Self {
        let places = Semaphore::new(PAGES_AT_ONCE);
        let explaining = Semaphore::new(EXPLAINED_AT_ONCE);
        Self { parts, places, explaining, firing: SharedSheets::default() }
    }

    async fn respond(&self, request: &PageRequest) -> Option<PageAnswer> {
        let path = request::below(request.uri.path(), &self.parts.path_prefix)?;
        let identity = match self.parts.access.admit(request, path).await {
            Admission::Off => return None,
            Admission::Instead(answer) => return Some(answer::finished(*answer, &request.headers)),
            Admission::As(identity) => identity,
        };
        if let Some(asset) = assets::find(path) {
            return Some(answer::finished(asset, &request.headers));
        }
        let route = ConsoleRoute::of(path)?;
        let is_read = [Method::GET, Method::HEAD].contains(&request.method);
        let is_form = request.method == Method::POST && route.takes_a_form();
        if !is_form && (route.acts() || !is_read) {
            return Some(answer::finished(wrong_method(&route), &request.headers));
        }
        let query = Fields::read(request.uri.query().unwrap_or_default().as_bytes());
        let format = request::format(&query);
        let Ok(_place) = self.places.try_acquire() else {
            return Some(answer::finished(answer::busy(format), &request.headers));
        };
        let language = request::language(&query, &request.headers);
        let is_chosen = query.get("lang").is_some();
        let asked = Asked { request, path, query, language, format, identity };
        let mut answer = self.page(&route, &asked).await;
        if is_chosen {
            answer::keep_language(&mut answer, language, &self.parts.path_prefix);
        }
        Some(answer::finished(answer, &asked.request.headers))
    }

    pub(crate) fn frame<'f>(&'f self, asked: &'f Asked<'_>) -> Frame<'f> {
        Frame {
            prefix: &self.parts.path_prefix,
            language: asked.language,
            identity: &asked.identity,
            query: &asked.query,
            version: &self.parts.version,
            zone: &self.parts.timezone,
            can_explain: self.parts.explains.is_some(),
            is_previewing: self.parts.is_previewing,
        }
    }
}

fn wrong_method(route: &ConsoleRoute) -> PageAnswer {
    let mut answer = only_get();
    if route.acts() {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    answer
}

impl Page for Console {
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p> {
        Box::pin(self.respond(request))
    }
}

//! `/oncall/NAME.ics`: who is on call, for calendars that subscribe to it. Whoever is logged in to the console reads any; a
//! calendar, which cannot log in, shows the token of that rotation.

use std::sync::Arc;

use config::Secret;
use console::access::{Access, Admission};
use model::signature::is_same_secret;
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, HeaderValue};
use runtime::telemetry::admin::{Page, PageAnswer, PageFuture, PageRequest, only_get, page};

use crate::oncall::OnCall;

const CALENDAR: &str = "text/calendar; charset=utf-8";
/// Whoever guesses learns nothing by how it is answered.
const NOT_FOUND: &str = "there is no such calendar here, or it takes its token\n";

/// The calendars.
pub(super) struct CalendarPage {
    pub(super) oncall: OnCall,
    /// `None`: nobody can log in.
    pub(super) access: Option<Arc<dyn Access>>,
    /// Stands before every path of the console.
    pub(super) path_prefix: String,
}

impl Page for CalendarPage {
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p> {
        Box::pin(self.respond(request))
    }
}

impl CalendarPage {
    async fn respond(&self, request: &PageRequest) -> Option<PageAnswer> {
        let path = request.uri.path().strip_prefix(&self.path_prefix)?;
        let name = path.strip_prefix("/oncall/")?.strip_suffix(".ics")?;
        let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
        if request.method != "GET" && request.method != "HEAD" {
            return Some(only_get());
        }
        let rotation = self.oncall.rotation(&name);
        let token =
            rotation.as_ref().and_then(|rotation| rotation.calendar_token.as_ref()).map(Secret::expose);
        let shown = token_of(request.uri.query().unwrap_or_default());
        let has_token = token.zip(shown).is_some_and(|(token, shown)| is_same_secret(shown, token));
        if !has_token {
            // A token that is wrong is no reason to ask for a log-in: a calendar cannot.
            let access = self.access.as_ref().filter(|_| shown.is_none());
            match access {
                None => return Some(not_found()),
                Some(access) => match access.admit(request, path).await {
                    Admission::As(_) => {}
                    Admission::Instead(answer) => return Some(*answer),
                    Admission::Off => return None,
                },
            }
        }
        let Some(rotation) = rotation else { return Some(not_found()) };
        let mut answer = page(CALENDAR, self.oncall.calendar(&rotation).into());
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(answer)
    }
}

/// Tokens have no sign that would be escaped in a query.
fn token_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn not_found() -> PageAnswer {
    let mut answer = page("text/plain; charset=utf-8", NOT_FOUND.into());
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

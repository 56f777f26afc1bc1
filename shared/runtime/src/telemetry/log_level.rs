//! What is logged, changed while the process runs: for whoever looks for something at night and does not want to restart what
//! misbehaves. It is for this machine only, it is said in the log, and it ends by itself.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HOST;
use hyper::{Method, StatusCode};
use tokio::time::{Instant, sleep};
use tracing::warn;

use super::admin::{Page, PageAnswer, PageFuture, PageRequest, TEXT, only_get, page, respond};
use super::logging::LogFilter;
use crate::lifecycle::Lifecycle;

/// Where it is shown and changed.
const PATH: &str = "/log-level";
/// How long it lasts where nothing is said.
const MINUTES: u64 = 15;
/// How long it may last.
const MINUTES_MAX: u64 = 240;
/// What a filter may say, in bytes.
const FILTER_BYTES_MAX: usize = 4096;
/// What may stand before a number of minutes in the address.
const MINUTES_PARAMETER: &str = "minutes=";

/// The page of the admin port that shows and changes what is logged.
#[derive(Clone)]
pub struct LogLevelPage(Arc<LogLevelState>);

struct LogLevelState {
    filter: LogFilter,
    lifecycle: Lifecycle,
    changed: Mutex<Changed>,
}

/// What differs from the configuration.
#[derive(Debug, Default)]
struct Changed {
    asked: Option<AskedLevel>,
    /// Counts the changes: an end that was planned for an earlier one is none.
    number: u64,
}

#[derive(Clone, Debug)]
struct AskedLevel {
    filter: String,
    until: Instant,
}

impl LogLevelPage {
    /// Changes this filter.
    pub fn new(filter: LogFilter, lifecycle: &Lifecycle) -> Self {
        Self(Arc::new(LogLevelState { filter, lifecycle: lifecycle.clone(), changed: Mutex::default() }))
    }

    fn shown(&self) -> PageAnswer {
        let configured = self.0.filter.configured();
        let asked = self.0.changed().asked.clone();
        let filter = asked.as_ref().map_or(configured, |asked| &asked.filter);
        let mut text = format!("filter: {filter}\nconfigured: {configured}\n");
        if let Some(asked) = &asked {
            let left = asked.until.saturating_duration_since(Instant::now()).as_secs();
            // Writing to a string cannot fail.
            let _written = writeln!(text, "seconds_left: {left}");
        }
        page(TEXT, text.into())
    }

    fn change(&self, filter: &str, minutes: u64) -> Result<(), String> {
        // Said by both what was logged before and what is from now on: one of them may leave it out.
        let said = || warn!(filter, minutes, "the log level was changed at the admin port, for a while");
        said();
        let number = {
            let mut changed = self.0.changed();
            self.0.filter.set(filter)?;
            let until = Instant::now() + Duration::from_mins(minutes);
            changed.asked = Some(AskedLevel { filter: filter.to_owned(), until });
            changed.number += 1;
            changed.number
        };
        said();
        let page = self.clone();
        self.0.lifecycle.spawn_detached(async move {
            sleep(Duration::from_mins(minutes)).await;
            page.end(Some(number));
        });
        Ok(())
    }

    /// Back to what is configured; unless there was another change since the one of this number.
    fn end(&self, number: Option<u64>) {
        let mut changed = self.0.changed();
        if number.is_some_and(|number| number != changed.number) || changed.asked.take().is_none() {
            return;
        }
        changed.number += 1;
        self.0.filter.reset();
        drop(changed);
        warn!(filter = self.0.filter.configured(), "the log level is as configured again");
    }
}

impl LogLevelState {
    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page for LogLevelPage {
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p> {
        Box::pin(std::future::ready((request.uri.path() == PATH).then(|| self.answered(request))))
    }
}

impl LogLevelPage {
    fn answered(&self, request: &PageRequest) -> PageAnswer {
        if [Method::GET, Method::HEAD].contains(&request.method) {
            return self.shown();
        }
        if request.method != Method::PUT {
            return only_get();
        }
        if !is_local(request) {
            return refused(
                StatusCode::FORBIDDEN,
                "only from this machine: curl -X PUT -d larkfire=debug http://127.0.0.1:PORT/log-level",
            );
        }
        let Ok(filter) = std::str::from_utf8(&request.body) else {
            return refused(StatusCode::BAD_REQUEST, "this is no text");
        };
        let filter = filter.trim();
        if filter.is_empty() {
            self.end(None);
            return self.shown();
        }
        if filter.len() > FILTER_BYTES_MAX {
            return refused(StatusCode::BAD_REQUEST, "this is too long");
        }
        let Some(minutes) = minutes(request.uri.query().unwrap_or_default()) else {
            return refused(StatusCode::BAD_REQUEST, "minutes has to be a number from 1 to 240");
        };
        match self.change(filter, minutes) {
            Ok(()) => self.shown(),
            Err(why) => refused(StatusCode::BAD_REQUEST, &format!("this is no filter of log lines: {why}")),
        }
    }
}

fn refused(status: StatusCode, why: &str) -> PageAnswer {
    respond(status, TEXT, Bytes::from(format!("{why}\n")))
}

/// Whether somebody on this machine asks, and no page of somebody else's in a browser there: such a page names another host, or
/// may not PUT at all.
fn is_local(request: &PageRequest) -> bool {
    let host = request.headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    let host = host.map(|host| host.rsplit_once(':').map_or(host, |(host, _)| host));
    let host = host.map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    request.peer.ip().to_canonical().is_loopback()
        && host.is_none_or(|host| host == "localhost" || is_address(host))
}

/// For how long; `None` if that cannot be read.
fn minutes(query: &str) -> Option<u64> {
    let said = query.split('&').find_map(|pair| pair.strip_prefix(MINUTES_PARAMETER));
    let minutes = said.map_or(Some(MINUTES), |said| said.parse().ok());
    minutes.filter(|minutes| (1..=MINUTES_MAX).contains(minutes))
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Limited};

    use super::*;

    const LOCAL: &str = "127.0.0.1:4000";

    fn request(peer: &str, host: Option<&str>, query: &str, body: &str) -> PageRequest {
        let host = host.map(|host| (HOST, host.parse().unwrap()));
        PageRequest {
            method: Method::PUT,
            uri: format!("{PATH}?{query}").parse().unwrap(),
            headers: host.into_iter().collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            peer: peer.parse().unwrap(),
        }
    }

    async fn said(answer: PageAnswer) -> (u16, String) {
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), 10_000);
        #[expect(clippy::disallowed_methods, reason = "the body is limited")]
        let body = body.collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn put(page: &LogLevelPage, query: &str, body: &str) -> (u16, String) {
        said(page.answered(&request(LOCAL, Some("127.0.0.1:9095"), query, body))).await
    }

    async fn shown(page: &LogLevelPage) -> String {
        said(page.shown()).await.1
    }

    fn page() -> LogLevelPage {
        LogLevelPage::new(LogFilter::unused("warn,worker=info"), &Lifecycle::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_ends_by_itself_and_a_later_one_not_with_the_end_of_the_one_before() {
        const AS_CONFIGURED: &str = "filter: warn,worker=info\nconfigured: warn,worker=info\n";
        let page = page();
        assert_eq!(shown(&page).await, AS_CONFIGURED);
        let (status, said) = put(&page, "", "larkfire=debug").await;
        assert_eq!(status, 200, "{said}");
        assert!(said.contains("filter: larkfire=debug\n") && said.contains("seconds_left: 900\n"), "{said}");
        sleep(Duration::from_mins(14)).await;
        assert_eq!(put(&page, "minutes=30", "worker=trace").await.0, 200);
        sleep(Duration::from_mins(2)).await;
        assert!(
            shown(&page).await.contains("filter: worker=trace"),
            "the end of the first is none of this one"
        );
        sleep(Duration::from_mins(29)).await;
        assert_eq!(shown(&page).await, AS_CONFIGURED);
        assert_eq!(put(&page, "", "debug").await.0, 200);
        let (_, said) = put(&page, "", " ").await;
        assert!(!said.contains("seconds_left"), "an empty one ends it: {said}");
    }

    #[tokio::test]
    async fn what_cannot_be_done_changes_nothing_and_says_why() {
        let page = page();
        for (query, body, why) in [
            ("", "worker=loud", "this is no filter"),
            ("minutes=0", "debug", "from 1 to 240"),
            ("minutes=241", "debug", "from 1 to 240"),
            ("minutes=x", "debug", "from 1 to 240"),
        ] {
            let (status, said) = put(&page, query, body).await;
            assert!(status == 400 && said.contains(why), "{query} {body}: {status} {said}");
        }
        assert!(shown(&page).await.starts_with("filter: warn,"));
        let elsewhere = PageRequest { uri: "/metrics".parse().unwrap(), ..request(LOCAL, None, "", "debug") };
        assert!(page.answer(&elsewhere).await.is_none());
    }

    #[tokio::test]
    async fn nobody_but_this_machine_may_change_it() {
        let page = page();
        for (peer, host) in [
            ("10.0.0.7:4000", Some("127.0.0.1:9095")),
            (LOCAL, Some("rebound.example:9095")),
            (LOCAL, Some("larkfire.example")),
        ] {
            let (status, _) = said(page.answered(&request(peer, host, "", "debug"))).await;
            assert_eq!(status, 403, "{peer} {host:?}");
        }
        for host in [None, Some("localhost:9095"), Some("[::1]:9095"), Some("127.0.0.1")] {
            let (status, _) = said(page.answered(&request("[::ffff:127.0.0.1]:1", host, "", "debug"))).await;
            assert_eq!(status, 200, "{host:?}");
        }
    }
}

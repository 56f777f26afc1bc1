//! One request to Feishu and its answer, within limits. Sends once: when to try again is decided elsewhere.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};

use super::remark;
use super::verdict::{Trouble, Verdict};

/// How much of an answer is read, in bytes. Feishu's are a few hundred, the longest, with 100 people's ids, some 20 KB.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest wait a header can ask for; the longest a message can be deferred.
const HINT_MAX: Duration = Duration::from_mins(10);
/// With the charset, because the guide names it as the cure for garbled Chinese.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// What came back.
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// When the headers said to come back.
    pub(super) wait: Option<Duration>,
    /// The time by the clock of whoever answered.
    pub(super) date: Option<Timestamp>,
    /// The id under which Feishu's support finds this call.
    pub(super) log_id: Option<String>,
}

/// Sends a request. Only where there was no connection is it certain that the other side does not have it; without an
/// answer it may have it.
pub(super) async fn once(request: RequestBuilder) -> Result<HttpAnswer, Verdict> {
    receive(request).await.map_err(|error| {
        let was_never_sent = error.is_connect();
        let timed_out = error.is_timeout();
        // The URL can be a credential, and reqwest puts it into its errors.
        let trouble = Trouble::without_code(remark::of_error(&error.without_url()));
        if was_never_sent {
            return Verdict::Unreachable(trouble);
        }
        Verdict::may_have_arrived(None, timed_out, trouble)
    })
}

async fn receive(request: RequestBuilder) -> reqwest::Result<HttpAnswer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let wait = asked_to_wait(response.headers());
    let date = date(response.headers(), "date");
    let log_id = response.headers().get("x-tt-logid").and_then(|id| id.to_str().ok()).map(remark::shorten);
    Ok(HttpAnswer { status, body: read(response).await?, wait, date, log_id })
}

/// Reads the answer up to its limit. What is longer is no answer of Feishu's, and counts as an empty one.
async fn read(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        answer.extend_from_slice(&chunk);
        if answer.len() > ANSWER_BYTES_MAX {
            return Ok(Vec::new());
        }
    }
    Ok(answer)
}

/// The gateway's reset header, in seconds, or the usual one, in seconds or as a date; that is held against the date of
/// the answer, whose clock is the same.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name| text(headers, name)?.parse().ok().map(Duration::from_secs);
    let until = || {
        let wait = date(headers, "retry-after")?.duration_since(date(headers, "date")?);
        Some(Duration::try_from(wait).unwrap_or_default())
    };
    let wait = seconds("x-ogw-ratelimit-reset").or_else(|| seconds("retry-after")).or_else(until)?;
    Some(wait.min(HINT_MAX))
}

/// The time in a header (RFC 9110, 5.6.7: as in a mail).
pub(crate) fn date(headers: &HeaderMap, name: &str) -> Option<Timestamp> {
    Some(rfc2822::parse(text(headers, name)?).ok()?.timestamp())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        asked_to_wait(&headers.iter().map(header).collect()).map(|wait| wait.as_secs())
    }

    const DATE: (&str, &str) = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");

    #[test]
    fn a_wait_may_be_seconds_or_a_date_by_the_clock_of_whoever_answered() {
        assert_eq!(wait(&[("retry-after", " 7 "), DATE]), Some(7));
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT"), DATE]), Some(90));
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT"), DATE]), Some(0));
        assert_eq!(wait(&[("x-ogw-ratelimit-reset", "3"), ("retry-after", "7")]), Some(3));
    }

    #[test]
    fn a_wait_is_never_longer_than_a_message_can_be_parked() {
        for far in ["86400", "18446744073709551615", "Thu, 22 Oct 2015 07:28:00 GMT"] {
            assert_eq!(wait(&[("retry-after", far), DATE]), Some(HINT_MAX.as_secs()), "{far}");
        }
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        for odd in ["", "soon", "-1", "1.5", "Wed, 21 Oct"] {
            assert_eq!(wait(&[("retry-after", odd), DATE]), None, "{odd}");
        }
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2015 07:29:30 GMT")]), None, "by no clock");
    }
}

//! One request to Feishu and its answer, within limits. Sends once: when to try again is decided elsewhere.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};

use super::remark;
use super::verdict::{Trouble, Verdict};

/// How much of an answer is read, in bytes. Feishu's are a few hundred, the longest, with 100 people's ids, some 20 KB.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest wait a header can ask for; the longest a message can be parked.
const HINT_MAX: Duration = Duration::from_mins(10);
/// With the charset, because the guide names it as the cure for garbled Chinese.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// When the headers said to come back.
    pub(super) wait: Option<Duration>,
    /// The id under which Feishu's support finds this call.
    pub(super) log_id: Option<String>,
}

/// Sends a request; without an answer it may pass later. Only where there was no connection is it certain that the
/// other side does not have it.
pub(super) async fn once(request: RequestBuilder) -> Result<Answer, Verdict> {
    receive(request).await.map_err(|error| {
        let was_never_sent = error.is_connect();
        // The URL can be a credential, and reqwest puts it into its errors.
        let trouble = Trouble::without_code(remark::of_error(&error.without_url()));
        if was_never_sent {
            return Verdict::Unreachable(trouble);
        }
        Verdict::TryAgain { hint: None, trouble }
    })
}

async fn receive(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, wait) = (response.status().as_u16(), asked_to_wait(response.headers()));
    let log_id = response.headers().get("x-tt-logid").and_then(|id| id.to_str().ok()).map(remark::shorten);
    Ok(Answer { status, body: read(response).await?, wait, log_id })
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

/// The gateway's reset header, or the usual one, both in seconds.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    let wait = seconds("x-ogw-ratelimit-reset").or_else(|| seconds("retry-after"))?;
    Some(Duration::from_secs(wait).min(HINT_MAX))
}

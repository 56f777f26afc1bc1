//! The open-loop sender of profiles: each request goes out when it is due, whatever became of those before it, and
//! its time counts from then. What is not answered 202 is counted and not sent again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::Client;
use crate::plan::{Plan, SERVICES};
use crate::template::Template;

/// How long an answer may take: a little more than ingest lets a sender wait for the broker.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 202: its alerts are promised.
    Accepted,
    /// Any other status.
    Refused,
    /// The connection was refused, broke, or nothing came in time. Its alerts may be told all the same.
    None,
}

/// A request that was sent. Times count from the first one's due time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) request: u32,
    pub(crate) due: Duration,
    /// When it went out: later than due where the sender, or the answer before it on its connection, was late.
    pub(crate) begun: Duration,
    pub(crate) answered: Duration,
    pub(crate) answer: Answer,
}

/// How far it is, in alerts; for whoever watches.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unanswered: AtomicU64,
}

/// Where requests go: the address, and a path for each receiver.
#[derive(Debug)]
pub(crate) struct Aim {
    pub(crate) address: SocketAddr,
    pub(crate) paths: Vec<String>,
}

/// Sends everything the plan has; the requests in no order.
pub(crate) async fn send(
    plan: Plan,
    aim: Aim,
    connections: u32,
    alert_bytes: usize,
    begin: Instant,
    counts: Arc<Counts>,
) -> Result<Vec<Sent>, JoinError> {
    let templates: Vec<_> = (0..SERVICES).map(|service| Template::new(service, alert_bytes)).collect();
    let common = Arc::new(Common { plan, aim, templates, begin, counts });
    let mut lines = JoinSet::new();
    for first in 0..connections.min(plan.requests) {
        let line = Line { common: Arc::clone(&common), client: None, request: Vec::new() };
        lines.spawn(line.run(first, connections));
    }
    let mut all = Vec::with_capacity(plan.requests as usize);
    while let Some(sent) = lines.join_next().await {
        all.extend(sent?);
    }
    Ok(all)
}

struct Common {
    plan: Plan,
    aim: Aim,
    templates: Vec<Template>,
    begin: Instant,
    counts: Arc<Counts>,
}

/// One connection, and the requests that are its turn.
struct Line {
    common: Arc<Common>,
    client: Option<Client>,
    request: Vec<u8>,
}

impl Line {
    async fn run(mut self, first: u32, step: u32) -> Vec<Sent> {
        let Common { plan, begin, .. } = *self.common;
        let mut all = Vec::with_capacity((plan.requests / step + 1) as usize);
        for request in (first..plan.requests).step_by(step as usize) {
            let due = plan.due(request);
            sleep_until(begin + due).await;
            self.fill(request);
            let begun = begin.elapsed();
            self.count(|counts| &counts.sent);
            let answer = timeout(ANSWER_WITHIN, self.exchange()).await.unwrap_or(Answer::None);
            match answer {
                Answer::Accepted => self.count(|counts| &counts.accepted),
                Answer::Refused => self.count(|counts| &counts.refused),
                Answer::None => {
                    self.client = None;
                    self.count(|counts| &counts.unanswered);
                }
            }
            all.push(Sent { request, due, begun, answered: begin.elapsed(), answer });
        }
        all
    }

    fn fill(&mut self, request: u32) {
        let Common { plan, aim, templates, .. } = &*self.common;
        let alerts: Vec<u32> = plan.alerts(request).collect();
        let template = &templates[plan.service(request) as usize % templates.len()];
        let path = &aim.paths[plan.receiver(request) as usize % aim.paths.len()];
        template.fill(&mut self.request, aim.address, path, alerts.into_iter());
    }

    async fn exchange(&mut self) -> Answer {
        if self.client.is_none() {
            self.client = Client::connect(self.common.aim.address).await.ok();
        }
        let Some(client) = &mut self.client else { return Answer::None };
        match client.exchange(&self.request).await {
            Ok(202) => Answer::Accepted,
            Ok(_) => Answer::Refused,
            Err(_) => Answer::None,
        }
    }

    fn count(&self, which: impl FnOnce(&Counts) -> &AtomicU64) {
        let alerts = u64::from(self.common.plan.alerts_per_request);
        which(&self.common.counts).fetch_add(alerts, Ordering::Relaxed);
    }
}

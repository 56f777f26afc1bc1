//! No log line, header or metric shows a webhook or a secret, whatever goes wrong.

use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex};

use feishu_sim::{Fault, Lasting};
use testkit::wait_until::wait_until;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::harness::{EAGER, Harness, PARKING, SECRET, TOKEN, WITHIN, envelope};

static LOGS: LazyLock<Everything> = LazyLock::new(|| {
    let everything = Everything::default();
    // For the whole process: a subscriber of one thread may miss what another thread was first to log.
    tracing::subscriber::set_global_default(everything.clone()).expect("nobody else captures logs");
    everything
});

/// Captures what the worker logs from now on.
pub(crate) fn capture() {
    LazyLock::force(&LOGS);
}

/// What was logged until now, by every worker of this process.
pub(crate) fn so_far() -> String {
    LOGS.0.lock().unwrap().clone()
}

/// Keeps every event as text.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Writer<'w>(&'w mut String);

impl Visit for Writer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Writer(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        // Ours only: what libraries log at debug level is switched off unless somebody asks for it.
        if event.metadata().target().starts_with("worker") {
            let mut text = self.0.lock().unwrap();
            write!(text, "{} ", event.metadata().level()).unwrap();
            event.record(&mut Writer(&mut text));
            text.push('\n');
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn no_log_line_and_no_header_shows_a_webhook_or_a_secret() {
    let mut harness = Harness::set(PARKING).await;
    let url = harness.sim.webhook_url(TOKEN);
    for fault in [
        Fault::Reset,
        Fault::NeverAnswer,
        Fault::Refusal { code: 11232, msg: format!("limited at {url}") },
        Fault::Refusal { code: 11246, msg: format!("bad card for {url}") },
        Fault::Refusal { code: 11248, msg: format!("sensitive content in {url}") },
    ] {
        harness.sim.fault(TOKEN, &fault, Lasting::Times(1)).unwrap();
    }
    let tag = harness.deliver(&envelope("default", 1));
    harness.fate(tag).await;
    harness.sim.away().await.unwrap();
    let tag = harness.deliver(&envelope("default", 2));
    harness.fate(tag).await;
    harness.sim.back().await.unwrap();
    harness
        .sim
        .fault(TOKEN, &Fault::Refusal { code: 19001, msg: format!("invalid {url}") }, Lasting::UntilCleared)
        .unwrap();
    wait_until(WITHIN, "a broken receiver", async || {
        let tag = harness.deliver(&envelope("default", 3));
        harness.fate(tag).await;
        harness.shows("larkfire_receiver_broken{receiver=\"default\"} 1").then_some(()).ok_or("not tried yet")
    })
    .await;

    let mut shown = so_far();
    assert!(shown.contains("went to the dead letters") && shown.contains("envelope deferred"), "{shown}");
    assert!(
        shown.contains("refuses everything") && shown.contains("set the receiver's webhook_url anew"),
        "{shown}"
    );
    for message in harness.queue.published() {
        write!(shown, "{:?}", message.headers).unwrap();
    }
    for secret in [TOKEN, SECRET, "/open-apis/", "http://"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn an_absence_is_said_when_it_begins_and_when_it_ends_and_not_at_each_attempt() {
    let mut harness = Harness::routed_to(["absentee", "other"], "[]", EAGER).await;
    harness.sim.away().await.unwrap();
    let tags = [1, 2].map(|index| harness.deliver(&envelope("absentee", index)));
    let lines = |level: &str| {
        let is_ours = |line: &&str| line.starts_with(level) && line.contains("receiver=\"absentee\"");
        so_far().lines().filter(is_ours).map(str::to_owned).collect::<Vec<_>>()
    };
    wait_until(WITHIN, "attempts past those in place", async || {
        (lines("DEBUG").len() >= 4).then_some(()).ok_or("not tried yet")
    })
    .await;
    harness.sim.back().await.unwrap();
    for tag in tags {
        harness.fate(tag).await;
    }
    let begun = lines("WARN");
    let ended = wait_until(WITHIN, "a line that says so", async || {
        lines("INFO").into_iter().find(|line| line.contains("takes messages again")).ok_or("not yet")
    })
    .await;
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert!(begun[0].contains("the receiver cannot be reached"), "{begun:?}");
    assert!(ended.contains("waiting=2") && ended.contains("away_s="), "{ended}");
}

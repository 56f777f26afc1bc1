//! What a queue keeps when our process is killed, and what it costs when the engine stalls.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use queue::{Headers, Message, MessageDestination, PublishError, Publisher, Subscription};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::messages::{alert, publish_all, take};
use super::{Engine, PATIENCE, Session, close};

/// Confirmations the child prints before it is killed in the middle of the next ones.
const CONFIRMED_BEFORE_KILL: usize = 300;
/// Publishes the child has under way at once.
const CHILD_CONCURRENCY: usize = 32;
/// What a stalled engine may hold on to, of whatever is thrown at it.
const HELD_BYTES_MAX: usize = 80 * 1024 * 1024;

/// A child process publishes and says what was confirmed; after kill -9 all of that is there.
pub async fn confirmed_survives_a_kill(engine: &impl Engine, child: &str) {
    let (_crate, test) = child.split_once("::").expect("a path within the crate");
    let mut process = Command::new(std::env::current_exe().expect("the path of this test"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .envs(engine.environment())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("this test can be started again");
    let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
    let mut confirmed = BTreeSet::new();
    let mut killed = false;
    // What it had printed before it died is read to the end: that was promised too.
    while let Some(line) = tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .expect("the child goes on printing")
        .expect("a readable pipe")
    {
        confirmed.extend(line.strip_prefix("confirmed ").and_then(|number| number.parse::<usize>().ok()));
        if confirmed.len() >= CONFIRMED_BEFORE_KILL && !killed {
            process.start_kill().expect("the child can be killed");
            killed = true;
        }
    }
    let status = process.wait().await.expect("the child's end");
    assert!(killed && !status.success(), "the child ended by itself: {status}");
    let session = engine.open().await;
    // A marker behind everything that was stored before.
    publish_all(&session.publisher(), [usize::MAX]).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    while !confirmed.is_empty() {
        for (numbers, delivery) in take(&mut consumer, 1).await {
            confirmed.retain(|number| !numbers.contains(number));
            assert!(!numbers.contains(&usize::MAX) || confirmed.is_empty(), "lost: {confirmed:?}");
            delivery.settle();
        }
    }
    close(session).await;
}

/// The child of `confirmed_survives_a_kill`: publishes for ever; nothing without a parent.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub async fn publish_until_killed<E: Engine>() {
    let Some(engine) = E::from_environment() else { return };
    let session = engine.open().await;
    let publisher = session.publisher();
    let next = AtomicUsize::new(0);
    join_all((0..CHILD_CONCURRENCY).map(|_| async {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if publisher.publish(vec![alert(number)]).await.is_ok() {
                println!("confirmed {number}");
            }
        }
    }))
    .await;
}

/// An engine that hangs: every publish is answered in time, most at once, and what they carried is let go.
pub async fn a_stalled_engine_answers_quickly_and_takes_no_memory(engine: &impl Engine) {
    const BODY_BYTES: usize = 64 * 1024;
    let session = engine.open().await;
    let publisher = session.publisher();
    publish_all(&publisher, [0]).await;
    engine.stall().await;
    let held = Arc::new(AtomicUsize::new(0));
    let flood = join_all((0..4000).map(|_| {
        let body = Bytes::from_owner(Counted::new(BODY_BYTES, &held));
        let to = MessageDestination::Alerts { shard_key: 7 };
        publisher.publish(vec![Message { to, body, headers: Headers::default() }])
    }));
    let outcomes = tokio::time::timeout(PATIENCE, flood).await.expect("every publish is answered");
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(PublishError::Busy))).count();
    assert!(busy > 2000, "only {busy} of 4000 were turned away");
    let held = held.load(Ordering::Relaxed);
    assert!(held <= HELD_BYTES_MAX, "{held} bytes are still held");
    engine.resume().await;
    let again = async {
        while publisher.publish(vec![alert(1)]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("the engine works again");
    drop(publisher);
    close(session).await;
}

/// Bytes that say how many of them are alive.
struct Counted {
    bytes: Vec<u8>,
    held: Arc<AtomicUsize>,
}

impl Counted {
    fn new(length: usize, held: &Arc<AtomicUsize>) -> Self {
        held.fetch_add(length, Ordering::Relaxed);
        Self { bytes: vec![b'x'; length], held: Arc::clone(held) }
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

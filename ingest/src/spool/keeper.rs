//! The one thread that touches the files. The disk may take its time; nobody but those who asked waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::queue::Message;
use tokio::sync::{mpsc, oneshot};

use super::alarm::Alarm;
use super::metrics::SpoolMetrics;
use super::record::Place;
use super::store::{Batch, Outcome, Store};

/// Bytes that go into one commit; what is beyond waits for the next.
const COMMIT_BYTES_MAX: usize = 4 << 20;

/// What the thread is asked for.
pub(super) enum Command {
    /// To store one publish.
    Keep(Job),
    /// What comes next, as soon as there is something.
    Next(oneshot::Sender<Batch>),
    /// To forget what the queue has confirmed.
    Done(Place),
    /// Whether the disk can store; asked while it could not.
    Probe,
}

/// One publish.
pub(super) struct Job {
    pub(super) messages: Vec<Message>,
    pub(super) stored: oneshot::Sender<bool>,
}

/// The thread's state.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) bytes_max: u64,
    pub(super) alarm: Alarm,
    pub(super) metrics: SpoolMetrics,
    /// Whether publishes have to go behind what is here.
    pub(super) in_use: Arc<AtomicBool>,
}

/// What is at hand, done together.
#[derive(Default)]
struct Round {
    jobs: Vec<Job>,
    bytes: usize,
    /// The last of them covers those before: they are in one segment.
    done: Option<Place>,
    probe: bool,
}

impl Keeper {
    /// Serves until every handle is dropped.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = None;
        while let Some(command) = commands.blocking_recv() {
            let (mut round, mut next) = (Round::default(), Some(command));
            while let Some(command) = next {
                round.take(command, &mut waiting);
                next = if round.bytes < COMMIT_BYTES_MAX { commands.try_recv().ok() } else { None };
            }
            // Before the rest: what is stored here keeps the spool in use.
            self.keep(round.jobs);
            if let Some(place) = round.done {
                self.advance(place);
            }
            if round.probe {
                self.probe();
            }
            self.serve(&mut waiting);
        }
    }

    fn keep(&mut self, jobs: Vec<Job>) {
        let (publishes, replies): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            // Nobody waits any more: its sender was answered.
            .filter(|job| !job.stored.is_closed())
            .map(|Job { messages, stored }| (messages, stored))
            .unzip();
        if publishes.is_empty() {
            return;
        }
        let outcomes = match self.store.keep(&publishes) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.metrics.failed(publishes.iter().map(Vec::len).sum());
                self.alarm.failed(&error);
                // Dropping the replies says no.
                return;
            }
        };
        for ((messages, reply), outcome) in publishes.iter().zip(replies).zip(outcomes) {
            match outcome {
                Outcome::Stored => {
                    // Before the answer: what its sender sends next has to come behind it.
                    self.in_use.store(true, Ordering::Release);
                    self.metrics.stored(messages.len());
                    self.alarm.stored();
                }
                Outcome::Full => {
                    self.metrics.refused(messages.len());
                    self.alarm.full(self.bytes_max);
                }
                Outcome::Unfit => self.metrics.failed(messages.len()),
            }
            let _gone = reply.send(outcome == Outcome::Stored);
        }
    }

    fn advance(&mut self, place: Place) {
        let bytes_before = self.store.held_bytes();
        if let Err(error) = self.store.advance(place) {
            self.alarm.failed(&error);
        }
        if self.store.held_bytes() < bytes_before {
            self.alarm.has_room();
        }
    }

    fn probe(&mut self) {
        match self.store.probe() {
            Ok(()) => self.alarm.works(),
            Err(error) => self.alarm.failed(&error),
        }
    }

    /// Hands out what is next, if somebody waits for it. It was confirmed up to there, so nothing is in hand.
    fn serve(&mut self, waiting: &mut Option<oneshot::Sender<Batch>>) {
        let Some(reply) = waiting.take() else { return };
        let batch = self.store.next();
        if !batch.is_empty() {
            // A replayer that is gone was told to stop; the batch is still here at the next start.
            let _gone = reply.send(batch);
            return;
        }
        *waiting = Some(reply);
        if self.in_use.swap(false, Ordering::AcqRel) {
            self.alarm.drained();
        }
    }
}

impl Round {
    fn take(&mut self, command: Command, waiting: &mut Option<oneshot::Sender<Batch>>) {
        match command {
            Command::Keep(job) => {
                self.bytes += job.messages.iter().map(|message| message.body.len()).sum::<usize>();
                self.jobs.push(job);
            }
            Command::Next(reply) => *waiting = Some(reply),
            Command::Done(place) => self.done = Some(place),
            Command::Probe => self.probe = true,
        }
    }
}

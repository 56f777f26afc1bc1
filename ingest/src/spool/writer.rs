//! The one thread that touches the files. The disk may take its time; nobody but those who asked waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use queue::{Message, Publishing};
use tokio::sync::{mpsc, oneshot};

use super::health::SpoolHealth;
use super::metrics::SpoolMetrics;
use super::pending::{PendingAnswers, Unanswered};
use super::record::Place;
use super::store::{Batch, Store, WriteOutcome};

/// Bytes that go into one commit; what is beyond waits for the next.
const COMMIT_BYTES_MAX: usize = 4 << 20;

/// What the thread is asked for.
pub(super) enum SpoolCommand {
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
    /// The queue's answer to the same messages, where that is still to come.
    pub(super) answer: Option<Publishing>,
    pub(super) stored: oneshot::Sender<bool>,
}

/// The thread's state.
pub(super) struct SpoolWriter {
    pub(super) store: Store,
    pub(super) bytes_max: u64,
    pub(super) alarm: SpoolHealth,
    pub(super) metrics: SpoolMetrics,
    pub(super) pending: PendingAnswers,
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

impl SpoolWriter {
    /// Serves until every handle is dropped, on a thread of its own.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<SpoolCommand>) {
        let mut waiting = None;
        while let Some(command) = commands.blocking_recv() {
            self.round(command, &mut commands, &mut waiting);
        }
    }

    /// The same as a task, for a simulation: it has one thread, and a disk that takes no time.
    pub(super) async fn run_as_task(mut self, mut commands: mpsc::Receiver<SpoolCommand>) {
        let mut waiting = None;
        while let Some(command) = commands.recv().await {
            self.round(command, &mut commands, &mut waiting);
        }
    }

    /// This command and what else is at hand.
    fn round(
        &mut self,
        first: SpoolCommand,
        commands: &mut mpsc::Receiver<SpoolCommand>,
        waiting: &mut Option<oneshot::Sender<Batch>>,
    ) {
        let mut round = Round::default();
        let mut next = Some(first);
        while let Some(command) = next {
            round.take(command, waiting);
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
        self.serve(waiting);
    }

    fn keep(&mut self, jobs: Vec<Job>) {
        // Of the others nobody waits any more: their senders were answered.
        let jobs: Vec<_> = jobs.into_iter().filter(|job| !job.stored.is_closed()).collect();
        if jobs.is_empty() {
            return;
        }
        let publishes: Vec<_> = jobs.iter().map(|job| job.messages.as_slice()).collect();
        let outcomes = match self.store.keep(&publishes) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.metrics.failed(publishes.iter().map(|messages| messages.len()).sum());
                self.alarm.failed(&error);
                // Dropping the replies says no.
                return;
            }
        };
        for (Job { messages, answer, stored }, outcome) in jobs.into_iter().zip(outcomes) {
            match outcome {
                WriteOutcome::Stored(span) => {
                    // Before it can be replayed.
                    if let Some(answer) = answer {
                        self.pending.add(Unanswered { span, answer });
                    }
                    // Before the answer: what its sender sends next has to come behind it.
                    self.in_use.store(true, Ordering::Release);
                    self.metrics.stored(messages.len());
                    self.alarm.stored();
                }
                WriteOutcome::Full => {
                    self.metrics.refused(messages.len());
                    self.alarm.full(self.bytes_max);
                }
                WriteOutcome::Unfit => self.metrics.failed(messages.len()),
            }
            let _gone = stored.send(matches!(outcome, WriteOutcome::Stored(_)));
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
    fn take(&mut self, command: SpoolCommand, waiting: &mut Option<oneshot::Sender<Batch>>) {
        match command {
            SpoolCommand::Keep(job) => {
                self.bytes += job.messages.iter().map(|message| message.body.len()).sum::<usize>();
                self.jobs.push(job);
            }
            SpoolCommand::Next(reply) => *waiting = Some(reply),
            SpoolCommand::Done(place) => self.done = Some(place),
            SpoolCommand::Probe => self.probe = true,
        }
    }
}

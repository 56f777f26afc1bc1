//! The button that tests a receiver: what `send-test` does, followed in the background so that a dead letter of it calls
//! nobody.

use std::sync::Arc;
use std::time::Duration;

use console::backend::BackendError;
use console::data::{Advice, ReceiverTests, TestAlert, TestOrder, TestState};
use jiff::{SignedDuration, Timestamp};
use model::envelope::EnvelopeId;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::ConsoleBackend;
use crate::audit::AuditedAction;
use crate::command::receiver_test::{self, NewTest, ReceiverTest, TestResult};
use crate::feishu::advice::advice;
use crate::test_alert;

/// How often it is looked what became of a test.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The word in the audit trail.
const TEST: &str = "test";

impl ConsoleBackend {
    /// Sends it; returns the envelopes.
    pub(super) async fn send_tests(self: Arc<Self>, order: TestOrder) -> Result<Vec<String>, BackendError> {
        let TestOrder { who, receiver } = order;
        let tests = self.tests_of(&receiver)?;
        let action = AuditedAction { who: &who, action: TEST, chosen: &receiver, meant: tests.len() };
        let line = self.deps.trail.begin(action).await?;
        let now = self.deps.clock.now();
        let locale = self.deps.locale;
        let new = NewTest { receiver: &receiver, who: &who, locale, now, lifetime: test_alert::LIFETIME };
        let sent = receiver_test::send(&*self.deps.publisher, &tests, new)
            .await
            .map_err(|error| BackendError::Unavailable(error.to_string()))?;
        info!(who, receiver, tests = sent.len(), "an operator tests a receiver");
        let envelopes = sent.iter().map(EnvelopeId::to_string).collect();
        let stop = self.lifecycle.stop.clone();
        let backend = Arc::clone(&self);
        self.lifecycle.tasks.spawn(async move {
            stop.run_until_cancelled(backend.follow(tests.into_iter().zip(sent).collect(), &who, line)).await;
        });
        Ok(envelopes)
    }

    fn tests_of(&self, receiver: &str) -> Result<Vec<ReceiverTest>, BackendError> {
        ReceiverTest::all_of(&self.deps.receiver_configs, receiver)
            .ok_or_else(|| BackendError::Refused(format!("no receiver {receiver} is configured here")))
    }

    /// Waits until nothing more becomes of these, discards their dead letters, and ends the line of the trail.
    async fn follow(&self, mut tests: Vec<(ReceiverTest, EnvelopeId)>, who: &str, line: i64) {
        let deadline = Instant::now() + test_alert::LIFETIME;
        let mut delivered = 0;
        while !tests.is_empty() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
            let mut left = Vec::new();
            for (test, id) in tests {
                match test.result(&self.deps.store, &self.deps.letters, id).await {
                    Ok(TestResult::Delivered) => delivered += 1,
                    Ok(TestResult::DeadLettered(letter)) => {
                        if let Err(error) = receiver_test::discard(&self.deps.letters, &letter, who).await {
                            warn!(%error, letter = letter.id.0, "the dead letter of a test is not discarded");
                        }
                    }
                    // The database is away: it is looked again.
                    Ok(TestResult::InHand | TestResult::Waiting) | Err(_) => left.push((test, id)),
                }
            }
            tests = left;
        }
        if let Err(error) = self.deps.trail.end(line, delivered).await {
            warn!(%error, line, "the audit trail does not say what came of a test");
        }
    }

    /// What became of them; `None` if these are no tests of this receiver.
    pub(super) async fn tests_by_envelope(
        &self,
        receiver: &str,
        envelopes: &[String],
    ) -> Result<Option<ReceiverTests>, BackendError> {
        let Ok(tests) = self.tests_of(receiver) else { return Ok(None) };
        let ids: Result<Vec<EnvelopeId>, _> = envelopes.iter().map(|id| id.parse()).collect();
        let Ok(ids) = ids else { return Ok(None) };
        if ids.len() != tests.len() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for (test, id) in tests.iter().zip(ids) {
            let Some(sent_at) = id.received_at() else { return Ok(None) };
            let result = test.result(&self.deps.store, &self.deps.letters, id).await?;
            found.push(test_view(&test.name, id, sent_at, &result, self.deps.clock.now()));
        }
        Ok(Some(ReceiverTests { receiver: receiver.to_owned(), tests: found }))
    }
}

fn test_view(
    name: &str,
    id: EnvelopeId,
    sent_at: Timestamp,
    result: &TestResult,
    now: Timestamp,
) -> TestAlert {
    let lifetime = SignedDuration::try_from(test_alert::LIFETIME).unwrap_or(SignedDuration::MAX);
    let expires_at = sent_at.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
    let test = TestAlert {
        name: name.to_owned(),
        envelope: id.to_string(),
        identity: test_alert::fingerprint(id),
        sent_at,
        expires_at,
        ..TestAlert::default()
    };
    let is_late = now > expires_at;
    match result {
        TestResult::Delivered => TestAlert { state: TestState::Delivered, ..test },
        TestResult::DeadLettered(letter) => {
            let words = advice(letter.code);
            TestAlert {
                state: TestState::DeadLettered,
                code: letter.code,
                message: Some(letter.message.clone()),
                advice: Some(Advice { en: words.en, zh: words.zh }),
                ..test
            }
        }
        TestResult::InHand | TestResult::Waiting if is_late => {
            TestAlert { state: TestState::Expired, ..test }
        }
        TestResult::InHand => TestAlert { state: TestState::InHand, ..test },
        TestResult::Waiting => TestAlert { state: TestState::Waiting, ..test },
    }
}

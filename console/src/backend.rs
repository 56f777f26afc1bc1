//! What the pages ask for and may do. The worker implements it; nothing here knows the database or Feishu.

use futures_util::future::BoxFuture;
use model::matcher::Query;
use thiserror::Error;

use crate::data::{
    ActionDetail, ActionRow, AlertLife, AlertPage, CardDetail, DeadLetterDetail, DeadLetterOrder,
    DeadLetterPage, FiringAlerts, Overview, ReceiverSummary, ReceiverTests, SilenceEnd, SilenceOrder,
    SilencePlan, SilenceQuestion, Silences, TestOrder,
};

/// Why something cannot be shown or done, in words for whoever asks; it names no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
    /// The database, or the queue, does not answer: the same may go well in a moment.
    #[error("{0}")]
    Unavailable(String),
    /// It cannot be done as it is asked for.
    #[error("{0}")]
    Refused(String),
    /// What was counted is not what is there now: so many.
    #[error("there are {0} now")]
    Changed(usize),
}

/// Which lines of the audit trail.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditQuery<'q> {
    /// By whom.
    pub who: Option<&'q str>,
    /// What was done.
    pub action: Option<&'q str>,
    /// With a smaller number than this.
    pub before: Option<i64>,
    /// Lines at most.
    pub most: usize,
}

/// An answer of the backend, once it is there.
pub type Answered<'b, T> = BoxFuture<'b, Result<T, BackendError>>;

/// What can be looked at.
pub trait ConsoleReads: Send + Sync + 'static {
    /// How all of it is doing. Asked often: it has to be cheap.
    fn overview(&self) -> Answered<'_, Overview>;

    /// How each receiver is doing; likewise.
    fn receivers(&self) -> Answered<'_, Vec<ReceiverSummary>>;

    /// What fires now and matches.
    fn firing<'b>(&'b self, query: &'b Query) -> Answered<'b, FiringAlerts>;

    /// What became of alerts that match, the newest first; beyond where the page before it ended.
    fn alerts<'b>(&'b self, query: &'b Query, before: Option<&'b str>) -> Answered<'b, AlertPage>;

    /// The life of one alert; empty if nothing is known of it.
    fn alert<'b>(&'b self, identity: &'b str) -> Answered<'b, AlertLife>;

    /// Every alert on a card, by its name.
    fn card<'b>(&'b self, card: &'b str) -> Answered<'b, Option<CardDetail>>;

    /// Who did what, the newest first; before this number.
    fn audit<'b>(&'b self, filter: AuditQuery<'b>) -> Answered<'b, Vec<ActionRow>>;

    /// The letters that match, the newest first, and how many there are; those with a smaller number than `before`.
    fn dead_letters<'b>(&'b self, query: &'b Query, before: Option<i64>) -> Answered<'b, DeadLetterPage>;

    /// Everything about one letter.
    fn dead_letter(&self, id: i64) -> Answered<'_, Option<DeadLetterDetail>>;

    /// What became of tests of a receiver, by the envelopes they were sent in; `None` if they are none of its.
    fn receiver_tests<'b>(
        &'b self,
        receiver: &'b str,
        envelopes: &'b [String],
    ) -> Answered<'b, Option<ReceiverTests>>;

    /// The silences there are, in each Alertmanager.
    fn silences(&self) -> Answered<'_, Silences>;

    /// What a silence would be, and which alerts it would hit.
    fn silence_plan(&self, question: SilenceQuestion) -> Answered<'_, SilencePlan>;

    /// How far something has come that is done to letters, by its number in the audit trail.
    fn action(&self, id: i64) -> Answered<'_, Option<ActionDetail>>;
}

/// Says what would become of a payload, where the process can: it needs what takes alerts in.
pub trait ExplainsPayload: std::fmt::Debug + Send + Sync + 'static {
    /// In words, step by step; or why it would be refused. `receiver` is named in the address it is posted to.
    fn explain(&self, payload: &[u8], receiver: Option<&str>) -> Result<String, String>;
}

/// What can be done.
pub trait ConsoleActs: Send + Sync + 'static {
    /// Begins to do something to letters; returns its number in the audit trail, under which it goes on.
    fn act_on_dead_letters(&self, order: DeadLetterOrder) -> Answered<'_, i64>;

    /// Sends a receiver a test alert, or one for each of its bots; returns the envelopes they are in.
    fn test_receiver(&self, order: TestOrder) -> Answered<'_, Vec<String>>;

    /// Makes a silence, unless there is one that does the same already; returns its id.
    fn silence(&self, order: SilenceOrder) -> Answered<'_, String>;

    /// Ends a silence; one that has ended is no error.
    fn end_silence(&self, end: SilenceEnd) -> Answered<'_, ()>;
}

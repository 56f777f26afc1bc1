//! Tests of receivers, and what became of them.

use jiff::Timestamp;
use serde::Serialize;

use super::Advice;

/// A test that somebody wants to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOrder {
    /// Who; they are named on the card.
    pub who: String,
    /// The receiver's name in the configuration.
    pub receiver: String,
}

/// What became of a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TestState {
    /// No worker has looked at it yet.
    #[default]
    Waiting,
    /// A worker has it, and has not delivered it yet.
    InHand,
    /// It is in the chat.
    Delivered,
    /// It could not be delivered.
    DeadLettered,
    /// It was not delivered while somebody waited for it, and is not delivered any more.
    Expired,
}

impl TestState {
    /// Whether nothing more becomes of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::DeadLettered | Self::Expired)
    }
}

/// One test alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestAlert {
    /// The receiver, or the bot of it, that is tested.
    pub name: String,
    /// The envelope it was sent in.
    pub envelope: String,
    /// Who it is, as alerts are looked up.
    pub identity: String,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Until when it is delivered.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: TestState,
    /// Feishu's code, if that is why it could not be delivered.
    pub code: Option<i64>,
    /// Why it could not be delivered.
    pub message: Option<String>,
    /// What to do about that.
    pub advice: Option<Advice>,
}

/// The tests of one press of the button: one, or one for each bot of a group.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReceiverTests {
    /// The receiver that was tested.
    pub receiver: String,
    /// Its tests.
    pub tests: Vec<TestAlert>,
}

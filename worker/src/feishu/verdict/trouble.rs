//! What went wrong with a message, in words. Pure.

/// What a remark begins with, for people, where the message may be in the chat although Feishu did not say so.
const MAY_HAVE_ARRIVED: &str = "it may have arrived: ";
/// What a remark begins with where a message is tried again apart from others, as its answer is in no table or lasts.
const BY_ITSELF: &str = "tried by itself: ";

/// What went wrong, for logs and dead letters. Holds no secret and no URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Feishu's code, where it answered with one.
    pub code: Option<i64>,
    /// What was said, shortened.
    pub message: String,
    /// Whether the message may be in the chat.
    pub may_have_arrived: bool,
    /// Whether the message is tried again apart from others.
    pub is_by_itself: bool,
}

impl Trouble {
    /// Trouble of our own finding: no answer, or none that can be read.
    pub fn without_code(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Trouble that Feishu has named.
    pub fn with_code(code: i64, message: String) -> Self {
        Self { code: Some(code), message, ..Self::default() }
    }

    /// The same trouble of a message that may be in the chat.
    pub(crate) fn that_may_have_arrived(mut self) -> Self {
        self.may_have_arrived = true;
        self.marked(MAY_HAVE_ARRIVED)
    }

    /// The same trouble of a message that is tried again apart from others.
    pub(crate) fn by_itself(mut self) -> Self {
        self.is_by_itself = true;
        self.marked(BY_ITSELF)
    }

    fn marked(mut self, mark: &str) -> Self {
        if !self.message.starts_with(mark) {
            self.message.insert_str(0, mark);
        }
        self
    }

    /// The same trouble of what is no message.
    pub(super) fn unmarked(self) -> Self {
        let mut message = self.message.as_str();
        for mark in [MAY_HAVE_ARRIVED, BY_ITSELF] {
            message = message.strip_prefix(mark).unwrap_or(message);
        }
        Self { code: self.code, ..Self::without_code(message) }
    }
}

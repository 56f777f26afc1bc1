//! Where a name may be taken apart, so that others have the same on both sides. Pure.

/// More digits than these are no number that counts anything.
const DIGITS_MAX: usize = 18;

/// A name in three parts.
#[derive(Clone, Copy)]
pub(super) struct NameSplit<'n> {
    text: &'n str,
    /// Where the middle begins.
    start: usize,
    /// Where it ends.
    end: usize,
}

impl<'n> NameSplit<'n> {
    /// Nothing is split off yet.
    pub(super) fn at_end(text: &'n str) -> Self {
        Self { text, start: text.len(), end: text.len() }
    }

    pub(super) fn before(&self) -> &'n str {
        &self.text[..self.start]
    }

    pub(super) fn middle(&self) -> &'n str {
        &self.text[self.start..self.end]
    }

    pub(super) fn after(&self) -> &'n str {
        &self.text[self.end..]
    }

    /// Around the last group of digits before the present middle, if they are a number.
    pub(super) fn go_to_digits(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let last = bytes[..self.start].iter().rposition(u8::is_ascii_digit);
        self.end = last.map_or(0, |last| last + 1);
        self.start = bytes[..self.end].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
        (1..=DIGITS_MAX).contains(&(self.end - self.start))
    }

    /// Before the ending, which a pod has for itself: `checkout-7f9c6d8b5-`, `x2k4q`.
    pub(super) fn go_to_last_dash(&mut self) -> bool {
        let dash = self.text.bytes().rposition(|byte| matches!(byte, b'-' | b'/'));
        self.start = dash.map_or(self.text.len(), |dash| dash + 1);
        self.end = self.text.len();
        self.start < self.end
    }

    /// After the host's own name, before its domain or port: `web`, `.bj.example.com:9100`.
    pub(super) fn go_to_first_dot(&mut self) -> bool {
        self.start = 0;
        self.end = self.text.bytes().position(|byte| matches!(byte, b'.' | b':')).unwrap_or(0);
        self.end > 0
    }
}

//! Which page a path is. Pure.

use percent_encoding::percent_decode_str;

/// Tests on one page: as many as a receiver may have bots.
const TESTS_MAX: usize = 16;

/// A page, or something that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConsoleRoute {
    Overview,
    Receivers,
    /// A test of the receiver of this name.
    TestReceiver(String),
    /// What became of tests of it, by their envelopes.
    ReceiverTests(String, Vec<String>),
    Firing,
    Alerts,
    Alert(String),
    Card(String),
    Silences,
    /// What one would hit, and making it.
    NewSilence,
    EndSilence,
    Audit,
    Try,
    DeadLetters,
    DeadLetter(i64),
    Action(i64),
    Replay,
    Discard,
}

impl ConsoleRoute {
    /// The page at this path below the prefix.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> =
            path.split('/').skip(1).map(|part| percent_decode_str(part).decode_utf8()).collect();
        let parts: Vec<_> = parts.into_iter().collect::<Result<_, _>>().ok()?;
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        match parts[..] {
            [""] => Some(Self::Overview),
            ["receivers"] => Some(Self::Receivers),
            ["receivers", name, "test"] => Some(Self::TestReceiver(name.to_owned())),
            ["receivers", name, "tests", envelopes] => {
                let envelopes = envelopes.split(',').take(TESTS_MAX).map(str::to_owned).collect();
                Some(Self::ReceiverTests(name.to_owned(), envelopes))
            }
            ["firing"] => Some(Self::Firing),
            ["alerts"] => Some(Self::Alerts),
            ["alerts", identity] if !identity.is_empty() => Some(Self::Alert(identity.to_owned())),
            ["cards", card] if !card.is_empty() => Some(Self::Card(card.to_owned())),
            ["silences"] => Some(Self::Silences),
            ["silences", "new"] => Some(Self::NewSilence),
            ["silences", "end"] => Some(Self::EndSilence),
            ["audit"] => Some(Self::Audit),
            ["try"] => Some(Self::Try),
            ["dead-letters"] => Some(Self::DeadLetters),
            ["dead-letters", "replay"] => Some(Self::Replay),
            ["dead-letters", "discard"] => Some(Self::Discard),
            ["dead-letters", id] => id.parse().ok().map(Self::DeadLetter),
            ["actions", id] => id.parse().ok().map(Self::Action),
            _ => None,
        }
    }

    /// Whether it changes something, and is therefore posted.
    pub(crate) const fn acts(&self) -> bool {
        matches!(self, Self::Replay | Self::Discard | Self::TestReceiver(_) | Self::EndSilence)
    }

    /// Whether a form may be sent to it.
    pub(crate) const fn takes_a_form(&self) -> bool {
        self.acts() || matches!(self, Self::Try | Self::NewSilence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_page_is_none() {
        assert_eq!(ConsoleRoute::of("/"), Some(ConsoleRoute::Overview));
        assert_eq!(ConsoleRoute::of("/dead-letters/17"), Some(ConsoleRoute::DeadLetter(17)));
        assert_eq!(ConsoleRoute::of("/dead-letters/discard"), Some(ConsoleRoute::Discard));
        assert_eq!(ConsoleRoute::of("/alerts/a%2Fb"), Some(ConsoleRoute::Alert("a/b".to_owned())));
        for path in ["/preview", "/dead-letters/x", "/dead-letters/1/2", "/actions/", "/receivers/", "/%ff"] {
            assert_eq!(ConsoleRoute::of(path), None, "{path}");
        }
    }
}

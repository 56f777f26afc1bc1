//! Which page a path is. Pure.

use percent_encoding::percent_decode_str;

/// A page, or something that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConsoleRoute {
    Overview,
    Receivers,
    Firing,
    Alerts,
    Alert(String),
    Card(String),
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
            ["firing"] => Some(Self::Firing),
            ["alerts"] => Some(Self::Alerts),
            ["alerts", identity] if !identity.is_empty() => Some(Self::Alert(identity.to_owned())),
            ["cards", card] if !card.is_empty() => Some(Self::Card(card.to_owned())),
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
        matches!(self, Self::Replay | Self::Discard)
    }

    /// Whether a form may be sent to it.
    pub(crate) const fn takes_a_form(&self) -> bool {
        self.acts() || matches!(self, Self::Try)
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

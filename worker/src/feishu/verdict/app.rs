//! What the codes of the app bot's API mean (reference "Feishu", 4.7 (messages), 4.1 and 4.8 (tokens, gateway)). Pure.
//!
//! They do not occur at a webhook, so both ways share one table, and this is its other half.

use super::{Meaning, Repair, Trouble, Verdict};

/// The half of the table for app bots.
#[expect(clippy::match_same_arms, reason = "an arm is a group of the reference, with its own reason")]
pub(super) fn meaning(code: i64, said: &str) -> Meaning {
    match code {
        // The chat's, the person's or the message's 5 a second.
        230_020 => Meaning::SlowDown,
        230_049 => Meaning::InFlight,

        230_025 => Meaning::Repair(Repair::TooLarge),
        // What this kind of group does not take as a card it may take as a text.
        230_054 => Meaning::Repair(Repair::Card),
        // Where to is a setting; what else is invalid may be right in a plain text.
        230_001 if said.contains("receive_id") => Meaning::Broken,
        230_001 => Meaning::Repair(Repair::Card),

        // The bot is not in the group, switched off, not allowed to speak there, or muted; the group is gone, secret,
        // external, or its tenant's key is deleted.
        230_002 | 230_006 | 230_018 | 230_027 | 230_035 | 230_036 | 230_075 | 232_009 => Meaning::Broken,
        // The person cannot be reached: outside the app's range, resigned, unknown, in another tenant, or has stopped
        // the bot.
        230_013 | 230_029 | 230_034 | 230_038 | 230_053 => Meaning::Broken,
        99_992_351 | 99_992_360 | 99_992_361 => Meaning::Broken,
        // The app: its id or secret is wrong, it is disabled, its address is not allowed, its month's quota is used up,
        // a scope is missing.
        10005 | 10012..=10015 | 99_991_662 | 99_991_673 | 99_991_403 | 99_991_672 => Meaning::Broken,
        // A token was refused although it was fetched anew.
        99_991_661 | 99_991_663..=99_991_665 | 99_991_671 => Meaning::Broken,
        // A person's token where the app's is needed.
        99_991_668 | 99_991_677 | 99_991_679 => Meaning::Broken,

        // The message this is about is recalled, deleted, another sender's, too old, folded, or in a topic that is
        // gone; or the group or the message takes no replies.
        230_011 | 230_110 | 231_003 | 230_012 | 230_031 | 230_050 | 230_098 | 99_992_354 => Meaning::GiveUp,
        230_019 | 230_071 | 230_072 | 230_111 => Meaning::GiveUp,
        // Moderation: sensitive words, and what looks like personal data.
        230_022 | 230_028 => Meaning::GiveUp,
        // The app has no bot, or no room for pictures is left: until that changes every one is refused.
        234_007 | 234_042 => Meaning::Broken,
        // A picture that is none, is empty, or is larger than it may be.
        234_001 | 234_006 | 234_010 | 234_011 | 234_039 => Meaning::GiveUp,
        // Of things Larkfire does not send: shared chats, files, urgent calls.
        230_015 | 230_017 | 230_055 | 230_023 | 230_024 | 230_052 => Meaning::GiveUp,
        99_992_402 => Meaning::GiveUp,

        _ => Meaning::Unknown,
    }
}

impl Verdict {
    /// Whether the token is what was refused, so that the same call with a new one makes sense, once.
    pub(crate) fn is_about_token(&self) -> bool {
        matches!(self.code(), Some(99_991_661 | 99_991_663..=99_991_665 | 99_991_671))
    }

    /// What it means for a call that has nothing to repair: what is wrong with it is wrong with the app.
    pub(crate) fn of_app(self) -> Self {
        match self {
            Self::Repair(_, trouble) | Self::GiveUp(trouble) => Self::Broken(trouble),
            // Nothing that is shown was sent.
            Self::MayHaveArrived { hint, trouble, .. } | Self::Unknown { hint, trouble } => {
                Self::TryAgain { hint, trouble: trouble.unmarked() }
            }
            Self::Ok
            | Self::SlowDown { .. }
            | Self::TryAgain { .. }
            | Self::Unreachable(_)
            | Self::Broken(_) => self,
        }
    }

    /// What it means for a call that may be made twice without anybody seeing it, and for which there is another way
    /// where Feishu refuses it.
    pub(in crate::feishu) fn of_repeatable(self) -> Self {
        match self {
            Self::Unknown { trouble, .. } if trouble.code.is_some() => Self::GiveUp(trouble.unmarked()),
            Self::MayHaveArrived { hint, trouble, .. } | Self::Unknown { hint, trouble } => {
                Self::TryAgain { hint, trouble: trouble.unmarked() }
            }
            Self::Ok
            | Self::SlowDown { .. }
            | Self::TryAgain { .. }
            | Self::Unreachable(_)
            | Self::Repair(..)
            | Self::Broken(_)
            | Self::GiveUp(_) => self,
        }
    }

    /// The same, saying under which id Feishu's support finds the call.
    pub(crate) fn logged_as(mut self, log_id: Option<&str>) -> Self {
        if let (Some(trouble), Some(log_id)) = (self.trouble_mut(), log_id) {
            trouble.message = format!("{} (log id {log_id})", trouble.message);
        }
        self
    }

    fn code(&self) -> Option<i64> {
        self.trouble()?.code
    }

    /// Whether the app would have to be granted something first.
    pub(crate) fn lacks_permission(&self) -> bool {
        self.code() == Some(99_991_672)
    }

    /// What went wrong, if something did.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Ok => None,
            Self::SlowDown { trouble, .. }
            | Self::TryAgain { trouble, .. }
            | Self::MayHaveArrived { trouble, .. }
            | Self::Unknown { trouble, .. }
            | Self::Unreachable(trouble)
            | Self::Repair(_, trouble)
            | Self::Broken(trouble)
            | Self::GiveUp(trouble) => Some(trouble),
        }
    }

    fn trouble_mut(&mut self) -> Option<&mut Trouble> {
        match self {
            Self::Ok => None,
            Self::SlowDown { trouble, .. }
            | Self::TryAgain { trouble, .. }
            | Self::MayHaveArrived { trouble, .. }
            | Self::Unknown { trouble, .. }
            | Self::Unreachable(trouble)
            | Self::Repair(_, trouble)
            | Self::Broken(trouble)
            | Self::GiveUp(trouble) => Some(trouble),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    /// The verdict on an answer with HTTP 400, as the API answers refusals.
    fn on(code: i64, msg: &str) -> Verdict {
        let body = serde_json::json!({ "code": code, "msg": msg, "error": {} }).to_string();
        read(400, body.as_bytes(), None)
    }

    #[test]
    fn every_code_of_the_reference_has_its_verdict() {
        for (codes, expected) in [
            (&[230_020, 11232, 11233, 11247, 2200, 99_991_400][..], "slow_down"),
            (&[230_049, 18121, 10500, 1663], "try_again"),
            (&[230_001, 230_025, 230_054, 230_099], "repair"),
            (&[230_002, 230_006, 230_018, 230_027, 230_035, 230_036, 230_075, 232_009], "broken"),
            (&[230_013, 230_029, 230_034, 230_038, 230_053], "broken"),
            (&[10005, 10012, 10013, 10014, 10015], "broken"),
            (&[99_991_401, 99_991_403, 99_991_661, 99_991_662, 99_991_663, 99_991_664], "broken"),
            (&[99_991_665, 99_991_668, 99_991_671, 99_991_672, 99_991_673, 99_991_677], "broken"),
            (&[99_991_679, 99_992_351, 99_992_360, 99_992_361], "broken"),
            (&[230_011, 230_012, 230_019, 230_031, 230_050, 230_098, 230_110, 230_111, 231_003], "give_up"),
            (&[230_071, 230_072, 230_015, 230_017, 230_055, 230_022, 230_023, 230_024, 230_028], "give_up"),
            (&[230_052, 99_992_354, 99_992_402], "give_up"),
            (&[234_007, 234_042], "broken"),
            (&[234_001, 234_006, 234_010, 234_011, 234_039], "give_up"),
            (&[777_777], "unknown"),
        ] {
            for code in codes {
                assert_eq!(on(*code, "said").as_str(), expected, "{code}");
            }
        }
    }

    #[test]
    fn an_invalid_parameter_is_the_receivers_fault_only_where_it_names_it() {
        assert_eq!(on(230_001, "invalid receive_id").as_str(), "broken");
        assert!(matches!(on(230_001, "invalid content"), Verdict::Repair(Repair::Card, _)));
        assert!(matches!(on(230_025, "too long"), Verdict::Repair(Repair::TooLarge, _)));
    }

    #[test]
    fn a_call_is_repeated_with_a_new_token_only_where_the_token_was_refused() {
        for code in [99_991_661, 99_991_663, 99_991_664, 99_991_665, 99_991_671] {
            assert!(on(code, "said").is_about_token(), "{code}");
        }
        for code in [0, 99_991_662, 99_991_668, 99_991_672, 230_002] {
            assert!(!on(code, "said").is_about_token(), "{code}");
        }
    }

    #[test]
    fn trouble_names_the_log_id() {
        let Verdict::Broken(trouble) = on(230_002, "not in the chat").logged_as(Some("2024-id")) else {
            panic!("not broken")
        };
        assert_eq!(trouble.message, "not in the chat (log id 2024-id)");
        assert_eq!(Verdict::Ok.logged_as(Some("2024-id")), Verdict::Ok);
    }
}

//! What each answer of Feishu means: one pure table over HTTP status, code *and* message. Pure.
//!
//! Source: reference "Feishu", 1.4 (how to read an answer), 1.5 (codes at the hook), 3.8 (codes inside 11246 and
//! 230099). Success is a code of 0 in the body, never the status alone: most refusals come with HTTP 200.

mod answer;
mod app;
#[cfg(test)]
mod tests;
mod trouble;

use std::time::Duration;

use super::remark;
use answer::FeishuAnswer;
pub use trouble::Trouble;

/// 18121, "the same request is being processed": asking sooner than this is asking in vain.
const SAME_REQUEST_PAUSE: Duration = Duration::from_secs(1);

/// What Envoy's 503 says where it had passed the request on before it lost the connection.
const RESET_AFTER_SENDING: &str = "reset before headers";

/// What to do after an answer, or after the lack of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The message is in the chat.
    Ok,
    /// Too much at once: pause for everything that goes to this receiver. Not a failed attempt.
    SlowDown {
        /// How long Feishu said to wait, if it did.
        hint: Option<Duration>,
        /// What it said.
        trouble: Trouble,
    },
    /// It was not taken, and that may pass: the same again, a little later.
    TryAgain {
        /// The shortest pause that makes sense, where that is known.
        hint: Option<Duration>,
        /// What went wrong.
        trouble: Trouble,
    },
    /// It was sent, and nothing that was answered says whether it is in the chat: sent again, it may be there twice.
    MayHaveArrived {
        /// How long the headers said to wait, if they did.
        hint: Option<Duration>,
        /// Whether the time for an answer was over: then the next one may take as long.
        timed_out: bool,
        /// What went wrong.
        trouble: Trouble,
    },
    /// It was refused for a reason that is not in the table: it may be this message's or that of all, and may pass.
    Unknown {
        /// How long the headers said to wait, if they did.
        hint: Option<Duration>,
        /// What was answered.
        trouble: Trouble,
    },
    /// Nobody could be connected to, so nothing was sent. It may pass.
    Unreachable(Trouble),
    /// Not like this, but perhaps in another form.
    Repair(Repair, Trouble),
    /// Nothing will do until an operator changes something: the receiver is the reason, not the message.
    Broken(Trouble),
    /// This will never do.
    GiveUp(Trouble),
}

impl Verdict {
    /// The label values in metrics.
    pub const WORDS: [&'static str; 9] = [
        "ok",
        "slow_down",
        "try_again",
        "may_have_arrived",
        "unknown",
        "unreachable",
        "repair",
        "broken",
        "give_up",
    ];

    /// The label value in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::SlowDown { .. } => "slow_down",
            Self::TryAgain { .. } => "try_again",
            Self::MayHaveArrived { .. } => "may_have_arrived",
            Self::Unknown { .. } => "unknown",
            Self::Unreachable(_) => "unreachable",
            Self::Repair(..) => "repair",
            Self::Broken(_) => "broken",
            Self::GiveUp(_) => "give_up",
        }
    }
}

/// What can be changed about a message that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// Somebody mentioned is unknown, or everybody may not be mentioned: again without mentions.
    Mention,
    /// Too many bytes: again, shorter.
    TooLarge,
    /// A picture on the card is not known: again with links in place of pictures.
    Picture,
    /// The card, or what it consists of, is not accepted: again as plain text.
    Card,
    /// The signature or its time did not match: once more with a fresh one, in case it was our clock or a delay.
    Signature,
}

impl Repair {
    /// Every kind, for metrics that show each from the start.
    pub const ALL: [Self; 5] = [Self::Mention, Self::TooLarge, Self::Picture, Self::Card, Self::Signature];

    /// The label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mention => "mention",
            Self::TooLarge => "too_large",
            Self::Picture => "picture",
            Self::Card => "card",
            Self::Signature => "signature",
        }
    }
}

/// Reads one answer. `wait` is what the headers said about when to come back.
pub fn read(status: u16, body: &[u8], wait: Option<Duration>) -> Verdict {
    // What is not Feishu's JSON was said by something in between: a proxy, a gateway, a captive portal.
    let Some(answer) = FeishuAnswer::read(body) else {
        let why = if String::from_utf8_lossy(body).contains(RESET_AFTER_SENDING) {
            format!("HTTP {status}, {RESET_AFTER_SENDING}")
        } else {
            format!("HTTP {status} without a JSON answer")
        };
        return by_status(status, Trouble::without_code(why), wait);
    };
    let Some(code) = answer.code else {
        return by_status(status, Trouble::without_code(format!("HTTP {status} without a code")), wait);
    };
    let trouble = Trouble::with_code(code, remark::shorten(&answer.said));
    let succeeded = (200..300).contains(&status);
    match meaning(code, &answer.said) {
        Meaning::Success if succeeded => Verdict::Ok,
        Meaning::SlowDown => Verdict::SlowDown { hint: wait, trouble },
        Meaning::TryAgain => Verdict::TryAgain { hint: wait, trouble },
        Meaning::InFlight => Verdict::TryAgain { hint: Some(wait.unwrap_or(SAME_REQUEST_PAUSE)), trouble },
        Meaning::Repair(repair) => Verdict::Repair(repair, trouble),
        Meaning::Broken => Verdict::Broken(trouble),
        Meaning::GiveUp => Verdict::GiveUp(trouble),
        // A code other than 0 is a refusal, whatever it stands for.
        Meaning::Unknown if succeeded => Verdict::unknown(wait, trouble),
        Meaning::Success | Meaning::Unknown => by_status(status, trouble, wait),
    }
}

/// What the status alone says: that it may pass, that it is too much, or that nobody knows (RFC 9110, 15).
fn by_status(status: u16, trouble: Trouble, wait: Option<Duration>) -> Verdict {
    match status {
        429 => Verdict::SlowDown { hint: wait, trouble },
        // Of something in between, which has a limit of its own.
        413 if trouble.code.is_none() => Verdict::Repair(Repair::TooLarge, trouble),
        // By these the request was not taken: too slow, too early, or no room for it.
        408 | 425 => Verdict::TryAgain { hint: wait, trouble },
        503 if !trouble.message.contains(RESET_AFTER_SENDING) => Verdict::TryAgain { hint: wait, trouble },
        // What broke may have broken after the message was shown; a 2xx that is none of Feishu's may be one cut short.
        200..=299 | 500.. => Verdict::may_have_arrived(wait, status == 504, trouble),
        // Nor is a code of 0 with any other status a refusal.
        _ if trouble.code == Some(0) => Verdict::may_have_arrived(wait, false, trouble),
        _ => Verdict::unknown(wait, trouble),
    }
}

impl Verdict {
    /// It was sent, and there is no answer that says what became of it.
    pub(super) fn may_have_arrived(hint: Option<Duration>, timed_out: bool, trouble: Trouble) -> Self {
        Self::MayHaveArrived { hint, timed_out, trouble: trouble.that_may_have_arrived() }
    }

    fn unknown(hint: Option<Duration>, trouble: Trouble) -> Self {
        Self::Unknown { hint, trouble: trouble.by_itself() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Success,
    SlowDown,
    TryAgain,
    InFlight,
    Repair(Repair),
    Broken,
    GiveUp,
    Unknown,
}

/// The table of codes; those only an app bot hears are in `app`.
#[expect(clippy::match_same_arms, reason = "an arm is a group of the reference, with its own reason")]
fn meaning(code: i64, said: &str) -> Meaning {
    let says = |words: &str| said.to_ascii_lowercase().contains(words);
    match code {
        0 => Meaning::Success,

        // Throttles: of the bot, the chat, the gateway. 2200 is "internal", but comes from calling too often.
        11232 | 11233 | 11247 | 2200 | 99_991_400 => Meaning::SlowDown,
        // "Bad Request" is two things, and the second of them is two again.
        9499 if says("too many request") => Meaning::SlowDown,
        9499 if says("too large") || says("exceed") => Meaning::Repair(Repair::TooLarge),
        9499 => Meaning::Repair(Repair::Card),

        1663 | 1668 | 5000 | 10101 | 10105 | 10500 => Meaning::TryAgain,
        18121 => Meaning::InFlight,

        11246 | 230_099 if says("service internal error") => Meaning::TryAgain,
        11246 | 230_099 => sub_code(said).map_or(Meaning::Repair(Repair::Card), |sub| within_card(sub, said)),
        19021 => Meaning::Repair(Repair::Signature),
        19036 => Meaning::Repair(Repair::TooLarge),
        11235 | 100_290 => Meaning::Repair(Repair::Mention),
        // Parameters that are wrong in a card may be right in a plain text, and delivery comes before decoration:
        // generic request errors, a card where something else was expected, a kind of message that is not allowed.
        4000 | 10001 | 10003 | 10100 | 10400 | 19002 | 11230 => Meaning::Repair(Repair::Card),

        // The token is wrong, the bot switched off, the IP not allowed, the keyword missing: settings an operator has to
        // change.
        19001 | 19007 | 19022 | 19024 | 99_991_401 => Meaning::Broken,
        // The group is gone, does not let the bot speak, or the bot is not in it.
        11213 | 11231 | 11237 | 11242 | 10002 | 10030 => Meaning::Broken,
        // Moderation.
        11248 | 11312 | 18054 => Meaning::GiveUp,

        _ => app::meaning(code, said),
    }
}

/// Codes inside 11246 and 230099. A card that is refused for any of them goes out as plain text instead; none is
/// worth a blind repeat but the lock of a card somebody is just using.
fn within_card(sub: i64, said: &str) -> Meaning {
    match sub {
        100_290 => Meaning::Repair(Repair::Mention),
        200_570 => Meaning::Repair(Repair::Picture),
        11310 if said.to_ascii_lowercase().contains("lock") => Meaning::TryAgain,
        _ => Meaning::Repair(Repair::Card),
    }
}

/// The number in `… ErrCode: 100290; ErrMsg: …`.
fn sub_code(said: &str) -> Option<i64> {
    let at = said.to_ascii_lowercase().find("errcode")? + "errcode".len();
    let rest = said.get(at..)?.trim_start_matches([':', ' ', '=']);
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

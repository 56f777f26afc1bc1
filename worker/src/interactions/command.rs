//! What a text to the bot asks for. Pure.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use model::interaction::Mentioned;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// How long an alert is silenced where nothing else is said.
const SILENCE: Duration = HOUR;
/// The shortest and the longest silence: Alertmanager looks once a minute, and nobody remembers after a week.
const SILENCE_MIN: Duration = Duration::from_mins(5);
const SILENCE_MAX: Duration = Duration::from_hours(7 * 24);

/// Something the bot is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BotCommand {
    /// What can be asked for; also the answer to what is not understood.
    Help,
    /// What fires now.
    Alerts,
    /// To write down that the asker looks after an alert.
    Acknowledge {
        /// Its fingerprint, or the beginning of it.
        alert: String,
    },
    /// To silence an alert.
    Silence {
        /// Its fingerprint, or the beginning of it.
        alert: String,
        /// For how long.
        length: Duration,
    },
    /// Who is on call.
    OnCall,
    /// That somebody stands in for whoever is on call.
    Swap(SwapOrder),
    /// How Larkfire is.
    Status,
    /// How a command is written.
    Usage,
}

/// Somebody is to stand in for whoever is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SwapOrder {
    /// In which rotation.
    pub(crate) rotation: String,
    /// Who: a name, a mobile or an open id; `None`: whoever asks.
    pub(crate) person: Option<String>,
    /// For how long.
    pub(crate) time: SwapTime,
}

/// For how long somebody stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SwapTime {
    /// From now until the turn that is now ends.
    ThisTurn,
    /// From now, for so long.
    For(Duration),
    /// From then until then, by the rotation's clock.
    Between(DateTime, DateTime),
}

impl BotCommand {
    /// The word in the audit trail and in logs.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Help | Self::Usage => "help",
            Self::Alerts => "alerts",
            Self::Acknowledge { .. } => "ack",
            Self::Silence { .. } => "silence",
            Self::OnCall => "oncall",
            Self::Swap(_) => "oncall_swap",
            Self::Status => "status",
        }
    }
}

/// What a text asks for; `None` if it is not meant for the bot: in a group that needs a mention.
pub(crate) fn read(text: &str, mentions: &[Mentioned], is_group: bool) -> Option<BotCommand> {
    let text = without_placeholders(&narrowed(text), mentions);
    let mut words = text.split_whitespace().peekable();
    let mut is_mentioned = !mentions.is_empty();
    // Documentation has names where people are mentioned.
    while words.next_if(|word| word.starts_with('@')).is_some() {
        is_mentioned = true;
    }
    if is_group && !is_mentioned {
        return None;
    }
    let Some(first) = words.next() else {
        return (is_mentioned || !is_group).then_some(BotCommand::Help);
    };
    let Some(name) = first.strip_prefix('/') else {
        // People talk to each other in a group, and mention each other, too.
        return (!is_group).then_some(BotCommand::Help);
    };
    if ["oncall", "值班"].contains(&name.to_lowercase().as_str()) {
        let asked: Vec<&str> = words.collect();
        return Some(oncall(&asked, mentions.get(usize::from(is_group)..).unwrap_or_default()));
    }
    let first = words.next();
    let second = words.next();
    let rest = words.next();
    Some(match (name.to_lowercase().as_str(), first, second, rest) {
        ("alerts" | "告警", None, ..) => BotCommand::Alerts,
        ("status" | "状态", None, ..) => BotCommand::Status,
        ("ack" | "认领", Some(alert), None, _) => BotCommand::Acknowledge { alert: alert.to_owned() },
        ("silence" | "静默", Some(alert), None, _) => {
            BotCommand::Silence { alert: alert.to_owned(), length: SILENCE }
        }
        ("silence" | "静默", Some(alert), Some(length), None) => match duration(length) {
            Some(length) => BotCommand::Silence { alert: alert.to_owned(), length },
            None => BotCommand::Usage,
        },
        ("ack" | "认领" | "silence" | "静默" | "alerts" | "告警" | "status" | "状态", ..) => {
            BotCommand::Usage
        }
        _ => BotCommand::Help,
    })
}

/// What is asked about who is on call. `people` are mentioned besides the bot.
fn oncall(words: &[&str], people: &[Mentioned]) -> BotCommand {
    let (rotation, rest) = match words {
        [] => return BotCommand::OnCall,
        [swap, rotation, rest @ ..] if ["swap", "换班"].contains(&swap.to_lowercase().as_str()) => {
            (*rotation, rest)
        }
        _ => return BotCommand::Usage,
    };
    let mentioned = people.iter().map(|person| person.open_id.as_str()).rfind(|id| !id.is_empty());
    let named = match (mentioned, rest) {
        (Some(id), rest) => Some((Some(id.to_owned()), rest)),
        (None, [me, rest @ ..]) if ["me", "我"].contains(&me.to_lowercase().as_str()) => Some((None, rest)),
        (None, [person, rest @ ..]) => Some((Some((*person).to_owned()), rest)),
        (None, []) => None,
    };
    let Some((person, rest)) = named else { return BotCommand::Usage };
    let time = match rest {
        [] => Some(SwapTime::ThisTurn),
        [length] => duration(length).map(SwapTime::For),
        [from, until] => moment(from).zip(moment(until)).map(|(from, until)| SwapTime::Between(from, until)),
        _ => None,
    };
    match time {
        Some(time) => BotCommand::Swap(SwapOrder { rotation: rotation.to_owned(), person, time }),
        None => BotCommand::Usage,
    }
}

/// `2024-01-15T10:00`, or a day alone.
fn moment(text: &str) -> Option<DateTime> {
    let day = || text.parse::<Date>().ok().filter(|_| text.len() <= 10).map(DateTime::from);
    day().or_else(|| text.parse().ok())
}

/// Full-width letters, digits and signs as the ordinary ones: an input method for Chinese writes `／ａｃｋ` as well.
fn narrowed(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// Without what Feishu puts where people are mentioned, wherever in a text and however close to its words that is.
fn without_placeholders(text: &str, mentions: &[Mentioned]) -> String {
    let mut keys: Vec<_> = mentions.iter().map(|mention| narrowed(&mention.key)).collect();
    keys.retain(|key| key.starts_with('@'));
    // `@_user_1` begins `@_user_10`.
    keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.len()));
    keys.iter().fold(text.to_owned(), |text, key| text.replace(key.as_str(), " "))
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit.to_lowercase().as_str() {
        "m" | "分钟" => MINUTE,
        "h" | "小时" => HOUR,
        "d" | "天" => 24 * HOUR,
        _ => return None,
    };
    let length = unit.checked_mul(number.parse().ok()?)?;
    (SILENCE_MIN..=SILENCE_MAX).contains(&length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot() -> Vec<Mentioned> {
        vec![Mentioned {
            key: "@_user_1".to_owned(), open_id: "ou_bot".to_owned(), name: "告警".to_owned()
        }]
    }

    fn in_group(text: &str) -> Option<BotCommand> {
        read(text, &bot(), true)
    }

    fn silence(alert: &str, length: Duration) -> BotCommand {
        BotCommand::Silence { alert: alert.to_owned(), length }
    }

    #[test]
    fn commands_are_read_in_both_languages_with_and_without_placeholders() {
        for text in ["@_user_1 /alerts", "@_user_1  /ALERTS ", "@bot /告警"] {
            assert_eq!(in_group(text), Some(BotCommand::Alerts), "{text}");
        }
        assert_eq!(in_group("@_user_1 /alerts now"), Some(BotCommand::Usage));
        assert_eq!(in_group("@_user_1 /status"), Some(BotCommand::Status));
        assert_eq!(in_group("@_user_1 /help me"), Some(BotCommand::Help));
        assert_eq!(
            in_group("@_user_1 /认领 9f86"),
            Some(BotCommand::Acknowledge { alert: "9f86".to_owned() })
        );
    }

    #[test]
    fn a_silence_lasts_an_hour_or_as_long_as_is_said() {
        assert_eq!(in_group("@_user_1 /silence 9f86"), Some(silence("9f86", HOUR)));
        assert_eq!(in_group("@_user_1 /silence 9f86 4h"), Some(silence("9f86", 4 * HOUR)));
        assert_eq!(in_group("@_user_1 /静默 9f86 30分钟"), Some(silence("9f86", 30 * MINUTE)));
        assert_eq!(in_group("@_user_1 /silence 9f86 7d"), Some(silence("9f86", SILENCE_MAX)));
        for wrong in
            ["8d", "1m", "soon", "4", "-4h", "99999999999999999999h", "4h 5h", "18446744073709551615d"]
        {
            assert_eq!(
                in_group(&format!("@_user_1 /silence 9f86 {wrong}")),
                Some(BotCommand::Usage),
                "{wrong}"
            );
        }
        assert_eq!(in_group("@_user_1 /silence"), Some(BotCommand::Usage));
        assert_eq!(in_group("@_user_1 /ack"), Some(BotCommand::Usage));
    }

    #[test]
    fn who_is_on_call_is_asked_and_swapped_by_name_by_mention_and_for_oneself() {
        let swap = |person: Option<&str>, time| {
            let person = person.map(str::to_owned);
            Some(BotCommand::Swap(SwapOrder { rotation: "primary".to_owned(), person, time }))
        };
        assert_eq!(in_group("@_user_1 /oncall"), Some(BotCommand::OnCall));
        assert_eq!(in_group("@_user_1 /值班"), Some(BotCommand::OnCall));
        assert_eq!(in_group("@_user_1 /oncall swap primary me"), swap(None, SwapTime::ThisTurn));
        assert_eq!(in_group("@_user_1 /值班 换班 primary 我 4小时"), swap(None, SwapTime::For(4 * HOUR)));
        let [from, until] = ["2024-01-15T10:00", "2024-01-16T00:00"].map(|text| text.parse().unwrap());
        let between = SwapTime::Between(from, until);
        assert_eq!(
            in_group("@_user_1 /oncall swap primary lisi 2024-01-15T10:00 2024-01-16"),
            swap(Some("lisi"), between)
        );
        let mut two = bot();
        two.push(Mentioned {
            key: "@_user_2".to_owned(),
            open_id: "ou_lisi".to_owned(),
            name: "李四".to_owned(),
        });
        assert_eq!(
            read("@_user_1 /oncall swap primary @_user_2 8h", &two, true),
            swap(Some("ou_lisi"), SwapTime::For(8 * HOUR))
        );
        for wrong in ["swap", "swap primary", "swap primary me soon", "swap primary me 1 2 3", "who"] {
            let text = format!("@_user_1 /oncall {wrong}");
            assert_eq!(in_group(&text), Some(BotCommand::Usage), "{wrong}");
        }
    }

    #[test]
    fn a_mention_may_stand_anywhere_and_letters_may_be_wide() {
        for text in ["/alerts @_user_1", "@_user_1/alerts", "@_user_1\u{3000}／ａｌｅｒｔｓ", "＠bot ／告警"]
        {
            assert_eq!(in_group(text), Some(BotCommand::Alerts), "{text}");
        }
        assert_eq!(in_group("@_user_1 ／silence ９ｆ８６ ４Ｈ"), Some(silence("9f86", 4 * HOUR)));
        let mut two = bot();
        two.push(Mentioned { key: "@_user_10".to_owned(), ..Mentioned::default() });
        assert_eq!(read("@_user_10@_user_1 /alerts", &two, true), Some(BotCommand::Alerts));
        let nameless = vec![Mentioned::default(); 2];
        assert_eq!(read("/alerts", &nameless, true), Some(BotCommand::Alerts));
    }

    #[test]
    fn a_huge_text_is_read_in_no_time() {
        let wide = "＠".repeat(8_192);
        let mentions = vec![Mentioned { key: "@_user_1".to_owned(), ..Mentioned::default() }; 50];
        assert_eq!(read(&wide, &mentions, true), Some(BotCommand::Help));
        assert_eq!(read(&format!("/ack {wide}"), &[], false).map(|command| command.as_str()), Some("ack"));
    }

    #[test]
    fn what_is_not_understood_is_answered_with_help() {
        for text in ["@_user_1 /dance", "@_user_1", "@_user_1 /"] {
            assert_eq!(in_group(text), Some(BotCommand::Help), "{text}");
        }
        for text in ["hello", "/dance", ""] {
            assert_eq!(read(text, &[], false), Some(BotCommand::Help), "{text}");
        }
    }

    #[test]
    fn in_a_group_nobody_is_answered_who_did_not_ask() {
        assert_eq!(read("/alerts", &[], true), None);
        assert_eq!(read("the disk is full again", &[], true), None);
        assert_eq!(in_group("@_user_1 could you look at this?"), None);
        assert_eq!(read("/alerts", &[], false), Some(BotCommand::Alerts));
    }
}

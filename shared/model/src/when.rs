//! Times as an operator types them. Pure.

use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A moment, or so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// That moment.
    At(Timestamp),
    /// So long before now.
    Ago(Duration),
}

impl When {
    /// The moment that is meant, if it is `now`.
    pub fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(time) => {
                let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
                now.checked_sub(time).unwrap_or(Timestamp::MIN)
            }
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = duration(text) {
            return Ok(Self::Ago(time));
        }
        text.parse().map(Self::At).map_err(|_| {
            "expected a time such as 2024-01-15T10:30:00Z, or how long ago it was: 30m, 2h, 7d".to_owned()
        })
    }
}

/// A number of seconds, minutes, hours or days; `0` needs no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        "" if number == "0" => Some(0),
        _ => None,
    };
    let time = seconds.and_then(|seconds| number.parse::<u64>().ok()?.checked_mul(seconds));
    time.map(Duration::from_secs).ok_or_else(|| "expected a time such as 30s, 5m, 2h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_times_ago_are_told_apart() {
        let now: Timestamp = "2024-01-15T12:00:00Z".parse().unwrap();
        for (text, moment) in [
            ("2h", "2024-01-15T10:00:00Z"),
            ("90s", "2024-01-15T11:58:30Z"),
            ("1d", "2024-01-14T12:00:00Z"),
            ("0", "2024-01-15T12:00:00Z"),
            ("2024-01-15T10:30:00+08:00", "2024-01-15T02:30:00Z"),
        ] {
            assert_eq!(text.parse::<When>().unwrap().moment(now).to_string(), moment, "{text}");
        }
        for text in ["", "5", "h", "-1h", "1w", "99999999999999999999d", "2024-01-15"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
        assert_eq!("99999999999d".parse::<When>().unwrap().moment(now), Timestamp::MIN);
    }
}

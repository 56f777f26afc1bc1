//! What a setting's text may look like. Each kind answers a value or says what it must be.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use super::{BrokenReceiver, Credential, Locale, LogFormat, Network};

/// What a setting must be, as the end of the sentence "KEY must be …".
pub(super) type Must = String;

/// The longest wrong value that is repeated, in characters: what somebody meant for such a setting is shorter.
const REPEATED_MAX: usize = 32;

/// What must be, and what is there instead: for kinds that nobody keeps a secret in. What looks like none of their values
/// (an address, something long) is not repeated.
pub(super) fn instead_of(text: &str, must: impl Into<Must>) -> Must {
    let must = must.into();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | ':' | '-' | '+' | '_' | '/');
    let is_harmless =
        text.chars().count() <= REPEATED_MAX && text.chars().all(is_plain) && !text.contains("//");
    if is_harmless { format!("{must}; it is `{text}`") } else { must }
}

#[expect(clippy::unnecessary_wraps, reason = "a kind like the others")]
pub(super) fn text(text: &str) -> Result<String, Must> {
    Ok(text.to_owned())
}

/// The path of a file that is there. What has to be in it, whoever reads it finds out.
pub(super) fn readable_file(text: &str) -> Result<PathBuf, Must> {
    match std::fs::File::open(text) {
        Ok(_) => Ok(text.into()),
        Err(error) => Err(format!("a file that can be read; {text}: {error}")),
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, Must> {
    text.parse().map_err(|_| instead_of(text, "an address and a port, such as 127.0.0.1:8080 or [::]:8080"))
}

/// A name without a port, a scheme or a path.
pub(super) fn host_name(text: &str) -> Result<String, Must> {
    let is_name =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if is_name {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(instead_of(text, "the name of a host, such as alerts.example.com"))
    }
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, Must> {
    match text {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(instead_of(text, "true or false")),
    }
}

/// Units of sizes in bytes, and of times in milliseconds, the largest first.
const SIZES: [(&str, u64); 5] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1)];
const TIMES: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

pub(super) fn number<N: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<N, Must> {
    move |text| {
        let parsed = text.parse().ok().filter(|number| range.contains(number));
        let must = || instead_of(text, format!("a whole number from {} to {}", range.start(), range.end()));
        parsed.and_then(|number| N::try_from(number).ok()).ok_or_else(must)
    }
}

pub(super) fn bytes(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<usize, Must> {
    move |text| {
        let size = with_unit(text, &SIZES).filter(|size| range.contains(size));
        let must = || {
            let [least, most] = [range.start(), range.end()].map(|bytes| in_largest_unit(*bytes, &SIZES));
            instead_of(text, format!("a size from {least} to {most}, such as 512KiB or 32MiB"))
        };
        size.and_then(|size| usize::try_from(size).ok()).ok_or_else(must)
    }
}

pub(super) fn duration(range: RangeInclusive<Duration>) -> impl Fn(&str) -> Result<Duration, Must> {
    move |text| {
        let time = with_unit(text, &TIMES).map(Duration::from_millis).filter(|time| range.contains(time));
        time.ok_or_else(|| {
            let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let [least, most] =
                [range.start(), range.end()].map(|time| in_largest_unit(millis(time), &TIMES));
            instead_of(text, format!("a time from {least} to {most}, such as 500ms, 30s, 5m or 24h"))
        })
    }
}

/// As people would write it: the largest unit that leaves no rest.
fn in_largest_unit(amount: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor));
    whole.map_or_else(|| amount.to_string(), |(unit, factor)| format!("{}{unit}", amount / factor))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

pub(super) fn timezone(text: &str) -> Result<TimeZone, Must> {
    TimeZone::get(text)
        .map_err(|_| instead_of(text, "a time zone of the IANA database, such as Asia/Shanghai or UTC"))
}

pub(super) fn locale(text: &str) -> Result<Locale, Must> {
    match text.to_ascii_lowercase().replace('_', "-").as_str() {
        "zh-cn" | "zh" => Ok(Locale::ZhCn),
        "en" | "en-us" => Ok(Locale::En),
        _ => Err(instead_of(text, "zh-CN or en")),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, Must> {
    match text {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err(instead_of(text, "pretty or json")),
    }
}

pub(super) fn broken_receiver(text: &str) -> Result<BrokenReceiver, Must> {
    match text {
        "wait" => Ok(BrokenReceiver::Wait),
        "dead_letter" => Ok(BrokenReceiver::DeadLetter),
        "bury" => Err("wait or dead_letter, which is what `bury` is called now".to_owned()),
        _ => Err(instead_of(text, "wait or dead_letter")),
    }
}

pub(super) fn network(text: &str) -> Result<Network, Must> {
    text.parse().map_err(|()| {
        instead_of(text, "an address or a range of them, such as 192.0.2.7, 10.0.0.0/8 or fd00::/8")
    })
}

pub(super) fn credential(text: &str) -> Result<Credential, Must> {
    match text {
        "bearer" => Ok(Credential::Bearer),
        "basic" => Ok(Credential::Basic),
        "hmac" => Ok(Credential::Hmac),
        _ => Err(instead_of(text, "bearer, basic or hmac")),
    }
}

pub(super) fn header_name(text: &str) -> Result<String, Must> {
    let usable = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    usable.then(|| text.to_owned()).ok_or_else(|| "the name of a header".to_owned())
}

/// A URL that is sent as it stands: a parser takes a blank for `%20`, or drops a line's end, and Feishu knows no such bot.
pub(super) fn without_blanks(text: &str, what: &str) -> Result<(), Must> {
    let has_blank = text.contains(|c: char| c.is_whitespace() || c.is_control());
    if has_blank { Err(format!("{what} without a blank or a line's end inside")) } else { Ok(()) }
}

pub(super) fn webhook_url(text: &str) -> Result<String, Must> {
    without_blanks(text, "a custom bot's webhook URL")?;
    let usable = Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.path().len() > 1);
    let must = "a custom bot's webhook URL, such as https://open.feishu.cn/open-apis/bot/v2/hook/…";
    usable.then(|| text.to_owned()).ok_or_else(|| must.to_owned())
}

pub(super) fn basic_pair(text: &str) -> Result<String, Must> {
    let usable =
        text.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty());
    usable.then(|| text.to_owned()).ok_or_else(|| "of the form user:password".to_owned())
}

/// A name that queue names can begin with and logs can show.
pub(super) fn prefix(text: &str) -> Result<String, Must> {
    let usable = (1..=64).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    usable
        .then(|| text.to_owned())
        .ok_or_else(|| "1 to 64 letters, digits, dots, dashes or underscores".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_said_in_the_units_that_people_write() {
        let day = Duration::from_hours(24);
        let refused = duration(day..=day * 365)("1h").unwrap_err();
        assert!(refused.starts_with("a time from 1d to 365d, such as"), "{refused}");
        let refused = duration(Duration::from_millis(1_500)..=Duration::from_mins(5))("1h").unwrap_err();
        assert!(refused.starts_with("a time from 1500ms to 5m, such as"), "{refused}");
        let refused = bytes(1_024..=(64 << 20) + 1)("1B").unwrap_err();
        assert!(refused.starts_with("a size from 1KiB to 67108865B, such as"), "{refused}");
    }
}

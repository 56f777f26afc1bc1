//! The alert that tests a receiver. It takes the way of any other, but is not kept for later, and expires: a test that
//! comes when nobody waits for it any more is a false alarm. Pure.

use std::time::Duration;

use config::Locale;
use jiff::{SignedDuration, Timestamp};
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source};

/// What its fingerprint begins with. Together with the source this cannot come in from outside: ingest makes the
/// fingerprints of the custom format itself, out of hexadecimal digits.
const MARK: &str = "test-";
/// The label that says which of several bots is tested, counted from 1.
const BOT: &str = "bot";
/// How long a test is delivered for, unless somebody waits for longer. Clocks of two machines may differ by less.
pub const LIFETIME: Duration = Duration::from_mins(1);

/// A test alert for this receiver. Whoever is told of it reads who sent it, and that nothing is wrong.
pub fn envelope(
    receiver: &str,
    who: &str,
    locale: Locale,
    id: EnvelopeId,
    now: Timestamp,
) -> Envelope<'static> {
    let (summary, description) = match locale {
        Locale::ZhCn => (
            format!("测试：接收者 {receiver} 能收到告警"),
            format!("由 {who} 发出的测试。一切正常，无需处理。"),
        ),
        Locale::En => (
            format!("Test: the receiver {receiver} is told of alerts"),
            format!("A test by {who}. Nothing is wrong, and nothing is to be done."),
        ),
    };
    let pairs = |pairs: [(&'static str, String); 2]| -> Labels<'static> {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    };
    let alert = Alert {
        fingerprint: Fingerprint::own(fingerprint(id).into())
            .unwrap_or_else(|| Fingerprint::of_pairs([(MARK, receiver)])),
        former: None,
        status: Status::Firing,
        starts_at: Some(now),
        ends_at: Some(after(now, LIFETIME)),
        labels: pairs([("alertname", "LarkfireTest".to_owned()), ("severity", "info".to_owned())]),
        annotations: pairs([("summary", summary), ("description", description)]),
        generator_url: "".into(),
        links: Links::default(),
        mention: Mention::default(),
    };
    Envelope {
        id,
        received_at: now,
        source: Source::Custom,
        receiver: receiver.to_owned().into(),
        group_key: MARK.into(),
        group_labels: Labels::default(),
        external_url: "".into(),
        truncated: 0,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts: vec![alert],
    }
}

/// The same, delivered for this long at least: somebody waits for it.
pub fn lasting(mut envelope: Envelope<'static>, lifetime: Duration) -> Envelope<'static> {
    let until = after(envelope.received_at, lifetime.max(LIFETIME));
    for alert in &mut envelope.alerts {
        alert.ends_at = Some(until);
    }
    envelope
}

/// Whether it is one that nobody waits for any more.
pub fn is_expired(envelope: &Envelope<'_>, now: Timestamp) -> bool {
    is_test(envelope) && envelope.alerts.iter().all(|alert| alert.ends_at.is_some_and(|end| end < now))
}

fn after(moment: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    moment.saturating_add(time).unwrap_or(Timestamp::MAX)
}

/// The same for one of the receiver's bots, which share its cards: that one is to show it. `bot` counts from 1.
pub fn of_bot(mut envelope: Envelope<'static>, bot: usize) -> Envelope<'static> {
    for alert in &mut envelope.alerts {
        let labels = std::mem::take(&mut alert.labels);
        let all = labels.iter().map(|(name, value)| (name.to_owned().into(), value.to_owned().into()));
        alert.labels = all.chain([(BOT.into(), bot.to_string().into())]).collect();
    }
    envelope
}

/// The place, from 0, of the bot it tests, if it tests one among several.
pub fn bot_of(envelope: &Envelope<'_>) -> Option<usize> {
    let bot = envelope.alerts.iter().find_map(|alert| alert.labels.get(BOT))?;
    bot.parse::<usize>().ok()?.checked_sub(1).filter(|_| is_test(envelope))
}

/// Whether it is one.
pub fn is_test(envelope: &Envelope<'_>) -> bool {
    envelope.alerts.iter().all(|alert| is_of_test(envelope.source, alert.fingerprint.as_str()))
}

/// Whether an alert of this source and fingerprint is a test's: it fires for nobody, however long its card is there.
pub fn is_of_test(source: Source, fingerprint: &str) -> bool {
    source == Source::Custom && fingerprint.starts_with(MARK)
}

/// The fingerprint of the test in an envelope of this id.
pub fn fingerprint(id: EnvelopeId) -> String {
    format!("{MARK}{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_alert() -> Envelope<'static> {
        let now = Timestamp::UNIX_EPOCH;
        envelope("ops", "ann@host", Locale::En, EnvelopeId::new(now, [7; 10]), now)
    }

    #[test]
    fn it_is_known_by_its_mark_and_says_who_sent_it() {
        let envelope = test_alert();
        assert!(is_test(&envelope));
        let alert = &envelope.alerts[0];
        assert!(alert.annotations.get("description").unwrap().contains("ann@host"));
        assert_eq!(alert.fingerprint.as_str(), format!("test-{}", envelope.id));
    }

    #[test]
    fn it_names_the_bot_it_tests_if_there_are_several() {
        assert_eq!(bot_of(&test_alert()), None);
        assert_eq!(bot_of(&of_bot(test_alert(), 3)), Some(2));
        let foreign = Envelope { source: Source::Alertmanager, ..of_bot(test_alert(), 3) };
        assert_eq!(bot_of(&foreign), None, "a label called bot is anybody's");
    }

    #[test]
    fn it_expires_a_minute_after_it_was_sent_or_when_nobody_waits_any_more() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(!is_expired(&test_alert(), at(60)));
        assert!(is_expired(&test_alert(), at(61)));
        let lasting = |seconds| lasting(test_alert(), Duration::from_secs(seconds));
        assert!(!is_expired(&lasting(300), at(300)) && is_expired(&lasting(300), at(301)));
        assert!(!is_expired(&lasting(1), at(60)), "a worker's clock may be ahead");
        let foreign = Envelope { source: Source::Alertmanager, ..test_alert() };
        assert!(!is_expired(&foreign, at(99)), "an alert's end says nothing of its delivery");
    }

    #[test]
    fn what_came_in_from_outside_is_none_whatever_it_calls_itself() {
        let envelope = Envelope { source: Source::Alertmanager, ..test_alert() };
        assert!(!is_test(&envelope), "Alertmanager's fingerprints are taken as they come");
    }
}

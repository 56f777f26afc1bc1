use std::borrow::Cow;

use jiff::SignedDuration;
use model::alert::{Alert, LABEL_VALUE_BYTES_MAX, Labels};
use model::envelope::encode;
use queue::{FailureMarks, Replay};

use super::*;

const LINE: &str = concat!(
    r#"{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-0123456789ab","received_at":"2024-01-15T10:34:58Z","#,
    r#""source":"alertmanager","receiver":"ops","group_key":"g","alerts":["#,
    r#"{"fingerprint":"abc123","status":"firing","labels":{"alertname":"DiskFull","severity":"critical"}},"#,
    r#"{"fingerprint":"def456","status":"firing","labels":{"alertname":"DiskFull"}}]}"#
);
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn failed(reason: Reason) -> Headers {
    let failure = Failure {
        reason,
        receiver: "ops".to_owned(),
        code: Some(19024),
        message: "Key Words Not Found".to_owned(),
        attempts: 2,
        first_failed_at: NOW,
        last_failed_at: NOW,
        marks: FailureMarks::default(),
    };
    Headers { failure: Some(failure), ..Headers::default() }
}

fn split_at(body: &str, headers: &Headers, now: Timestamp) -> Vec<DeadLetterRecord> {
    split(&Bytes::from(body.to_owned()), headers, now)
}

#[test]
fn a_message_of_the_worker_is_one_letter_with_its_card() {
    let card = r#"{"card":{"header":{}}}"#;
    let letters = split_at(&format!("{LINE}\n{card}\n"), &failed(Reason::Refused), NOW);
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter.body, LINE);
    assert_eq!(letter.card.as_deref(), Some(card.as_bytes()));
    assert_eq!((letter.alerts, letter.summary.as_str()), (2, "DiskFull"));
    assert_eq!(letter.fingerprints, ["abc123", "def456"]);
    assert_eq!(letter.failure, failed(Reason::Refused).failure.unwrap());
}

#[test]
fn what_the_broker_gave_up_is_one_letter_for_each_envelope_in_it() {
    let other = LINE.replace("0123456789ab", "0123456789ac");
    let letters = split_at(&format!("{LINE}\n{other}\n"), &Headers::default(), NOW);
    assert_eq!(letters.len(), 2);
    for letter in &letters {
        assert_eq!((letter.failure.reason, letter.failure.attempts), (Reason::Undeliverable, 0));
        assert_eq!(letter.failure.first_failed_at, "2024-01-15T10:34:58Z".parse().unwrap());
    }
    assert_ne!(letters[0].letter_key, letters[1].letter_key);
}

#[test]
fn a_parked_message_the_broker_gave_up_keeps_what_was_known_of_it() {
    let letters = split_at(LINE, &failed(Reason::Unavailable), NOW);
    let failure = &letters[0].failure;
    assert_eq!((failure.reason, failure.receiver.as_str()), (Reason::Undeliverable, "ops"));
    assert_eq!((failure.code, failure.attempts), (Some(19024), 2));
    assert!(failure.message.ends_with("before that: Key Words Not Found"), "{}", failure.message);
}

#[test]
fn a_message_that_is_delivered_again_has_the_same_key_and_another_receiver_has_not() {
    let later = NOW + SignedDuration::from_secs(60);
    for headers in [failed(Reason::Refused), Headers::default()] {
        for body in [LINE, "garbage"] {
            let first = split_at(body, &headers, NOW);
            let again = split_at(body, &headers, later);
            assert_eq!(first[0].letter_key, again[0].letter_key, "{body}");
        }
    }
    let mut elsewhere = failed(Reason::Refused);
    elsewhere.failure.as_mut().unwrap().receiver = "dev".to_owned();
    let [one, two] =
        [failed(Reason::Refused), elsewhere].map(|headers| split_at(LINE, &headers, NOW).remove(0));
    assert_ne!(one.letter_key, two.letter_key);
    assert_eq!(one.line_key, two.line_key);
}

#[test]
fn the_same_garbage_that_came_twice_is_two_letters() {
    let first = failed(Reason::Undecodable);
    let mut second = first.clone();
    second.failure.as_mut().unwrap().first_failed_at += SignedDuration::from_nanos(1);
    let [first, second] =
        [first, second].map(|headers| split_at("garbage", &headers, NOW).remove(0).letter_key);
    assert_ne!(first, second);
}

#[test]
fn nothing_vanishes_and_nothing_outgrows_its_column() {
    let letters = split(&Bytes::new(), &Headers::default(), NOW);
    assert_eq!((letters.len(), letters[0].body_bytes), (1, 0));

    let mut headers = failed(Reason::Refused);
    headers.replay = Some(Replay { letter: DeadLetterId(7), forced: false });
    let failure = headers.failure.as_mut().unwrap();
    failure.receiver = "名".repeat(1_000);
    failure.message = "x".repeat(100_000);
    let letters = split(&Bytes::from(vec![0xff; LETTER_BYTES_MAX + 1]), &headers, NOW);
    let letter = &letters[0];
    assert_eq!((letter.body.len(), letter.body_bytes), (LETTER_BYTES_MAX, LETTER_BYTES_MAX + 1));
    assert_eq!(letter.failure.receiver.chars().count(), NAME_CHARS_MAX);
    assert_eq!(letter.failure.message.chars().count(), MESSAGE_CHARS_MAX);
    assert_eq!((letter.replay, letter.envelope), (Some(DeadLetterId(7)), None));
}

#[test]
fn the_largest_envelope_we_write_is_kept_whole() {
    // What JSON makes six bytes of each.
    let text = "\u{1}".repeat(LABEL_VALUE_BYTES_MAX - 8);
    let labels = || -> Labels<'static> {
        (0..4).map(|index| (Cow::Owned(format!("l{index}")), Cow::Owned(text.clone()))).collect()
    };
    let alert = Alert {
        labels: labels(),
        annotations: labels(),
        ..decode(LINE.as_bytes()).unwrap().alerts.remove(0)
    };
    let envelope =
        Envelope { alerts: vec![alert], group_labels: labels(), ..decode(LINE.as_bytes()).unwrap() };
    let line = encode(&envelope).unwrap().remove(0).bytes;
    assert!(line.len() > 512 * 1024, "{} bytes", line.len());
    let letter = split(&line, &failed(Reason::Refused), NOW).remove(0);
    assert_eq!((letter.body.len(), letter.body_bytes), (line.len() - 1, line.len() - 1));
}

#[test]
fn a_card_without_its_envelope_is_a_letter_of_its_own() {
    let letters = split_at("{\"card\":{}}\n", &failed(Reason::Refused), NOW);
    assert_eq!((letters.len(), letters[0].body.as_ref()), (1, &b"{\"card\":{}}"[..]));
}

use jiff::Timestamp;
use proptest::prelude::*;
use queue::{DeadLetterId, FailureMarks, Reason};

use super::*;

const BEGIN: Place = Place { segment: 3, offset: 8 };

fn alert(body: impl Into<Bytes>) -> Message {
    Message {
        to: MessageDestination::Alerts { shard_key: u64::MAX },
        body: body.into(),
        headers: Headers::default(),
    }
}

/// The records one after another, and where each ends.
fn written(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for body in bodies {
        let place = Place { offset: BEGIN.offset + bytes.len() as u64, ..BEGIN };
        assert!(write(place, &alert(body.clone()), &mut bytes));
    }
    bytes
}

/// The bodies that are read before the end or the first thing that is no record.
fn read_all(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let mut at = 0;
    while let RecordAt::Record(message, length) =
        read(Place { offset: BEGIN.offset + at as u64, ..BEGIN }, &bytes[at..])
    {
        bodies.push(message.body.to_vec());
        at += length;
    }
    bodies
}

#[test]
fn a_message_comes_out_as_it_went_in() {
    let failure = Failure {
        reason: Reason::Unavailable,
        receiver: "ops".to_owned(),
        code: Some(11232),
        message: "\"slow\"\ndown".to_owned(),
        attempts: 2,
        first_failed_at: Timestamp::UNIX_EPOCH,
        last_failed_at: Timestamp::MAX,
        marks: FailureMarks::default(),
    };
    let replay = Some(Replay { letter: DeadLetterId(7), forced: true });
    let traceparent = Some("00-ab-cd-01".to_owned());
    let headers = Headers { attempt: 2, failure: Some(failure), traceparent, replay };
    for (headers, body) in [(headers, "{\"v\":1}\n"), (Headers::default(), "")] {
        let message = Message { headers, ..alert(body) };
        let mut bytes = Vec::new();
        assert!(write(BEGIN, &message, &mut bytes));
        let RecordAt::Record(found, length) = read(BEGIN, &bytes) else { panic!("no record in {bytes:?}") };
        assert_eq!((found.to, &found.body, &found.headers), (message.to, &message.body, &message.headers));
        assert_eq!(length, bytes.len());
    }
}

#[test]
fn a_record_is_one_at_its_own_place_only() {
    let bytes = written(&[b"one".to_vec()]);
    for place in [Place { segment: 4, ..BEGIN }, Place { offset: 9, ..BEGIN }] {
        assert!(matches!(read(place, &bytes), RecordAt::Corrupt), "{place:?}");
    }
}

#[test]
fn what_is_no_alert_or_too_large_is_left_out_whole() {
    let mut bytes = Vec::new();
    assert!(!write(BEGIN, &Message { to: MessageDestination::Interactions, ..alert("x") }, &mut bytes));
    assert!(!write(BEGIN, &alert(vec![b'x'; CONTENT_BYTES_MAX]), &mut bytes));
    assert!(bytes.is_empty());
}

#[test]
fn zeros_are_the_rest_of_a_write_that_was_cut_off() {
    assert!(matches!(read(BEGIN, &[0; 100]), RecordAt::Incomplete));
    assert!(matches!(read(BEGIN, &[]), RecordAt::Incomplete));
}

#[test]
fn a_length_beyond_every_record_is_not_believed_even_with_its_check() {
    let length = u32::MAX.to_le_bytes();
    let crc = [0; 4];
    let check = check(BEGIN, length, crc).to_le_bytes();
    assert!(matches!(read(BEGIN, &[length, crc, check].concat()), RecordAt::Corrupt));
}

fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6)
}

proptest! {
    #[test]
    fn a_truncation_leaves_the_records_before_it(bodies in bodies(), at in any::<prop::sample::Index>()) {
        let mut bytes = written(&bodies);
        bytes.truncate(at.index(bytes.len()));
        let read = read_all(&bytes);
        prop_assert!(read.len() < bodies.len());
        prop_assert_eq!(&read[..], &bodies[..read.len()]);
    }

    #[test]
    fn a_flipped_bit_leaves_the_records_before_it(
        bodies in bodies(), at in any::<prop::sample::Index>(), bit in 0_u8..8,
    ) {
        let mut bytes = written(&bodies);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let read = read_all(&bytes);
        prop_assert!(read.len() < bodies.len());
        prop_assert_eq!(&read[..], &bodies[..read.len()]);
    }

    #[test]
    fn overwritten_bytes_never_become_another_record(
        bodies in bodies(), at in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut bytes = written(&bodies);
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + noise.len());
        bytes[at..end].copy_from_slice(&noise[..end - at]);
        let read = read_all(&bytes);
        prop_assert_eq!(&read[..], &bodies[..read.len()]);
    }

    #[test]
    fn noise_is_no_record(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!matches!(read(BEGIN, &noise), RecordAt::Record(..)));
    }
}

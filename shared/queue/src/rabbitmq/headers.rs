//! Our headers ↔ AMQP's. What cannot be read is left out: the body is what has to arrive.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::Headers;

/// AMQP's number for "survives a restart of the broker".
const PERSISTENT: u8 = 2;
const ATTEMPT: &str = "larkfire-attempt";
const FAILURE: &str = "larkfire-failure";
/// The broker's own.
const DELIVERY_COUNT: &str = "x-delivery-count";
const REPLAY: &str = "larkfire-replay";
/// The name of the W3C trace context, so that other tools find it.
const TRACEPARENT: &str = "traceparent";

/// What every message of ours is published with.
pub(super) fn properties(headers: &Headers) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/x-ndjson".into())
        .with_headers(encode(headers))
}

/// The AMQP table; empty for a message nothing is known about.
pub(super) fn encode(headers: &Headers) -> FieldTable {
    let mut table = FieldTable::default();
    if headers.attempt > 0 {
        table.insert(ATTEMPT.into(), AMQPValue::LongUInt(headers.attempt));
    }
    if let Some(failure) = headers.failure.as_ref().and_then(|failure| serde_json::to_string(failure).ok()) {
        table.insert(FAILURE.into(), AMQPValue::LongString(failure.into()));
    }
    if let Some(traceparent) = &headers.traceparent {
        table.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.as_str().into()));
    }
    if let Some(replay) = headers.replay.as_ref().and_then(|replay| serde_json::to_string(replay).ok()) {
        table.insert(REPLAY.into(), AMQPValue::LongString(replay.into()));
    }
    table
}

/// Our headers out of whatever table a message carries.
pub(super) fn decode(table: Option<&FieldTable>) -> Headers {
    let Some(table) = table else { return Headers::default() };
    let text = |name| table.inner().get(name).and_then(as_text);
    Headers {
        attempt: table.inner().get(ATTEMPT).and_then(as_u32).unwrap_or(0),
        failure: text(FAILURE).and_then(|json| serde_json::from_str(&json).ok()),
        traceparent: text(TRACEPARENT),
        replay: text(REPLAY).and_then(|json| serde_json::from_str(&json).ok()),
    }
}

/// How often a quorum queue has handed a message out in vain, as it says itself.
pub(super) fn delivery_count(table: Option<&FieldTable>) -> u32 {
    table.and_then(|table| table.inner().get(DELIVERY_COUNT)).and_then(as_u32).unwrap_or(0)
}

fn as_u32(value: &AMQPValue) -> Option<u32> {
    // The management page and other clients write small integers in whatever width they like.
    if let AMQPValue::LongUInt(number) = value {
        return Some(*number);
    }
    if let AMQPValue::LongLongInt(number) = value {
        return u32::try_from(*number).ok();
    }
    if let AMQPValue::LongInt(number) = value {
        return u32::try_from(*number).ok();
    }
    if let AMQPValue::ShortShortUInt(number) = value {
        return Some(u32::from(*number));
    }
    if let AMQPValue::ShortUInt(number) = value {
        return Some(u32::from(*number));
    }
    None
}

fn as_text(value: &AMQPValue) -> Option<String> {
    if let AMQPValue::LongString(text) = value {
        return std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned);
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{DeadLetterId, Failure, FailureMarks, Reason, Replay};

    #[test]
    fn headers_survive_the_journey() {
        let headers = Headers {
            attempt: 3,
            failure: Some(Failure {
                reason: Reason::Unavailable,
                receiver: "default".to_owned(),
                code: Some(11232),
                message: "too fast".to_owned(),
                attempts: 3,
                first_failed_at: Timestamp::UNIX_EPOCH,
                last_failed_at: Timestamp::UNIX_EPOCH,
                marks: FailureMarks { may_have_arrived: true, ..FailureMarks::default() },
            }),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            replay: Some(Replay { letter: DeadLetterId(42), forced: true }),
        };
        assert_eq!(decode(Some(&encode(&headers))), headers);
        assert_eq!(decode(Some(&encode(&Headers::default()))), Headers::default());
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let mut table = FieldTable::default();
        table.insert(ATTEMPT.into(), AMQPValue::Boolean(true));
        table.insert(FAILURE.into(), AMQPValue::LongString("not JSON".into()));
        table.insert(TRACEPARENT.into(), AMQPValue::LongString(vec![0xff].into()));
        table.insert(REPLAY.into(), AMQPValue::LongString("{}".into()));
        assert_eq!(decode(Some(&table)), Headers::default());
        assert_eq!(decode(None), Headers::default());
    }

    #[test]
    fn an_attempt_of_another_width_counts() {
        let mut table = FieldTable::default();
        table.insert(ATTEMPT.into(), AMQPValue::LongLongInt(2));
        assert_eq!(decode(Some(&table)).attempt, 2);
    }

    #[test]
    fn deliveries_in_vain_are_counted_by_the_broker_in_whatever_width() {
        let counted = |value| {
            let mut table = FieldTable::default();
            table.insert(DELIVERY_COUNT.into(), value);
            delivery_count(Some(&table))
        };
        assert_eq!(counted(AMQPValue::LongLongInt(12)), 12);
        assert_eq!(counted(AMQPValue::ShortShortUInt(12)), 12);
        assert_eq!(counted(AMQPValue::LongLongInt(-1)), 0);
        assert_eq!(delivery_count(None), 0);
    }
}

//! The custom format: `{message, sender_id, chat_id, timestamp, metadata}`, for whatever can post JSON. Pure.

use std::borrow::Cow;

use model::alert::{Fingerprint, Labels, Status};

use super::identity::{Identity, Rule};
use super::reading::AlertReading;
use super::shape::Shape;
use super::{Context, text_alert, text_lines};

/// What of the metadata says how bad it is, or when, and not which problem it is.
const CHANGES: [&str; 14] = [
    "severity",
    "Severity",
    "level",
    "priority",
    "alert_level",
    "告警级别",
    "status",
    "state",
    "value",
    "time",
    "timestamp",
    "duration",
    "count",
    "trace_id",
];

pub(super) fn read<'a>(shape: Shape<'a>, context: &Context) -> AlertReading<'a> {
    let message = &*shape.message.0;
    let identity = identity(&shape, context);
    let status = if text_alert::is_over(&shape.status.0) { Status::Resolved } else { Status::Firing };
    let mut labels = labels(&shape, context);
    text_lines::add_labels(&mut labels, message, &context.timezone);
    let mention = text_alert::mention(shape.at_name.0, shape.at_phone.0);
    AlertReading::single(text_alert::told(message, labels, identity, status, mention))
}

/// With a `key` the sender says what belongs together: a recovery ends what it began. Without one it is the whole message,
/// and what its metadata says.
fn identity(shape: &Shape<'_>, context: &Context) -> Identity<'static> {
    let message = &*shape.message.0;
    let rule = Rule::new(context);
    let sender = [("sender_id", &*shape.sender_id.0), ("chat_id", &*shape.chat_id.0)];
    let former = Fingerprint::of_pairs(sender.into_iter().chain([("message", message)]));
    if !shape.key.0.is_empty() {
        return rule.of_pairs(sender.into_iter().chain([("key", &*shape.key.0)]), former);
    }
    if text_alert::is_test(message) {
        return Identity::of_test(context.id, 0);
    }
    let mut metadata = shape.metadata.0.iter().filter(|(name, _)| !CHANGES.contains(name)).peekable();
    if metadata.peek().is_none() {
        return rule.of_pairs(sender.into_iter().chain([("message", message)]), former);
    }
    let metadata = Fingerprint::of_pairs(metadata);
    rule.of_pairs(sender.into_iter().chain([("message", message), ("metadata", metadata.as_str())]), former)
}

/// What the fields say goes before what the lines of the message say.
fn labels<'a>(shape: &Shape<'a>, context: &Context) -> Labels<'a> {
    let mut labels = Labels::default();
    for (name, value) in [("sender_id", &shape.sender_id), ("chat_id", &shape.chat_id)] {
        if !value.0.is_empty() {
            labels.insert_if_absent(Cow::Borrowed(name), value.0.clone());
        }
    }
    text_lines::add(&mut labels, text_lines::TIME, &shape.timestamp.0, &context.timezone);
    for (name, value) in shape.metadata.0.iter() {
        labels.insert_if_absent(Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()));
    }
    labels
}

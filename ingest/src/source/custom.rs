//! The custom format: `{message, sender_id, chat_id, timestamp, metadata}`, for whatever can post JSON.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use shared::alert::{Fingerprint, Labels, Status};

use super::reading::Reading;
use super::shape::Shape;
use super::{text_alert, text_lines};

pub(super) fn read<'a>(shape: Shape<'a>, zone: &TimeZone) -> Reading<'a> {
    let (message, sender, chat) = (&*shape.message.0, &*shape.sender_id.0, &*shape.chat_id.0);
    let fingerprint = Fingerprint::of_pairs([("sender_id", sender), ("chat_id", chat), ("message", message)]);
    let status =
        if shape.status.0.eq_ignore_ascii_case("resolved") { Status::Resolved } else { Status::Firing };
    let mut labels = labels(&shape, zone);
    text_lines::add_labels(&mut labels, message, zone);
    let mention = text_alert::mention(shape.at_name.0, shape.at_phone.0);
    Reading::single(text_alert::told(message, labels, (fingerprint, status), mention))
}

/// What the fields say goes before what the lines of the message say.
fn labels<'a>(shape: &Shape<'a>, zone: &TimeZone) -> Labels<'a> {
    let mut labels = Labels::default();
    for (name, value) in [("sender_id", &shape.sender_id), ("chat_id", &shape.chat_id)] {
        if !value.0.is_empty() {
            labels.insert_if_absent(Cow::Borrowed(name), value.0.clone());
        }
    }
    text_lines::add(&mut labels, text_lines::TIME, &shape.timestamp.0, zone);
    for (name, value) in shape.metadata.0.iter() {
        labels.insert_if_absent(Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()));
    }
    labels
}

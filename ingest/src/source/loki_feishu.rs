//! The Loki-Feishu format: `{message, status, at_name, at_phone}`, a text with known words and whom to mention.

use jiff::tz::TimeZone;
use shared::alert::{Fingerprint, Labels, Status};

use super::reading::Reading;
use super::shape::Shape;
use super::{text_alert, text_lines};

/// The labels that identify such an alert.
const IDENTITY: [&str; 4] = ["service", "endpoint", "namespace", "trigger"];

pub(super) fn read<'a>(shape: Shape<'a>, zone: &TimeZone) -> Reading<'a> {
    let message = &*shape.message.0;
    let mut labels = Labels::default();
    text_lines::add_labels(&mut labels, message, zone);
    let identity: Vec<_> = labels.iter().filter(|(name, _)| IDENTITY.contains(name)).collect();
    let fingerprint = if identity.is_empty() {
        Fingerprint::of_pairs([("message", &*text_lines::without_time(message))])
    } else {
        Fingerprint::of_pairs(identity)
    };
    let (status, state) = status(&shape.status.0);
    if let Some(state) = state {
        labels.insert_if_absent("state".into(), state.into());
    }
    let mention = text_alert::mention(shape.at_name.0, shape.at_phone.0);
    Reading::single(text_alert::told(message, labels, (fingerprint, status), mention))
}

/// Everything but `resolved` fires. A word that is neither of the two is kept as the label `state`: it colours
/// the card.
fn status(text: &str) -> (Status, Option<String>) {
    match text.trim().to_lowercase().as_str() {
        "resolved" => (Status::Resolved, None),
        "firing" => (Status::Firing, None),
        "" => (Status::Firing, Some("none".to_owned())),
        // The original's own spelling.
        "spcial" => (Status::Firing, Some("special".to_owned())),
        other => (Status::Firing, Some(other.to_owned())),
    }
}

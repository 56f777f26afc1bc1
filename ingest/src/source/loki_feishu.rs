//! The Loki-Feishu format: `{message, status, at_name, at_phone}`, a text with known words and whom to mention. Pure.

use model::alert::{Fingerprint, Labels, Status};

use super::identity::{Identity, Rule};
use super::reading::AlertReading;
use super::shape::Shape;
use super::{Context, text_alert, text_lines};

/// The labels that identify such an alert, beside its title.
const IDENTITY: [&str; 4] = ["service", "endpoint", "namespace", "trigger"];

pub(super) fn read<'a>(shape: Shape<'a>, context: &Context) -> AlertReading<'a> {
    let message = &*shape.message.0;
    let mut labels = Labels::default();
    text_lines::add_labels(&mut labels, message, &context.timezone);
    let identity = identity(message, &labels, context);
    let word = if shape.status.0.is_empty() && shape.has_title { &shape.kind.0 } else { &shape.status.0 };
    let (status, state) = if shape.has_title { status_of_any(word) } else { status(word) };
    if let Some(state) = state {
        labels.insert_if_absent("state".into(), state.into());
    }
    let mention = text_alert::mention(shape.at_name.0, shape.at_phone.0);
    AlertReading::single(text_alert::told(message, labels, identity, status, mention))
}

/// Of two messages about one service the title says which is which; one that names nothing is known by all it says.
fn identity(message: &str, labels: &Labels<'_>, context: &Context) -> Identity<'static> {
    if text_alert::is_test(message) {
        return Identity::of_test(context.id, 0);
    }
    let rule = Rule::new(context);
    let named: Vec<_> = labels.iter().filter(|(name, _)| IDENTITY.contains(name)).collect();
    if named.is_empty() {
        let message = text_lines::without_time(message);
        let known_by = [("message", &*message)];
        return rule.of_pairs(known_by, Fingerprint::of_pairs(known_by));
    }
    let former = Fingerprint::of_pairs(named.iter().copied());
    let (title, _) = text_lines::title_and_rest(message);
    let title = text_lines::without_time(text_alert::unmarked(title));
    rule.of_pairs(named.into_iter().chain([("title", &*title)]), former)
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

/// The same for messages of any program, which have words of their own.
fn status_of_any(text: &str) -> (Status, Option<String>) {
    match text.trim().to_lowercase().as_str() {
        "" => (Status::Firing, None),
        word if text_alert::is_over(word) => (Status::Resolved, None),
        "success" => (Status::Resolved, None),
        "critical" | "fatal" | "error" | "danger" | "alert" | "alerting" => (Status::Firing, None),
        "warning" | "warn" => (Status::Firing, Some("medium".to_owned())),
        "info" | "notice" => (Status::Firing, Some("new".to_owned())),
        other => status(other),
    }
}

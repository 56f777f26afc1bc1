//! Which labels of an alert are for people to read. Pure.

use super::item::Item;
use crate::people::person::is_somebodys_number;

/// The name stands in the heading. Replicas of one Prometheus say the same with different values of the other.
const NO_FACTS: [&str; 2] = ["alertname", "prometheus_replica"];
/// Where Grafana puts the name of a rule that could not be asked; it stands in the heading then.
const RULE_NAME: &str = "rulename";
/// What `POST /alert` makes labels of, for machines: whom it is for and when it came, which a card says elsewhere.
const NO_FACTS_OF_MESSAGES: [&str; 4] = ["state", "sender_id", "chat_id", "time"];

/// Whether a label is for people to read.
pub(super) fn is_shown(item: &Item<'_>, name: &str, value: &str) -> bool {
    let is_hidden = NO_FACTS.contains(&name)
        || (name == RULE_NAME && value == item.name())
        || name.starts_with("__")
        || (item.is_message() && NO_FACTS_OF_MESSAGES.contains(&name));
    !is_hidden && !value.trim().is_empty() && !is_somebodys_number(name, value)
}

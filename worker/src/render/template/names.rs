//! The names of the values that a template can say something with. Pure.

use super::TemplatePart;

/// Values of one alert; those of the worst one, in a title.
pub(in crate::render) const OF_ALERT: [&str; 25] = [
    "status",
    "status_name",
    "severity",
    "severity_name",
    "name",
    "place",
    "summary",
    "description",
    "labels",
    "annotations",
    "fingerprint",
    "starts_at",
    "ends_at",
    "received_at",
    "duration",
    "is_reminder",
    LINKS[0],
    LINKS[1],
    "owners",
    "receiver",
    "source",
    "total",
    "reason",
    "sender_title",
    "sender_message",
];
/// Values of the whole card, in its title only.
pub(in crate::render) const OF_CARD: [&str; 4] = ["firing", "resolved", "names", "badge"];
/// Those with the links in them.
pub(super) const LINKS: [&str; 2] = ["links", "link_list"];

/// What a template for this part may name.
pub(super) fn names(part: TemplatePart) -> Vec<&'static str> {
    let of_card: &[&str] = match part {
        TemplatePart::Title => &OF_CARD,
        TemplatePart::Body => &[],
    };
    OF_ALERT.iter().chain(of_card).copied().collect()
}

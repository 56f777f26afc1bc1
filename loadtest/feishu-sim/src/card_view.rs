//! How one accepted message looks on the page: its JSON, which a script replaces by the card it describes.

use crate::record::Record;

/// Draws cards in the browser. Shared with Larkfire's preview, so that both show the same; it holds no rule of
/// Feishu's, which is what the simulator shares with nobody.
pub(crate) const SCRIPT: &str = concat!(
    include_str!("../../../console/assets/card.js"),
    r#"document.querySelectorAll("pre[data-card]")
        .forEach((json) => json.replaceWith(renderCard(JSON.parse(json.textContent))));"#
);
/// How those cards look.
pub(crate) const STYLE: &str = include_str!("../../../console/assets/card.css");

/// HTML of one message.
pub(crate) fn html(record: &Record) -> String {
    match (record.card(), record.message()) {
        (Some(card), _) => format!("<pre data-card>{}</pre>", escaped(&card.to_string())),
        (None, Some(message)) => format!("<pre>{}</pre>", escaped(&format!("{message:#}"))),
        (None, None) => String::new(),
    }
}

/// Text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

//! Whom a message can name in the chat it goes to, and what may be used in it.

use std::collections::BTreeSet;

/// What a message is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    /// Under what people may be named in an `<at>`.
    pub(crate) known_ids: BTreeSet<String>,
    /// Card templates shared with the sender.
    pub(crate) templates: BTreeSet<String>,
    /// Whether the sender may mention everybody.
    pub(crate) at_all: bool,
    /// The images that the sender may show, by their keys. `None`: nobody knows which, as of a custom bot, which shows
    /// those of any app.
    pub(crate) images: Option<BTreeSet<String>>,
}

impl Audience {
    /// Whether the sender may show the image of this key.
    pub(crate) fn shows(&self, key: &str) -> bool {
        match &self.images {
            Some(known) => known.contains(key),
            None => key.starts_with("img_"),
        }
    }
}

impl Default for Audience {
    fn default() -> Self {
        Self { known_ids: BTreeSet::new(), templates: BTreeSet::new(), at_all: true, images: None }
    }
}

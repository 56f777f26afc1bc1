//! What stands on a card, in order, and what of it is seen only once it is opened: decided once, for either format. What it
//! looks like as JSON is for the writers (`json1`, `json2`). Pure.

use std::borrow::Cow;

use config::CardFormat;
use serde::Serialize;

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// What it is written in.
    pub format: CardFormat,
    /// The coloured line on top, which notifications show as well.
    pub header: Header,
    /// What is below it.
    pub elements: Vec<Element>,
}

/// The coloured line on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its colour.
    pub template: Template,
    /// Its text, always plain.
    pub title: CardText,
    /// What stands besides in it, where the format has a place for that.
    pub besides: Option<HeaderBesides>,
}

/// What stands in a header besides its title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderBesides {
    /// A smaller line below the title; may be empty.
    pub subtitle: String,
    /// At most three.
    pub tags: Vec<HeaderTag>,
    /// All of it in one line, for a notification and the list of chats.
    pub summary: String,
}

/// A word with a coloured ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderTag {
    /// The word.
    pub text: String,
    /// Its colour.
    pub colour: Template,
}

impl Default for Header {
    fn default() -> Self {
        Self { template: Template::Grey, title: CardText::Plain { content: String::new() }, besides: None }
    }
}

/// The colours of a header we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Template {
    /// It burns.
    Red,
    /// It smoulders.
    Orange,
    /// Something between, asked for by the state `medium`.
    Yellow,
    /// It is over.
    Green,
    /// Good to know.
    Blue,
    /// The state `special`.
    Purple,
    /// Nothing known about how bad it is.
    Grey,
}

/// Text in one of the two dialects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "tag")]
pub enum CardText {
    /// Shown as it is.
    #[serde(rename = "plain_text")]
    Plain {
        /// The text.
        content: String,
    },
    /// Feishu's markdown; whatever comes from outside must be escaped in it.
    #[serde(rename = "lark_md")]
    Markdown {
        /// The text.
        content: String,
    },
}

impl CardText {
    /// The text as it is written.
    pub fn content(&self) -> &str {
        match self {
            Self::Plain { content } | Self::Markdown { content } => content,
        }
    }
}

/// A part of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A paragraph.
    Paragraph {
        /// What it says.
        text: CardText,
    },
    /// Facts in two columns.
    Facts {
        /// The facts.
        fields: Vec<Field>,
    },
    /// A line across.
    Rule,
    /// A picture.
    Picture(CardPicture),
    /// A row of buttons.
    Buttons {
        /// The buttons.
        actions: Vec<Button>,
    },
    /// A small grey line.
    Note {
        /// What it says.
        elements: Vec<CardText>,
    },
    /// One of several alerts, or a group of them.
    AlertBlock(Box<AlertBlock>),
    /// What is not told in detail.
    Listing(Listing),
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Whether half the width is enough.
    pub is_short: bool,
    /// The fact.
    pub text: CardText,
}

/// A picture that Feishu has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardPicture {
    /// By which key.
    pub img_key: String,
    /// What is read where it cannot be seen; always plain.
    pub alt: CardText,
}

/// What is said of one of several alerts, or of a group of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertBlock {
    /// How much of it is seen at once.
    pub fold: BlockFold,
    /// Its heading in markdown, which begins with its light.
    pub head: String,
    /// The same as it is shown where all else is folded, with what tells it from the others.
    pub title: String,
    /// Lines below it, in markdown.
    pub lines: String,
    /// A longer text, shown as it is.
    pub description: String,
    /// What was measured, below that and likewise; a table has it in its rows.
    pub measured: String,
    /// What else is said, below that and likewise.
    pub notes: String,
    /// Lines below that, in markdown.
    pub end: String,
    /// What the names are the values of, in markdown.
    pub label: String,
    /// The names of a group's alerts, folded, shown as they are; `None` where there are none.
    pub names: Option<String>,
    /// What is seen of the names while they are folded.
    pub names_title: String,
    /// The names once more, a row for each, which then stands in their place.
    pub table: Option<CardTable>,
    /// What it looked like, below all else but a table.
    pub picture: Option<CardPicture>,
}

/// How much of a block is seen at once, where the format can fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockFold {
    /// All of it.
    #[default]
    Open,
    /// All but its names.
    Names,
    /// Only its title.
    All,
}

/// Groups of alerts, a line for each, with the names of their alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The lines, shown as they are.
    pub lines: Vec<String>,
    /// What is seen of them while they are folded; empty: they are not.
    pub title: String,
    /// The lines once more, a row for each, which then stands in their place.
    pub table: Option<CardTable>,
}

/// A table, all of whose cells show what they hold as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardTable {
    /// What stands above each column.
    pub columns: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

/// A button that opens a page, or lets us know that it was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What is written on it.
    pub text: CardText,
    /// The page.
    pub url: Option<String>,
    /// What comes back when it is pressed: an object (reference "Feishu", 3.4). Only an app hears of that.
    pub value: Option<serde_json::Value>,
}

impl AlertBlock {
    /// All that is shown as it is between the lines in markdown.
    pub(crate) fn plain(&self) -> Cow<'_, str> {
        if self.measured.is_empty() && self.notes.is_empty() {
            return Cow::Borrowed(&self.description);
        }
        joined(&[self.description.as_str(), &self.measured, &self.notes]).into_owned().into()
    }
}

impl Element {
    /// A paragraph that shows a clean text as it is.
    pub(super) const fn plain(content: String) -> Self {
        Self::Paragraph { text: CardText::Plain { content } }
    }

    /// A paragraph in markdown.
    pub(super) const fn paragraph(content: String) -> Self {
        Self::Paragraph { text: CardText::Markdown { content } }
    }
}

impl Button {
    /// A button that opens a page, of the ordinary look.
    pub fn new(words: &str, url: String) -> Self {
        Self { url: Some(url), ..Self::plain(words) }
    }

    /// A button that lets us know that it was pressed.
    pub fn calling_back(words: &str, value: serde_json::Map<String, serde_json::Value>) -> Self {
        Self { value: Some(value.into()), ..Self::plain(words) }
    }

    fn plain(words: &str) -> Self {
        Self { text: CardText::Plain { content: words.to_owned() }, url: None, value: None }
    }
}

/// Lines below each other, those left out that say nothing.
pub(super) fn joined<L: AsRef<str>>(lines: &[L]) -> Cow<'_, str> {
    let mut shown = lines.iter().map(AsRef::as_ref).filter(|line| !line.is_empty());
    let first = shown.next().unwrap_or_default();
    shown.fold(Cow::Borrowed(first), |shown, line| Cow::Owned(format!("{shown}\n{line}")))
}

//! Card JSON 1.0, the part of it we use: every client shows it, and every bot may send it
//! (reference "Feishu", 3.1–3.4). Pure.

use serde::Serialize;

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Card {
    /// How it behaves.
    pub config: Config,
    /// The coloured line on top, which notifications show as well.
    pub header: Header,
    /// What is below it.
    pub elements: Vec<Element>,
}

/// How a card behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Whether it uses the width of a desktop window; phones do anyway.
    pub wide_screen_mode: bool,
    /// Whether people may forward it.
    pub enable_forward: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { wide_screen_mode: true, enable_forward: true }
    }
}

/// The coloured line on top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// Its colour.
    pub template: Template,
    /// Its text, always plain.
    pub title: CardText,
}

impl Default for Header {
    fn default() -> Self {
        Self { template: Template::Grey, title: CardText::Plain { content: String::new() } }
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "tag")]
pub enum Element {
    /// A paragraph.
    #[serde(rename = "div")]
    Paragraph {
        /// What it says.
        text: CardText,
    },
    /// Facts in two columns.
    #[serde(rename = "div")]
    Facts {
        /// The facts.
        fields: Vec<Field>,
    },
    /// A line across.
    #[serde(rename = "hr")]
    Rule,
    /// A row of buttons.
    #[serde(rename = "action")]
    Buttons {
        /// The buttons.
        actions: Vec<Button>,
    },
    /// A small grey line.
    #[serde(rename = "note")]
    Note {
        /// What it says.
        elements: Vec<CardText>,
    },
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Whether half the width is enough.
    pub is_short: bool,
    /// The fact.
    pub text: CardText,
}

/// A button that opens a page, or lets us know that it was pressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    tag: &'static str,
    /// What is written on it.
    pub text: CardText,
    /// The page. `url` is the old form that every client knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What comes back when it is pressed: an object (reference "Feishu", 3.4). Only an app hears of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    #[serde(rename = "type")]
    kind: &'static str,
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
        let text = CardText::Plain { content: words.to_owned() };
        Self { tag: "button", text, url: None, value: None, kind: "default" }
    }
}

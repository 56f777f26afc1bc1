//! Card JSON 1.0, the part of it we use: every client shows it, and every bot may send it
//! (reference "Feishu", 3.1–3.4). Pure.

use std::borrow::Cow;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::card::{
    AlertBlock, Button, Card, CardPicture, CardText, Element, Field, Header, Template, joined,
};

/// A card.
#[derive(Serialize)]
pub(super) struct Json1Card<'c> {
    config: ConfigV1,
    header: Json1Header<'c>,
    elements: Json1Elements<'c>,
}

#[derive(Serialize)]
struct ConfigV1 {
    /// Whether it uses the width of a desktop window; phones do anyway.
    wide_screen_mode: bool,
    /// Whether people may forward it.
    enable_forward: bool,
    /// Whether it can be updated later: it has to say so from the start, and each time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    update_multi: bool,
}

#[derive(Serialize)]
struct Json1Header<'c> {
    template: Template,
    title: &'c CardText,
}

/// What is below the header.
pub(super) struct Json1Elements<'c>(pub(super) &'c [Element]);

#[derive(Serialize)]
#[serde(tag = "tag")]
enum Json1Element<'c> {
    #[serde(rename = "div")]
    Paragraph { text: TextV1<'c> },
    #[serde(rename = "div")]
    Facts { fields: &'c [Field] },
    #[serde(rename = "hr")]
    Rule,
    #[serde(rename = "action")]
    Buttons { actions: Vec<Json1Button<'c>> },
    #[serde(rename = "img")]
    Picture(&'c CardPicture),
    #[serde(rename = "note")]
    Note { elements: &'c [CardText] },
}

#[derive(Serialize)]
#[serde(tag = "tag")]
enum TextV1<'c> {
    #[serde(rename = "plain_text")]
    Plain { content: Cow<'c, str> },
    #[serde(rename = "lark_md")]
    Markdown { content: Cow<'c, str> },
}

#[derive(Serialize)]
struct Json1Button<'c> {
    tag: &'static str,
    text: &'c CardText,
    /// The old form, which every client knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'c serde_json::Value>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'c> Json1Card<'c> {
    /// The card; one that `is_shared` can be updated later.
    pub(super) fn of(card: &'c Card, is_shared: bool) -> Self {
        let Header { template, title, besides: _ } = &card.header;
        Self {
            config: ConfigV1 { wide_screen_mode: true, enable_forward: true, update_multi: is_shared },
            header: Json1Header { template: *template, title },
            elements: Json1Elements(&card.elements),
        }
    }
}

impl Serialize for Json1Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for element in self.0 {
            match element {
                Element::Paragraph { text } => sequence.serialize_element(&paragraph(text))?,
                Element::Facts { fields } => sequence.serialize_element(&Json1Element::Facts { fields })?,
                Element::Rule => sequence.serialize_element(&Json1Element::Rule)?,
                Element::Picture(picture) => sequence.serialize_element(&Json1Element::Picture(picture))?,
                Element::Buttons { actions } => sequence.serialize_element(&buttons(actions))?,
                Element::Note { elements } => sequence.serialize_element(&Json1Element::Note { elements })?,
                Element::AlertBlock(block) => write_block(&mut sequence, block)?,
                Element::Listing(listing) => {
                    sequence.serialize_element(&Json1Element::Rule)?;
                    sequence.serialize_element(&plain(listing.lines.join("\n").into()))?;
                }
            }
        }
        sequence.end()
    }
}

fn write_block<S: SerializeSeq>(sequence: &mut S, block: &AlertBlock) -> Result<(), S::Error> {
    sequence.serialize_element(&Json1Element::Rule)?;
    let AlertBlock { head, lines, end, picture, label, names, .. } = block;
    let text = block.plain();
    if text.is_empty() {
        sequence.serialize_element(&markdown(joined(&[head, lines, end, label])))?;
    } else {
        sequence.serialize_element(&markdown(joined(&[head, lines])))?;
        sequence.serialize_element(&plain(text))?;
        if !end.is_empty() || !label.is_empty() {
            sequence.serialize_element(&markdown(joined(&[end, label])))?;
        }
    }
    names.iter().try_for_each(|names| sequence.serialize_element(&plain(names.as_str().into())))?;
    picture.iter().try_for_each(|picture| sequence.serialize_element(&Json1Element::Picture(picture)))
}

fn paragraph(text: &CardText) -> Json1Element<'_> {
    match text {
        CardText::Plain { content } => plain(content.as_str().into()),
        CardText::Markdown { content } => markdown(content.as_str().into()),
    }
}

const fn plain(content: Cow<'_, str>) -> Json1Element<'_> {
    Json1Element::Paragraph { text: TextV1::Plain { content } }
}

const fn markdown(content: Cow<'_, str>) -> Json1Element<'_> {
    Json1Element::Paragraph { text: TextV1::Markdown { content } }
}

fn buttons(actions: &[Button]) -> Json1Element<'_> {
    Json1Element::Buttons { actions: actions.iter().map(Json1Button::of).collect() }
}

impl<'c> Json1Button<'c> {
    fn of(button: &'c Button) -> Self {
        let Button { text, url, value } = button;
        Self { tag: "button", text, url: url.as_deref(), value: value.as_ref(), kind: "default" }
    }
}

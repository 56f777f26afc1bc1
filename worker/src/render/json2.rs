//! Card JSON 2.0, the part of it we use: tags, tables and panels, for clients from 7.20 on (reference "Feishu", 3.1 and
//! 3.9). It refuses what it does not know, so only documented properties are written. Texts are those of 1.0, in the same
//! dialects: what is safe in one format is safe in the other. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::card::{
    AlertBlock, BlockFold, Button, Card, CardPicture, CardTable, CardText, Element, Field, HeaderBesides,
    HeaderTag, Listing, Template, joined,
};

/// What a table's columns are called in each of its rows, where every byte counts.
const COLUMN_KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Columns of a table.
pub(super) const COLUMNS_MAX: usize = COLUMN_KEYS.len();
/// Rows of a table that are seen at once: as many as there can be (reference "Feishu", 3.9).
const PAGE_ROWS: usize = 10;

/// A card.
#[derive(Serialize)]
pub(super) struct Json2Card<'c> {
    schema: &'static str,
    config: ConfigV2<'c>,
    header: Json2Header<'c>,
    body: BodyV2<'c>,
}

#[derive(Serialize)]
struct ConfigV2<'c> {
    update_multi: bool,
    enable_forward: bool,
    /// Tables want the width of the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    width_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Content<'c>>,
}

#[derive(Serialize)]
struct Content<'c> {
    content: &'c str,
}

#[derive(Serialize)]
struct Json2Header<'c> {
    template: Template,
    title: &'c CardText,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<TextV2<'c>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    text_tag_list: Vec<HeaderLabel<'c>>,
}

#[derive(Serialize)]
struct HeaderLabel<'c> {
    tag: &'static str,
    text: TextV2<'c>,
    color: &'static str,
}

#[derive(Serialize)]
struct BodyV2<'c> {
    elements: Json2Elements<'c>,
}

/// What is below the header.
pub(super) struct Json2Elements<'c>(pub(super) &'c [Element]);

#[derive(Serialize)]
#[serde(tag = "tag")]
enum Part<'c> {
    #[serde(rename = "div")]
    Paragraph { text: TextV2<'c> },
    #[serde(rename = "hr")]
    Rule,
    #[serde(rename = "column_set")]
    Columns { flex_mode: &'static str, columns: Vec<Column<'c>> },
    #[serde(rename = "button")]
    Button {
        text: &'c CardText,
        #[serde(rename = "type")]
        kind: &'static str,
        behaviors: Vec<Behaviour<'c>>,
    },
    #[serde(rename = "img")]
    Picture(&'c CardPicture),
    #[serde(rename = "collapsible_panel")]
    Panel { header: PanelHeader<'c>, border: Border, elements: Vec<Part<'c>> },
    #[serde(rename = "table")]
    Table { page_size: usize, columns: Vec<TableColumn<'c>>, rows: Vec<BTreeMap<&'static str, &'c str>> },
}

#[derive(Serialize)]
#[serde(tag = "tag")]
enum TextV2<'c> {
    #[serde(rename = "plain_text")]
    Plain {
        content: Cow<'c, str>,
        #[serde(flatten)]
        look: Look,
    },
    #[serde(rename = "lark_md")]
    Markdown { content: Cow<'c, str> },
}

/// How a plain text looks.
#[derive(Default, Serialize)]
struct Look {
    #[serde(skip_serializing_if = "Option::is_none")]
    text_size: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_color: Option<&'static str>,
}

#[derive(Serialize)]
struct Column<'c> {
    tag: &'static str,
    width: &'static str,
    elements: Vec<Part<'c>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Behaviour<'c> {
    OpenUrl { default_url: &'c str },
    Callback { value: &'c serde_json::Value },
}

#[derive(Serialize)]
struct PanelHeader<'c> {
    title: TextV2<'c>,
    icon: Icon,
    /// How far the icon turns when the panel is opened, in degrees.
    icon_expanded_angle: i16,
}

#[derive(Serialize)]
struct Icon {
    tag: &'static str,
    token: &'static str,
    size: &'static str,
}

#[derive(Serialize)]
struct Border {
    color: &'static str,
}

#[derive(Serialize)]
struct TableColumn<'c> {
    name: &'static str,
    display_name: &'c str,
    data_type: &'static str,
}

impl<'c> Json2Card<'c> {
    pub(super) fn of(card: &'c Card) -> Self {
        let header = &card.header;
        let besides = header.besides.as_ref();
        let has_table = card.elements.iter().any(has_table);
        let subtitle = besides.map(|besides| besides.subtitle.as_str()).filter(|text| !text.is_empty());
        let tags = besides.map_or(&[][..], |besides| &besides.tags);
        Self {
            schema: card.format.as_str(),
            config: ConfigV2 {
                update_multi: true,
                enable_forward: true,
                width_mode: has_table.then_some("fill"),
                summary: besides.map(|HeaderBesides { summary, .. }| Content { content: summary }),
            },
            header: Json2Header {
                template: header.template,
                title: &header.title,
                subtitle: subtitle.map(|text| plain_text(text.into())),
                text_tag_list: tags.iter().map(HeaderLabel::of).collect(),
            },
            body: BodyV2 { elements: Json2Elements(&card.elements) },
        }
    }
}

fn has_table(element: &Element) -> bool {
    match element {
        Element::AlertBlock(block) => block.table.is_some(),
        Element::Listing(listing) => listing.table.is_some(),
        Element::Paragraph { .. }
        | Element::Facts { .. }
        | Element::Rule
        | Element::Picture(_)
        | Element::Buttons { .. }
        | Element::Note { .. } => false,
    }
}

impl<'c> HeaderLabel<'c> {
    fn of(tag: &'c HeaderTag) -> Self {
        let color = match tag.colour {
            Template::Red => "red",
            Template::Orange => "orange",
            Template::Yellow => "yellow",
            Template::Green => "green",
            Template::Blue => "blue",
            Template::Purple => "purple",
            Template::Grey => "neutral",
        };
        Self { tag: "text_tag", text: plain_text(tag.text.as_str().into()), color }
    }
}

impl Serialize for Json2Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for element in self.0 {
            parts(element).iter().try_for_each(|part| sequence.serialize_element(part))?;
        }
        sequence.end()
    }
}

fn parts(element: &Element) -> Vec<Part<'_>> {
    match element {
        Element::Paragraph { text: CardText::Plain { content } } => vec![plain(content)],
        Element::Paragraph { text: CardText::Markdown { content } } => {
            vec![markdown(content.as_str().into())]
        }
        Element::Facts { fields } => facts(fields),
        Element::Rule => vec![Part::Rule],
        Element::Picture(picture) => vec![Part::Picture(picture)],
        Element::Buttons { actions } => buttons(actions),
        Element::Note { elements } => elements.iter().map(note).collect(),
        Element::AlertBlock(block) => alert_block(block),
        Element::Listing(listing) => listed(listing),
    }
}

/// In two columns those that are short, in the order in which they are read; below them the others.
fn facts(fields: &[Field]) -> Vec<Part<'_>> {
    let of = |fields: Vec<&Field>| {
        let texts: Vec<_> = fields.iter().map(|field| field.text.content()).collect();
        markdown(texts.join("\n").into())
    };
    let (short, long): (Vec<_>, Vec<_>) = fields.iter().partition(|field| field.is_short);
    let column = |side: usize| {
        let fields: Vec<&Field> = short.iter().skip(side).step_by(2).copied().collect();
        Column { tag: "column", width: "weighted", elements: vec![of(fields)] }
    };
    let mut parts = Vec::new();
    match short.len() {
        0 => {}
        1 => parts.push(of(short)),
        _ => parts.push(Part::Columns { flex_mode: "bisect", columns: vec![column(0), column(1)] }),
    }
    if !long.is_empty() {
        parts.push(of(long));
    }
    parts
}

/// In a row, which goes on below where it is too long.
fn buttons(actions: &[Button]) -> Vec<Part<'_>> {
    let buttons: Vec<_> = actions.iter().map(button).collect();
    if buttons.len() < 2 {
        return buttons;
    }
    let column = |button| Column { tag: "column", width: "auto", elements: vec![button] };
    vec![Part::Columns { flex_mode: "flow", columns: buttons.into_iter().map(column).collect() }]
}

fn button(button: &Button) -> Part<'_> {
    let Button { text, url, value } = button;
    let opens = url.as_deref().map(|default_url| Behaviour::OpenUrl { default_url });
    let calls = value.as_ref().map(|value| Behaviour::Callback { value });
    Part::Button { text, kind: "default", behaviors: opens.into_iter().chain(calls).collect() }
}

fn note(text: &CardText) -> Part<'_> {
    let look = Look { text_size: Some("notation"), text_color: Some("grey") };
    Part::Paragraph { text: TextV2::Plain { content: text.content().into(), look } }
}

fn alert_block(block: &AlertBlock) -> Vec<Part<'_>> {
    let AlertBlock { fold, head, title, lines, end, label, names, names_title, table, picture, .. } = block;
    let text = block.plain();
    let is_folded = *fold == BlockFold::All;
    // Above a table the columns say what the names are.
    let label = if table.is_some() || *fold == BlockFold::Names { "" } else { label };
    let mut parts = if is_folded { Vec::new() } else { vec![Part::Rule] };
    let head = if is_folded { "" } else { head };
    if text.is_empty() {
        push_markdown(&mut parts, joined(&[head, lines, end, label]).into_owned());
    } else {
        push_markdown(&mut parts, joined(&[head, lines]).into_owned());
        parts.push(Part::Paragraph { text: plain_text(text) });
        push_markdown(&mut parts, joined(&[end, label]).into_owned());
    }
    let names = names.as_ref().filter(|_| table.is_none()).map(|names| plain(names));
    match fold {
        BlockFold::Names => parts.extend(names.map(|names| panel(names_title, vec![names]))),
        BlockFold::Open | BlockFold::All => parts.extend(names),
    }
    parts.extend(picture.as_ref().map(Part::Picture));
    if is_folded {
        // A panel with nothing in it would only look as if there were more.
        parts = vec![if parts.is_empty() { plain(title) } else { panel(title, parts) }];
    }
    // A table can stand in nothing (reference "Feishu", 3.9).
    parts.extend(table.as_ref().map(rows));
    parts
}

fn listed(listing: &Listing) -> Vec<Part<'_>> {
    let Listing { lines, title, table } = listing;
    if let Some(table) = table {
        return vec![Part::Rule, rows(table)];
    }
    let lines = Part::Paragraph { text: plain_text(lines.join("\n").into()) };
    if title.is_empty() { vec![Part::Rule, lines] } else { vec![panel(title, vec![lines])] }
}

fn panel<'c>(title: &'c str, elements: Vec<Part<'c>>) -> Part<'c> {
    let icon = Icon { tag: "standard_icon", token: "down-small-ccm_outlined", size: "16px 16px" };
    let header = PanelHeader { title: plain_text(title.into()), icon, icon_expanded_angle: -180 };
    Part::Panel { header, border: Border { color: "grey" }, elements }
}

fn rows(table: &CardTable) -> Part<'_> {
    let columns = COLUMN_KEYS.into_iter().zip(&table.columns);
    let columns =
        columns.map(|(name, display_name)| TableColumn { name, display_name, data_type: "text" }).collect();
    Part::Table { page_size: PAGE_ROWS, columns, rows: table.rows.iter().map(|cells| row(cells)).collect() }
}

/// A cell without a value is left out.
fn row(cells: &[String]) -> BTreeMap<&'static str, &str> {
    let cells = COLUMN_KEYS.into_iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    cells.map(|(key, cell)| (key, cell.as_str())).collect()
}

fn push_markdown(parts: &mut Vec<Part<'_>>, content: String) {
    if !content.is_empty() {
        parts.push(markdown(content.into()));
    }
}

const fn markdown(content: Cow<'_, str>) -> Part<'_> {
    Part::Paragraph { text: TextV2::Markdown { content } }
}

fn plain(content: &str) -> Part<'_> {
    Part::Paragraph { text: plain_text(content.into()) }
}

const fn plain_text(content: Cow<'_, str>) -> TextV2<'_> {
    TextV2::Plain { content, look: Look { text_size: None, text_color: None } }
}

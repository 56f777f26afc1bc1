//! A card on a terminal: a coloured bar with the title, and below it what the card says, line by line.

use std::fmt::Write;
use std::io::IsTerminal;

use runtime::plain::Colouring;
use runtime::telemetry::logging::wants_colours;

use crate::render::{AlertBlock, Button, Card, CardTable, CardText, Element, Listing, Template, unmarked};

/// How a line below the header begins, so that the eye sees where the card ends.
const BAR: &str = "┃";
const RULE_WIDTH: usize = 48;
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Whether whoever reads what is drawn understands colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// A terminal.
    On,
    /// A file, a pipe, a test.
    Off,
}

impl Colours {
    /// Those that this output understands, unless `NO_COLOR` says that none are wanted (no-color.org: set, and not empty).
    pub fn of(output: &impl IsTerminal) -> Self {
        if wants_colours(output) { Self::On } else { Self::Off }
    }
}

impl From<Colours> for Colouring {
    fn from(colours: Colours) -> Self {
        match colours {
            Colours::On => Self::Allowed,
            Colours::Off => Self::None,
        }
    }
}

/// Draws the card, with colours only where they are understood. Text from alerts holds no control characters any
/// more, so nothing in it can speak to the terminal.
pub fn render(card: &Card, colours: Colours) -> String {
    let paint = |code: &'static str| match colours {
        Colours::On => code,
        Colours::Off => "",
    };
    let colour = paint(colour(card.header.template));
    let reset = paint(RESET);
    let mut drawn = format!("\n{colour}┏━{reset} {}{}{reset}\n", paint(BOLD), card.header.title.content());
    if let Some(besides) = &card.header.besides {
        let tags = besides.tags.iter().map(|tag| format!("[{}]", tag.text));
        let subtitle = Some(besides.subtitle.clone()).filter(|subtitle| !subtitle.is_empty());
        let line = tags.chain(subtitle).collect::<Vec<_>>().join(" ");
        // Writing to a string cannot fail, here and below.
        let _written = writeln!(drawn, "{colour}{BAR}{reset} {}{line}{reset}", paint(DIM));
    }
    let mut draw = |style: &str, text: &str| {
        for line in text.lines() {
            let _written = writeln!(drawn, "{colour}{BAR}{reset} {style}{line}{reset}");
        }
    };
    let rule = "─".repeat(RULE_WIDTH);
    for element in &card.elements {
        if matches!(element, Element::Rule | Element::AlertBlock(_) | Element::Listing(_)) {
            draw(paint(DIM), &rule);
        }
        let is_note = matches!(element, Element::Note { .. });
        draw(if is_note { paint(DIM) } else { "" }, &lines_of(element));
    }
    let _written = write!(drawn, "{colour}┗━{reset}");
    drawn
}

fn lines_of(element: &Element) -> String {
    let joined = |lines: Vec<String>| lines.join("\n");
    match element {
        Element::Paragraph { text } => plain(text),
        Element::Facts { fields } => {
            joined(fields.iter().map(|field| plain(&field.text).replacen('\n', ": ", 1)).collect())
        }
        Element::Buttons { actions } => joined(actions.iter().map(button).collect()),
        Element::Note { elements } => joined(elements.iter().map(plain).collect()),
        Element::AlertBlock(block) => joined(lines_of_block(block)),
        Element::Listing(Listing { table: Some(table), .. }) => joined(lines_of_table(table)),
        Element::Listing(listing) => listing.lines.join("\n"),
        // Feishu has it, and the terminal has not.
        Element::Picture(picture) => plain(&picture.alt),
        Element::Rule => String::new(),
    }
}

fn lines_of_block(block: &AlertBlock) -> Vec<String> {
    let AlertBlock { head, lines, end, label, names, table, .. } = block;
    let mut shown = vec![unmarked(head), unmarked(lines), block.plain().into_owned(), unmarked(end)];
    match table {
        Some(table) => shown.extend(lines_of_table(table)),
        None => shown.extend([unmarked(label), names.clone().unwrap_or_default()]),
    }
    shown.retain(|line| !line.is_empty());
    shown
}

fn lines_of_table(table: &CardTable) -> Vec<String> {
    let rows = std::iter::once(&table.columns).chain(&table.rows);
    rows.map(|cells| cells.join(" | ")).collect()
}

fn button(button: &Button) -> String {
    let words = button.text.content();
    button.url.as_ref().map_or_else(|| format!("→ {words}"), |url| format!("→ {words}: {url}"))
}

fn plain(text: &CardText) -> String {
    match text {
        CardText::Plain { content } => content.clone(),
        CardText::Markdown { content } => unmarked(content),
    }
}

/// The nearest of the colours every terminal has.
const fn colour(template: Template) -> &'static str {
    match template {
        Template::Red => "\u{1b}[31m",
        Template::Orange | Template::Yellow => "\u{1b}[33m",
        Template::Green => "\u{1b}[32m",
        Template::Blue => "\u{1b}[34m",
        Template::Purple => "\u{1b}[35m",
        Template::Grey => "\u{1b}[90m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Field, Header};

    #[test]
    fn a_card_is_readable_without_colours() {
        let markdown = |content: &str| CardText::Markdown { content: content.to_owned() };
        let fields = vec![Field { is_short: true, text: markdown("**pod**\nweb&#95;1") }];
        let title = CardText::Plain { content: "[CRITICAL] DiskFull".to_owned() };
        let card = Card {
            format: config::CardFormat::V1,
            header: Header { template: Template::Red, title, besides: None },
            elements: vec![
                Element::Paragraph { text: markdown("**97 %** full, see [Source](http://p.example/)") },
                Element::Facts { fields },
                Element::Buttons { actions: vec![Button::new("Runbook", "http://r.example/".to_owned())] },
            ],
        };
        let expected = "
┏━ [CRITICAL] DiskFull
┃ 97 % full, see Source (http://p.example/)
┃ pod: web_1
┃ → Runbook: http://r.example/
┗━";
        assert_eq!(render(&card, Colours::Off), expected);
        assert!(render(&card, Colours::On).contains("\u{1b}[31m"));
    }
}

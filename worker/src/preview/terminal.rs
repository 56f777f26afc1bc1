//! A card on a terminal: a coloured bar with the title, and below it what the card says, line by line.

use std::fmt::Write;

use crate::card::{Button, Card, Element, Template, Text, unmarked};

/// How a line below the header begins, so that the eye sees where the card ends.
const BAR: &str = "┃";
const RULE_WIDTH: usize = 48;
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Draws the card, with colours only where they are understood. Text from alerts holds no control characters any
/// more, so nothing in it can speak to the terminal.
pub fn render(card: &Card, coloured: bool) -> String {
    let paint = |code: &'static str| if coloured { code } else { "" };
    let (colour, reset) = (paint(colour(card.header.template)), paint(RESET));
    let mut drawn = format!("\n{colour}┏━{reset} {}{}{reset}\n", paint(BOLD), card.header.title.content());
    for element in &card.elements {
        let (style, text) = match element {
            Element::Rule => (paint(DIM), "─".repeat(RULE_WIDTH)),
            Element::Note { .. } => (paint(DIM), lines_of(element)),
            Element::Paragraph { .. } | Element::Facts { .. } | Element::Buttons { .. } => {
                ("", lines_of(element))
            }
        };
        for line in text.lines() {
            // Writing to a string cannot fail.
            let _written = writeln!(drawn, "{colour}{BAR}{reset} {style}{line}{reset}");
        }
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
        Element::Rule => String::new(),
    }
}

fn button(button: &Button) -> String {
    let words = button.text.content();
    button.url.as_ref().map_or_else(|| format!("→ {words}"), |url| format!("→ {words}: {url}"))
}

fn plain(text: &Text) -> String {
    match text {
        Text::Plain { content } => content.clone(),
        Text::Markdown { content } => unmarked(content),
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
    use crate::card::{Config, Field, Header};

    #[test]
    fn a_card_is_readable_without_colours() {
        let markdown = |content: &str| Text::Markdown { content: content.to_owned() };
        let fields = vec![Field { is_short: true, text: markdown("**pod**\nweb&#95;1") }];
        let title = Text::Plain { content: "[CRITICAL] DiskFull".to_owned() };
        let card = Card {
            config: Config::default(),
            header: Header { template: Template::Red, title },
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
        assert_eq!(render(&card, false), expected);
        assert!(render(&card, true).contains("\u{1b}[31m"));
    }
}

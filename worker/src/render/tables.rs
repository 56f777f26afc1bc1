//! Which names become tables: of a card whose alerts are all named, those for which there is room. Pure.

use config::CardFormat;

use super::card::{Card, CardTable, Element, Listing};
use super::group_table;
use super::listing::ListLine;
use super::view::View;
use super::written::{length, lengths};

/// Tables on one card. Five are the limit (reference "Feishu", 3.9); a client was found that counts others' with them, so
/// the library for Feishu's own bots stops at three as well.
const TABLES_MAX: usize = 3;
/// What a card with a table says besides of its width, in bytes.
const WIDTH_BYTES: usize = r#","width_mode":"fill""#.len();

/// Puts tables in the place of names. The card has the blocks and the lines of the view, with all their names.
pub(super) fn lay(view: &View<'_>, card: &mut Card, bytes_max: usize) {
    match card.format {
        CardFormat::V1 => return,
        CardFormat::V2 => {}
    }
    let mut spare = bytes_max.saturating_sub(length(card) + WIDTH_BYTES);
    let mut left = TABLES_MAX;
    let mut laid = Vec::with_capacity(card.elements.len() + 1);
    let mut alert_views = view.alert_views.iter();
    for element in std::mem::take(&mut card.elements) {
        let candidate = match &element {
            Element::AlertBlock(_) => {
                let table = alert_views.next().and_then(|alert_view| group_table::of(view, alert_view));
                table.map(|table| with_table(&element, table))
            }
            Element::Listing(listing) => listing_tables(view, listing),
            Element::Paragraph { .. }
            | Element::Facts { .. }
            | Element::Rule
            | Element::Picture(_)
            | Element::Buttons { .. }
            | Element::Note { .. } => None,
        };
        let before = lengths(card.format, std::slice::from_ref(&element));
        let fits = |candidate: &Vec<Element>| lengths(card.format, candidate) <= before + spare;
        match candidate.filter(|_| left > 0).filter(fits) {
            Some(tables) => {
                spare = (before + spare) - lengths(card.format, &tables);
                left -= 1;
                laid.extend(tables);
            }
            None => laid.push(element),
        }
    }
    card.elements = laid;
}

fn with_table(element: &Element, table: CardTable) -> Vec<Element> {
    let mut element = element.clone();
    if let Element::AlertBlock(block) = &mut element {
        block.table = Some(table);
        // It stands in the rows.
        block.measured.clear();
    }
    vec![element]
}

/// The first lines as a table, and the others as they were.
fn listing_tables(view: &View<'_>, listing: &Listing) -> Option<Vec<Element>> {
    let rows = view.lines.len().min(group_table::ROWS_MAX);
    let table = ListLine::table(&view.lines[..rows], listing.lines.get(..rows)?, view.words)?;
    let (first, others) = listing.lines.split_at(rows);
    let mut elements =
        vec![Element::Listing(Listing { lines: first.to_vec(), title: String::new(), table: Some(table) })];
    if !others.is_empty() {
        let title = ListLine::folded_title(&view.lines[rows..], view.words);
        elements.push(Element::Listing(Listing { lines: others.to_vec(), title, table: None }));
    }
    Some(elements)
}

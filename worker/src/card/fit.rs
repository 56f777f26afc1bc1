//! As many alerts in detail as the budget takes, and the rest by name and count.

use super::View;
use super::header;
use super::model::{Card, Config, Element};
use super::parts::{self, Detail};

/// Alerts told in detail on one card; more of them nobody reads, and a phone scrolls for ever.
const DETAILS_MAX: usize = 30;
/// How wordy the alerts are told, wordiest first. The next one is taken where not even the worst alert fits.
const LEVELS: [Detail; 3] = [
    Detail { summary_characters: 400, description_characters: 1_500, with_facts: true },
    Detail { summary_characters: 200, description_characters: 400, with_facts: true },
    Detail { summary_characters: 100, description_characters: 0, with_facts: false },
];
/// From this many alerts on, the second level is enough: more alerts are worth more than more words on each.
const MANY: usize = 4;

/// The card, as JSON at most `bytes_max` long.
pub(super) fn within(view: &View<'_>, bytes_max: usize) -> Card {
    let wordiest = usize::from(view.stories.len() >= MANY);
    let mut card = Card::default();
    for detail in &LEVELS[wordiest..] {
        let (fitted, told) = assemble(view, *detail, bytes_max);
        card = fitted;
        if told > 0 {
            break;
        }
    }
    card
}

/// The card at one level of detail, and how many alerts are on it in detail.
fn assemble(view: &View<'_>, detail: Detail, bytes_max: usize) -> (Card, usize) {
    let top = parts::top(view, detail);
    let mut card = Card { config: Config::default(), header: header::of(view), elements: top };
    let bottom = parts::bottom(view);
    let mut used = length(&card) + lengths(&bottom);

    let mut told = 0;
    for story in view.stories.iter().take(DETAILS_MAX) {
        let block = parts::block(view, story, detail);
        let rest = parts::rest(view, told + 1);
        if used + lengths(&block) + lengths(&rest) > bytes_max {
            break;
        }
        used += lengths(&block);
        card.elements.extend(block);
        told += 1;
    }
    card.elements.extend(parts::rest(view, told));
    card.elements.extend(bottom);
    debug_assert!(told == 0 || length(&card) <= bytes_max, "a card outgrew its budget");
    (card, told)
}

/// Bytes of the card as JSON.
fn length(card: &Card) -> usize {
    serde_json::to_vec(card).map_or(usize::MAX / 4, |json| json.len())
}

/// Bytes the elements add to a card, a comma for each included.
fn lengths(elements: &[Element]) -> usize {
    elements
        .iter()
        .map(|element| serde_json::to_vec(element).map_or(usize::MAX / 4, |json| json.len() + 1))
        .sum()
}

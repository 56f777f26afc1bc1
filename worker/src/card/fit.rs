//! As many alerts in detail as the budget takes, and the rest counted by name.

use super::View;
use super::fold::{Fold, Rest};
use super::header;
use super::model::{Card, Config, Element};
use super::owners;
use super::parts::{self, Detail};
use super::rest;

/// How wordy the alerts are told, wordiest first. The next one is taken where not even the worst alert fits.
const LEVELS: [Detail; 4] = [
    Detail {
        summary_characters: 400,
        description_characters: 1_500,
        body_characters: 3_000,
        with_facts: true,
        with_links: true,
    },
    Detail {
        summary_characters: 200,
        description_characters: 400,
        body_characters: 800,
        with_facts: true,
        with_links: true,
    },
    Detail { body_characters: 300, with_links: true, ..BARE },
    BARE,
];
const BARE: Detail = Detail {
    summary_characters: 100,
    description_characters: 0,
    body_characters: 100,
    with_facts: false,
    with_links: false,
};
/// From this many alerts on, the second level is enough: more alerts are worth more than more words on each.
const MANY: usize = 4;
/// The part of a card that the counts may take from the details, as a divisor.
const COUNTS_SHARE: usize = 4;

/// How a card is divided.
pub(super) struct Division<'e> {
    /// How many of the worst are told in detail.
    pub(super) told: usize,
    /// The others.
    pub(super) rest: Rest<'e>,
    /// How many groups of the others are counted by name.
    pub(super) shown: usize,
}

/// Divides `room` bytes: all in detail if that fits; otherwise as many details as leave room for the counts, and then
/// as many counts as there is room for. `lengths` are those of the details; `rest_length` is that of what follows
/// them with so many groups by name, and grows with what it has to say.
pub(super) fn divide<'e>(
    fold: &Fold<'e>,
    lengths: &[usize],
    room: usize,
    rest_length: impl Fn(&Rest<'e>, usize) -> usize,
) -> Division<'e> {
    let all = fold.after(lengths.len());
    let whole = lengths.iter().sum::<usize>() + rest_length(&all, 0);
    if all.more.total() == 0 && whole <= room {
        return Division { told: lengths.len(), rest: all, shown: 0 };
    }
    // With nothing told the rest is at its longest, so what is kept for it is enough in any case.
    let longest = fold.after(0);
    let wanted = rest_length(&longest, longest.groups.len());
    let kept = wanted.min(room / COUNTS_SHARE).max(rest_length(&longest, 0));
    let mut left = room;
    let fits = |length: &&usize| {
        let fits = left.checked_sub(**length).filter(|left| *left >= kept);
        left = fits.unwrap_or(left);
        fits.is_some()
    };
    let told = lengths.iter().take_while(fits).count();
    let rest = fold.after(told);
    let shown = (0..=rest.groups.len()).rev().find(|shown| rest_length(&rest, *shown) <= left);
    Division { told, rest, shown: shown.unwrap_or(0) }
}

/// The card, as JSON at most `bytes_max` long.
pub(super) fn within(view: &View<'_>, bytes_max: usize) -> Card {
    let wordiest = usize::from(view.stories.len() >= MANY);
    let fitted = LEVELS[wordiest..].iter().find_map(|detail| assemble(view, *detail, bytes_max));
    fitted.unwrap_or_else(|| bare(view))
}

/// The card at one level of detail, unless not even the worst alert fits.
fn assemble(view: &View<'_>, detail: Detail, bytes_max: usize) -> Option<Card> {
    let mut top = parts::top(view, detail);
    top.extend(owners::element(view));
    let mut card = Card { config: Config::default(), header: header::of(view), elements: top };
    let bottom = parts::bottom(view);
    let room = bytes_max.checked_sub(length(&card) + lengths(&bottom))?;
    let blocks: Vec<_> = view.stories.iter().map(|story| parts::block(view, story, detail)).collect();
    let block_lengths: Vec<_> = blocks.iter().map(|block| lengths(block)).collect();
    let ending = |rest: &Rest<'_>, shown| rest::elements(view, rest, shown, detail);
    let Division { told, rest, shown } =
        divide(&view.fold, &block_lengths, room, |rest, shown| lengths(&ending(rest, shown)));
    if told == 0 {
        return None;
    }
    card.elements.extend(blocks.into_iter().take(told).flatten());
    card.elements.extend(ending(&rest, shown));
    card.elements.extend(bottom);
    debug_assert!(length(&card) <= bytes_max, "a card outgrew its budget");
    Some(card)
}

/// What fits where nothing else does: the title and the numbers.
fn bare(view: &View<'_>) -> Card {
    let mut elements = parts::top(view, BARE);
    elements.extend(owners::element(view));
    elements.extend(rest::elements(view, &view.fold.after(0), 0, BARE));
    elements.extend(parts::buttons(view));
    Card { config: Config::default(), header: header::of(view), elements }
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

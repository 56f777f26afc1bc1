//! A card within its budget: every alert by name as long as there is room, and the worst in as many words as are left.
//! Pure.

use super::card::{Card, Element, Listing};
use super::header;
use super::listing::{ListLine, ListedNames};
use super::owners;
use super::parts::{self, Detail, FACTS};
use super::rest::{self, Rest};
use super::room::{RoomGrant, allot, json_bytes};
use super::view::View;
use super::written::{length, lengths};

/// How wordy the alerts are told, in the fewest words first.
const LEVELS: [Detail; 5] = [
    Detail { summary_characters: 0, ..BARE },
    BARE,
    Detail { body_characters: 300, with_links: true, ..BARE },
    Detail {
        summary_characters: 200,
        description_characters: 400,
        body_characters: 800,
        facts: FACTS,
        with_links: true,
    },
    // Texts are cut only where the card is full.
    Detail {
        summary_characters: 2_000,
        description_characters: 10_000,
        body_characters: 6_000,
        facts: 64,
        with_links: true,
    },
];
const BARE: Detail = Detail {
    summary_characters: 100,
    description_characters: 0,
    body_characters: 100,
    facts: 0,
    with_links: false,
};
/// The first level at which nothing but texts is shortened.
const WHOLE: usize = 3;
/// What is said of all alerts together takes at most this part of a card, as a divisor.
const AROUND_SHARE: usize = 3;
/// A line feed in JSON, and a colon in any language.
const AROUND_LINE_BYTES: usize = 5;

/// A card, and the alerts that it only counts.
pub(super) struct Fitted {
    pub(super) card: Card,
    /// Their positions.
    pub(super) unnamed: Vec<usize>,
}

/// What is told of the alerts of a view, and how much room that takes.
struct Fitting<'v> {
    view: &'v View<'v>,
    /// The names of the alerts of each story that is a group, then of each line.
    names: Vec<ListedNames<'v>>,
}

/// The card, as JSON at most `bytes_max` long.
pub(super) fn within(view: &View<'_>, bytes_max: usize) -> Fitted {
    let names = view.names().map(ListedNames::of).collect();
    let fitting = Fitting { view, names };
    fitting.card(bytes_max).unwrap_or_else(|| fitting.bare())
}

impl Fitting<'_> {
    /// The card, unless not even the worst alert fits.
    fn card(&self, bytes_max: usize) -> Option<Fitted> {
        let view = self.view;
        let bottom = parts::bottom(view);
        let owners = owners::element(view);
        let header = header::of(view);
        let fixed = |elements: Vec<Element>, around: Detail| {
            let card = Card { header: header.clone(), elements };
            (length(&card) + lengths(&bottom) + self.longest_end(around), card)
        };
        let top = |around: Detail| parts::top(view, around).into_iter().chain(owners.clone()).collect();
        // What is said of all alerts gives way to the alerts.
        let wordy = [LEVELS[4], LEVELS[WHOLE]].into_iter().map(|around| (fixed(top(around), around), around));
        let fits = |((bytes, _), _): &((usize, Card), Detail)| *bytes <= bytes_max / AROUND_SHARE;
        let found = wordy.into_iter().find(fits);
        let ((fixed, mut card), around) = found.unwrap_or_else(|| (fixed(top(BARE), BARE), BARE));
        let grants = allot(&self.forms(), |index| self.names[index].bytes(), bytes_max.checked_sub(fixed)?);
        if !view.stories.is_empty() && grants.first().copied().flatten().is_none() {
            return None;
        }
        let (told, listed) = grants.split_at(view.stories.len());
        let mut unnamed = Vec::new();
        self.tell(told, &mut card.elements, &mut unnamed);
        self.list(listed, &mut card.elements, &mut unnamed);
        let rest = self.rest(&grants, unnamed.len());
        card.elements.extend(rest::elements(view, rest, around.with_links));
        card.elements.extend(bottom);
        card.elements.extend(rest::last(view, rest));
        debug_assert!(length(&card) <= bytes_max, "a card outgrew its budget");
        Some(Fitted { card, unnamed })
    }

    /// What fits where nothing else does: the title and the numbers.
    fn bare(&self) -> Fitted {
        let view = self.view;
        let mut elements = parts::top(view, BARE);
        elements.extend(owners::element(view));
        let nothing = vec![None; view.stories.len() + view.lines.len()];
        let unnamed: Vec<_> = if view.items.len() > 1 { (0..view.items.len()).collect() } else { Vec::new() };
        let rest = self.rest(&nothing, unnamed.len());
        elements.extend(rest::elements(view, rest, false));
        elements.extend(parts::buttons(view));
        elements.extend(rest::last(view, rest));
        Fitted { card: Card { header: header::of(view), elements }, unnamed }
    }

    /// Bytes of the longest end the card may have.
    fn longest_end(&self, around: Detail) -> usize {
        let most = Rest::most(self.view);
        let end = rest::elements(self.view, most, around.with_links);
        let last = rest::last(self.view, most).map_or(0, |last| lengths(&[last]));
        let list = Element::Listing(Listing { lines: vec![String::new()] });
        let around_list = if self.view.lines.is_empty() { 0 } else { lengths(&[list]) };
        lengths(&end) + last + around_list
    }

    /// How long every story and every line is in each of its forms, without names.
    fn forms(&self) -> Vec<Vec<usize>> {
        let stories = self.view.stories.iter().zip(&self.names).map(|(story, names)| {
            let block = |detail: &Detail| {
                let names = (!names.is_empty()).then(String::new);
                lengths(&parts::block(self.view, story, *detail, names))
            };
            LEVELS.iter().map(block).collect()
        });
        let title = |line: &ListLine<'_>| json_bytes(&line.title(self.view.words)) + AROUND_LINE_BYTES;
        stories.chain(self.view.lines.iter().map(|line| vec![title(line)])).collect()
    }

    /// The stories, and below each that is a group the names of its alerts.
    fn tell(&self, grants: &[Option<RoomGrant>], elements: &mut Vec<Element>, unnamed: &mut Vec<usize>) {
        for ((story, names), grant) in self.view.stories.iter().zip(&self.names).zip(grants) {
            let Some(grant) = grant else {
                unnamed.extend(story.members());
                continue;
            };
            let names = story.group.as_ref().map(|group| names.within(&group.members, grant.names, unnamed));
            let names = names.filter(|names| !names.is_empty());
            elements.extend(parts::block(self.view, story, LEVELS[grant.level], names));
        }
    }

    /// The lines, each with its names.
    fn list(&self, grants: &[Option<RoomGrant>], elements: &mut Vec<Element>, unnamed: &mut Vec<usize>) {
        let mut lines = Vec::new();
        let names = &self.names[self.view.stories.len()..];
        for ((line, names), grant) in self.view.lines.iter().zip(names).zip(grants) {
            let Some(grant) = grant else {
                unnamed.extend(&line.members);
                continue;
            };
            let mut told = line.title(self.view.words);
            let names = names.within(&line.members, grant.names, unnamed);
            if !names.is_empty() {
                told.extend([self.view.words.colon, &names]);
            }
            lines.push(told);
        }
        if !lines.is_empty() {
            elements.push(Element::Listing(Listing { lines }));
        }
    }

    /// What is not said.
    fn rest(&self, grants: &[Option<RoomGrant>], unnamed: usize) -> Rest {
        let mut told = grants.iter().take(self.view.stories.len());
        let is_shortened = told.any(|grant| grant.is_none_or(|grant| grant.level < WHOLE));
        Rest { is_shortened, ..Rest::of(self.view, grants, unnamed) }
    }
}

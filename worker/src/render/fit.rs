//! A card within its budget: every alert by name as long as there is room, and the worst in as many words as are left.
//! Pure.

use config::CardFormat;

use super::card::{BlockFold, Card, Element, Header, Listing};
use super::group_view::GroupView;
use super::header_besides;
use super::listing::{ListLine, ListedNames};
use super::owners;
use super::parts::{self, Detail, FACTS};
use super::rest::{self, Rest};
use super::room::{RoomGrant, allot, json_bytes};
use super::view::View;
use super::written::{length, lengths, tags};
use super::{header, tables};

/// How wordy the alerts are told, in the fewest words first.
const LEVELS: [Detail; 5] = [
    Detail { summary_characters: 0, ..BARE },
    BARE,
    Detail { body_characters: 300, with_links: true, ..BARE },
    Detail {
        fold: BlockFold::Open,
        summary_characters: 200,
        description_characters: 400,
        body_characters: 800,
        facts: FACTS,
        fact_characters: 120,
        notes: 4,
        note_characters: 200,
        with_links: true,
    },
    // Texts are cut only where the card is full.
    Detail {
        fold: BlockFold::Open,
        summary_characters: 2_000,
        description_characters: 10_000,
        body_characters: 6_000,
        facts: 64,
        fact_characters: 1_000,
        notes: 64,
        note_characters: 2_000,
        with_links: true,
    },
];
const BARE: Detail = Detail {
    fold: BlockFold::Open,
    summary_characters: 100,
    description_characters: 0,
    body_characters: 100,
    facts: 0,
    fact_characters: 120,
    notes: 0,
    note_characters: 0,
    with_links: false,
};
/// The first level at which nothing but texts is shortened.
const WHOLE: usize = 3;
/// So many blocks are seen at once where a format can fold; of the others only their titles: two screens of a phone.
const OPEN_MAX: usize = 3;
/// So many lines are read as easily as a title above them.
const LINES_OPEN_MAX: usize = 6;
/// Tagged objects of a card. 200 are the limit (reference "Feishu", 3.1); others were refused with fewer, so we stay below it.
const TAGS_MAX: usize = 150;
/// Those of a header with everything that can be in it: three tags with a text each, a title and a subtitle.
const HEADER_TAGS: usize = 8;
/// Those a listing has more where its first lines become a table and the others stay folded: the line above and the table.
const MORE_LISTING_TAGS: usize = 2;
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
    /// The names of the alerts of each view that is a group, then of each line.
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
        let header = self.header();
        let fixed = |elements: Vec<Element>, around: Detail| {
            let card = Card { format: self.format(), header: header.clone(), elements };
            (length(&card) + self.lengths(&bottom) + self.longest_end(around), card)
        };
        let top = |around: Detail| parts::top(view, around).into_iter().chain(owners.clone()).collect();
        // What is said of all alerts gives way to the alerts.
        let wordy = [LEVELS[4], LEVELS[WHOLE]].into_iter().map(|around| (fixed(top(around), around), around));
        let fits = |((bytes, _), _): &((usize, Card), Detail)| *bytes <= bytes_max / AROUND_SHARE;
        let found = wordy.into_iter().find(fits);
        let ((fixed, mut card), around) = found.unwrap_or_else(|| (fixed(top(BARE), BARE), BARE));
        let mut grants =
            allot(&self.forms(), |index| self.names[index].bytes(), bytes_max.checked_sub(fixed)?);
        if !view.alert_views.is_empty() && grants.first().copied().flatten().is_none() {
            return None;
        }
        if self.format() == CardFormat::V2 {
            let around =
                [&card.elements[..], &bottom, &self.end(around)].map(|part| tags(self.format(), part));
            self.lighten(&mut grants, around.iter().sum());
        }
        let (in_detail, listed) = grants.split_at(view.alert_views.len());
        let mut unnamed = Vec::new();
        self.add_blocks(in_detail, &mut card.elements, &mut unnamed);
        self.list(listed, &mut card.elements, &mut unnamed);
        let rest = self.rest(&grants, unnamed.len());
        card.elements.extend(rest::elements(view, rest, around.with_links));
        card.elements.extend(bottom);
        card.elements.extend(rest::last(view, rest));
        if unnamed.is_empty() {
            tables::lay(view, &mut card, bytes_max);
        }
        debug_assert!(length(&card) <= bytes_max, "a card outgrew its budget");
        Some(Fitted { card, unnamed })
    }

    /// Takes words from the wordiest blocks, the last first, until the card has no more tagged objects than it may.
    /// `around` are those of the rest of the card.
    fn lighten(&self, grants: &mut [Option<RoomGrant>], around: usize) {
        let alert_views = self.view.alert_views.len();
        let of = |index: usize, level: usize| {
            let names = (!self.names[index].is_empty()).then(String::new);
            tags(self.format(), &self.block(index, level, names))
        };
        let around = around + HEADER_TAGS + MORE_LISTING_TAGS;
        loop {
            let in_detail = grants.iter().take(alert_views).enumerate();
            let in_detail: Vec<_> =
                in_detail.filter_map(|(index, grant)| Some((index, (*grant)?.level))).collect();
            let all: usize = in_detail.iter().map(|(index, level)| of(*index, *level)).sum();
            let wordiest = in_detail
                .iter()
                .filter(|(_, level)| *level > 0)
                .max_by_key(|(index, level)| (*level, *index));
            let Some((index, _)) = wordiest.filter(|_| around + all > TAGS_MAX) else { return };
            if let Some(grant) = &mut grants[*index] {
                grant.level -= 1;
            }
        }
    }

    fn format(&self) -> CardFormat {
        self.view.besides.format
    }

    fn lengths(&self, elements: &[Element]) -> usize {
        lengths(self.format(), elements)
    }

    fn header(&self) -> Header {
        match self.format() {
            CardFormat::V1 => header::of(self.view),
            CardFormat::V2 => header_besides::of(self.view),
        }
    }

    /// A block in this many words.
    fn block(&self, index: usize, level: usize, names: Option<String>) -> Vec<Element> {
        let is_folded = parts::may_fold(self.view) && index >= OPEN_MAX;
        let fold = if is_folded { BlockFold::All } else { BlockFold::Open };
        parts::block(self.view, &self.view.alert_views[index], Detail { fold, ..LEVELS[level] }, names)
    }

    /// What fits where nothing else does: the title and the numbers.
    fn bare(&self) -> Fitted {
        let view = self.view;
        let mut elements = parts::top(view, BARE);
        elements.extend(owners::element(view));
        let nothing = vec![None; view.alert_views.len() + view.lines.len()];
        let unnamed: Vec<_> = if view.items.len() > 1 { (0..view.items.len()).collect() } else { Vec::new() };
        let rest = self.rest(&nothing, unnamed.len());
        elements.extend(rest::elements(view, rest, false));
        elements.extend(parts::buttons(view));
        elements.extend(rest::last(view, rest));
        Fitted { card: Card { format: self.format(), header: self.header(), elements }, unnamed }
    }

    /// Bytes of the longest end the card may have.
    fn longest_end(&self, around: Detail) -> usize {
        self.lengths(&self.end(around))
    }

    /// The longest end the card may have, a list of nothing before it.
    fn end(&self, around: Detail) -> Vec<Element> {
        let most = Rest::most(self.view);
        let list = (!self.view.lines.is_empty()).then(|| self.listing(vec![String::new()], &self.view.lines));
        let end = list.into_iter().chain(rest::elements(self.view, most, around.with_links));
        end.chain(rest::last(self.view, most)).collect()
    }

    /// How long every block and every line is in each of its forms, without names.
    fn forms(&self) -> Vec<Vec<usize>> {
        let alert_views = (0..self.view.alert_views.len()).map(|index| {
            let form = |level: usize| {
                let names = (!self.names[index].is_empty()).then(String::new);
                self.lengths(&self.block(index, level, names))
            };
            (0..LEVELS.len()).map(form).collect()
        });
        let title = |line: &ListLine<'_>| json_bytes(&line.title(self.view.words)) + AROUND_LINE_BYTES;
        alert_views.chain(self.view.lines.iter().map(|line| vec![title(line)])).collect()
    }

    /// The blocks, those of groups with the names of their alerts.
    fn add_blocks(
        &self,
        grants: &[Option<RoomGrant>],
        elements: &mut Vec<Element>,
        unnamed: &mut Vec<usize>,
    ) {
        for (index, grant) in grants.iter().enumerate() {
            let alert_view = &self.view.alert_views[index];
            let Some(grant) = grant else {
                unnamed.extend(alert_view.members());
                continue;
            };
            let within =
                |group: &GroupView<'_>| self.names[index].within(&group.members, grant.names, unnamed);
            let names = alert_view.group.as_ref().map(within).filter(|names| !names.is_empty());
            elements.extend(self.block(index, grant.level, names));
        }
    }

    /// The lines, each with its names.
    fn list(&self, grants: &[Option<RoomGrant>], elements: &mut Vec<Element>, unnamed: &mut Vec<usize>) {
        let mut lines = Vec::new();
        let names = &self.names[self.view.alert_views.len()..];
        for ((line, names), grant) in self.view.lines.iter().zip(names).zip(grants) {
            let Some(grant) = grant else {
                unnamed.extend(&line.members);
                continue;
            };
            let mut text = line.title(self.view.words);
            let names = names.within(&line.members, grant.names, unnamed);
            if !names.is_empty() {
                text.extend([self.view.words.colon, &names]);
            }
            lines.push(text);
        }
        if !lines.is_empty() {
            let listed = &self.view.lines[..lines.len()];
            elements.push(self.listing(lines, listed));
        }
    }

    /// What is said of the lines, and what is seen of that where a format can fold and they are many.
    fn listing(&self, lines: Vec<String>, of: &[ListLine<'_>]) -> Element {
        let is_folded = parts::may_fold(self.view) && of.len() > LINES_OPEN_MAX;
        let title = is_folded.then(|| ListLine::folded_title(of, self.view.words));
        Element::Listing(Listing { lines, title: title.unwrap_or_default(), table: None })
    }

    /// What is not said.
    fn rest(&self, grants: &[Option<RoomGrant>], unnamed: usize) -> Rest {
        let mut in_detail = grants.iter().take(self.view.alert_views.len());
        let is_shortened = in_detail.any(|grant| grant.is_none_or(|grant| grant.level < WHOLE));
        Rest { is_shortened, ..Rest::of(self.view, grants, unnamed) }
    }
}

//! What is not told in detail: the groups of a card that are listed in lines, each alert by its name. Pure.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::card::CardTable;
use super::count::Count;
use super::escape::{clean_line, is_plain};
use super::fold::FoldedNames;
use super::group_labels::GroupLabels;
use super::group_names::GroupNames;
use super::i18n::Words;
use super::icons::Light;
use super::item::Item;
use super::name_map::NameMap;
use super::state_reason::StateReason;
use super::summary::SummaryGroup;

/// How much of a name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 120;
/// How much of where it is.
const PLACE_CHARACTERS_MAX: usize = 64;
/// Names of a line that can be read in one cell of a table, in characters.
const CELL_CHARACTERS_MAX: usize = 80;
/// The longest ` +N` behind names of which some are missing, in bytes.
const MISSING_BYTES: usize = 12;

/// A line: a group with the names of its alerts, or alerts of one place of which each has a name of its own.
pub(super) struct ListLine<'e> {
    light: Light,
    title: LineTitle<'e>,
    around: &'e str,
    /// Why they are in their state, where the rule's condition is not the reason.
    reason: Option<StateReason>,
    /// The positions of the alerts.
    pub(super) members: Vec<usize>,
    pub(super) names: Vec<Cow<'e, str>>,
}

enum LineTitle<'e> {
    /// Alerts of this name, told apart by these labels, and what is the same for all.
    Group { name: &'e str, labels: Vec<&'e str>, same: Vec<(&'e str, &'e str)> },
    /// Alerts that are alone with their name.
    Place,
}

impl<'e> ListLine<'e> {
    /// The lines for these groups, in their order.
    pub(super) fn all_of(items: &[Item<'e>], groups: &[SummaryGroup<'e>]) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut places: NameMap<(Light, &str), usize> = NameMap::default();
        for group in groups {
            let SummaryGroup { light, name, around, reason, ref members, .. } = *group;
            if let [member] = members[..]
                && reason.is_none()
            {
                let line = *places.entry((light, around)).or_insert(lines.len());
                if line == lines.len() {
                    let title = LineTitle::Place;
                    let members = Vec::new();
                    let names = Vec::new();
                    lines.push(Self { light, title, around, reason, members, names });
                }
                lines[line].members.push(member);
                lines[line].names.push(shown(name));
                continue;
            }
            let alerts: Vec<_> = members.iter().map(|index| items[*index]).collect();
            let GroupLabels { same, differing } = GroupLabels::of(&alerts);
            let GroupNames { labels, names } = GroupNames::of(&alerts, &differing);
            let title = LineTitle::Group { name, labels, same };
            lines.push(Self { light, title, around, reason, members: members.clone(), names });
        }
        lines
    }

    /// What stands before the names.
    pub(super) fn title(&self, words: &Words) -> String {
        let mut parts = vec![format!("{} ×{}", self.light.sign(), self.members.len())];
        if let LineTitle::Group { name, .. } = &self.title {
            parts[0].extend([" ", &shown_name(name, words)]);
        }
        parts.extend(self.reason.map(|reason| words.reason_badge(reason).to_owned()));
        parts.push(clean_line(self.around, PLACE_CHARACTERS_MAX));
        if let LineTitle::Group { labels, .. } = &self.title {
            parts.push(shown_labels(labels));
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" · ")
    }

    /// What is seen of these lines while they are folded.
    pub(super) fn folded_title(lines: &[Self], words: &Words) -> String {
        let mut count = Count::default();
        for line in lines {
            count.add(line.light.status(), line.members.len());
        }
        words.others(lines.iter().map(Self::kinds).sum(), count)
    }

    /// Lines as rows, if there are several and each can be read as one; `told` is what they say.
    pub(super) fn table(lines: &[Self], written: &[String], words: &Words) -> Option<CardTable> {
        let row = |(line, written): (&Self, &String)| {
            let names = written.strip_prefix(&line.title(words))?;
            let names = names.strip_prefix(words.colon).unwrap_or(names);
            let is_short = !names.contains('\n') && names.chars().nth(CELL_CHARACTERS_MAX).is_none();
            let sign = line.light.sign();
            let (what, which) = match &line.title {
                LineTitle::Group { name, labels, .. } => {
                    let labels = Some(shown_labels(labels)).filter(|labels| !labels.is_empty());
                    let labels = labels.map(|labels| labels + words.colon).unwrap_or_default();
                    let which = if names.is_empty() { String::new() } else { labels + names };
                    (format!("{sign} {}", shown_name(name, words)), which)
                }
                LineTitle::Place => (format!("{sign} {names}"), String::new()),
            };
            let around = clean_line(line.around, PLACE_CHARACTERS_MAX);
            is_short.then(|| vec![what, around, line.members.len().to_string(), which])
        };
        let rows = lines.iter().zip(written).map(row).collect::<Option<Vec<_>>>()?;
        let columns = [words.alert, words.where_it_is, words.count, words.which].map(str::to_owned).into();
        (rows.len() > 1).then_some(CardTable { columns, rows })
    }

    /// Whether each of its alerts has a label of this name and value.
    pub(super) fn is_same_for_all(&self, items: &[Item<'_>], name: &str, value: &str) -> bool {
        let has = |index: &usize| items[*index].fact(name) == Some(value);
        match &self.title {
            LineTitle::Group { same, .. } => same.contains(&(name, value)),
            LineTitle::Place => self.members.iter().all(has),
        }
    }

    /// How many different names its alerts have.
    pub(super) fn kinds(&self) -> usize {
        match self.title {
            LineTitle::Group { .. } => 1,
            LineTitle::Place => self.members.len(),
        }
    }
}

/// Names of alerts, folded once it matters how long they are.
pub(super) struct ListedNames<'n> {
    names: &'n [Cow<'n, str>],
    folded: OnceCell<FoldedNames<'n>>,
}

impl<'n> ListedNames<'n> {
    pub(super) fn of(names: &'n [Cow<'n, str>]) -> Self {
        Self { names, folded: OnceCell::new() }
    }

    /// Whether there is no name at all.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// How long all of them are, in JSON.
    pub(super) fn bytes(&self) -> usize {
        self.folded().bytes()
    }

    fn folded(&self) -> &FoldedNames<'n> {
        let fold = || FoldedNames::of(&self.names.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        self.folded.get_or_init(fold)
    }

    /// As many names as `bytes_max` holds, with how many are missing behind them. The positions of those are added to
    /// `missing`; without names the alerts are named by what stands before.
    pub(super) fn within(&self, members: &[usize], bytes_max: usize, missing: &mut Vec<usize>) -> String {
        if self.is_empty() {
            return String::new();
        }
        let folded = self.folded();
        if folded.bytes() <= bytes_max {
            return folded.within(bytes_max).text;
        }
        let mut list = folded.within(bytes_max.saturating_sub(MISSING_BYTES));
        missing.extend(list.missing.iter().map(|position| members[*position]));
        if !list.text.is_empty() {
            list.text.extend([" +", &list.missing.len().to_string()]);
        }
        list.text
    }
}

fn shown_name(name: &str, words: &Words) -> String {
    let name = clean_line(name, NAME_CHARACTERS_MAX);
    if name.is_empty() { words.alert.to_owned() } else { name }
}

fn shown_labels(labels: &[&str]) -> String {
    let labels = labels.iter().map(|label| clean_line(label, PLACE_CHARACTERS_MAX));
    labels.collect::<Vec<_>>().join("/")
}

fn shown(name: &str) -> Cow<'_, str> {
    let is_short = name.len() <= NAME_CHARACTERS_MAX;
    if is_short && is_plain(name) { name.into() } else { clean_line(name, NAME_CHARACTERS_MAX).into() }
}

//! The alerts of a group as rows: where they differ in several labels, or were measured, a table says more than names.
//! Pure.

use super::alert_view::AlertView;
use super::card::CardTable;
use super::escape::clean_line;
use super::fold::natural;
use super::item::Item;
use super::json2::COLUMNS_MAX;
use super::notes::VALUE;
use super::times;
use super::view::View;

/// Rows of a table at most: five times turned over; further down nobody reads.
pub(super) const ROWS_MAX: usize = 50;
/// How much of a name or a value is shown, in characters; as much as of one that is folded.
const CELL_CHARACTERS_MAX: usize = 256;

/// The table of a group's alerts, if it would say more than their names do.
pub(super) fn of(view: &View<'_>, alert_view: &AlertView<'_>) -> Option<CardTable> {
    let group = alert_view.group.as_ref()?;
    let labels = &group.names.labels;
    let alerts: Vec<&Item<'_>> = group.members.iter().map(|index| &view.items[*index]).collect();
    let is_measured = alerts.iter().any(|item| !measured(item).is_empty());
    if labels.is_empty() || alerts.len() > ROWS_MAX || (labels.len() == 1 && !is_measured) {
        return None;
    }
    let began_apart = group.began.filter(|began| began.first != began.last);
    let mut columns: Vec<String> = labels.iter().map(|label| cell(label)).collect();
    columns.extend(is_measured.then(|| VALUE.to_owned()));
    columns.extend(began_apart.map(|_| view.words.started.to_owned()));
    let row = |item: &&Item<'_>| {
        let labels = labels.iter().map(|label| cell(item.fact(label).unwrap_or_default()));
        let mut row: Vec<String> = labels.collect();
        row.extend(is_measured.then(|| cell(measured(item))));
        let began = began_apart.and(item.alert.starts_at);
        row.extend(began.map(|began| times::shown(began, view.timezone)));
        row
    };
    let mut rows: Vec<Vec<String>> = alerts.iter().map(row).collect();
    rows.sort_by(|one, other| {
        let cells = one.iter().zip(other).map(|(one, other)| natural(one, other));
        cells.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    debug_assert!(columns.len() <= COLUMNS_MAX, "a column without a key");
    Some(CardTable { columns, rows })
}

fn measured<'e>(item: &Item<'e>) -> &'e str {
    item.alert.annotations.get(VALUE).unwrap_or_default()
}

fn cell(text: &str) -> String {
    clean_line(text, CELL_CHARACTERS_MAX)
}

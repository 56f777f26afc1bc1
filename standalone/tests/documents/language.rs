//! The two languages of the documents, and how a cell of a table is written.

use runtime::documents::{Bilingual, Roles};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Where its pages are, below `docs`.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::English => "",
            Self::Chinese => "zh-CN/",
        }
    }

    pub(crate) const fn say(self, text: Bilingual) -> &'static str {
        match self {
            Self::English => text.en,
            Self::Chinese => text.zh,
        }
    }

    /// Several things, one after the other.
    pub(crate) fn list(self, items: &[String]) -> String {
        items.join(match self {
            Self::English => ", ",
            Self::Chinese => "、",
        })
    }

    pub(crate) const fn yes(self) -> &'static str {
        match self {
            Self::English => "yes",
            Self::Chinese => "是",
        }
    }

    pub(crate) const fn roles(self, roles: Roles) -> &'static str {
        match (roles, self) {
            (Roles::Ingest, _) => "ingest",
            (Roles::Worker, _) => "worker",
            (Roles::Both, Self::English) => "ingest, worker",
            (Roles::Both, Self::Chinese) => "ingest、worker",
        }
    }
}

pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A table with this head. What ends a cell is written so that it does not.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head_cells: Vec<_> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut table = line(&head_cells) + &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows {
        assert_eq!(row.len(), head.len(), "{row:?}");
        table += &line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>());
    }
    table
}

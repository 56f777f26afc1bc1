//! What the registries of settings and of metrics have in common: words in two languages, and which roles they are about.

/// The same in two languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bilingual {
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// Which processes something is about. `larkfire` is both roles in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// `larkfire-ingest`.
    Ingest,
    /// `larkfire-worker`.
    Worker,
    /// Both of them.
    Both,
}

impl Bilingual {
    /// Nothing, in either language.
    pub const EMPTY: Self = text("", "");

    /// Whether there are no words.
    pub const fn is_empty(self) -> bool {
        self.en.is_empty() && self.zh.is_empty()
    }
}

impl Roles {
    /// Whether it is about `larkfire-ingest`.
    pub const fn ingest(self) -> bool {
        matches!(self, Self::Ingest | Self::Both)
    }

    /// Whether it is about `larkfire-worker`.
    pub const fn worker(self) -> bool {
        matches!(self, Self::Worker | Self::Both)
    }
}

/// A text in both languages.
pub const fn text(en: &'static str, zh: &'static str) -> Bilingual {
    Bilingual { en, zh }
}

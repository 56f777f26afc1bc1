//! What every page is around its body, also before somebody is logged in: the head of the document. Pure.

use maud::{DOCTYPE, Markup, html};

use crate::assets;
use crate::language::Language;

/// A page as a browser takes it.
#[derive(Debug)]
pub(crate) struct Document<'d> {
    pub(crate) language: Language,
    /// Stands before every path.
    pub(crate) prefix: &'d str,
    pub(crate) title: &'d str,
    /// Whether the pages' script runs on it.
    pub(crate) script: PageScript,
}

/// Whether the pages' script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageScript {
    Runs,
    Absent,
}

impl Document<'_> {
    /// The whole page, with this in its body.
    pub(crate) fn with(&self, body: &Markup) -> Markup {
        let to = |path: String| format!("{}{path}", self.prefix);
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (self.title) " · Larkfire" }
                    link rel="icon" href=(to(assets::SVG.path())) type="image/svg+xml";
                    link rel="stylesheet" href=(to(assets::CSS.path()));
                    @if self.script == PageScript::Runs { script src=(to(assets::JS.path())) defer {} }
                }
                body { (body) }
            }
        }
    }
}

/// The name and the mark, as they stand at the top.
pub(crate) fn brand(prefix: &str) -> Markup {
    html! {
        img src=(format!("{prefix}{}", assets::SVG.path())) alt="" width="24" height="24";
        "Larkfire"
    }
}

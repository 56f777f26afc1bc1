//! Words of one's own for cards: a template for the title, and one for what is said of each alert. What alerts say
//! stays data in them: of every piece of what it wrote the engine says whether it is the template's own text, and
//! what is not is escaped (`pieces`). So it does not matter which filters it went through. Pure.

mod check;
mod names;
mod pieces;

use std::cell::RefCell;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, OutputSpan, UndefinedBehavior, Value};
use thiserror::Error;

pub use check::TemplateFault;
pub(super) use names::{OF_ALERT, OF_CARD};
pub(super) use pieces::WordedText;

/// What one rendering may take: a step of the engine is one, and so are 64 bytes it writes or looks at. A template that
/// says something of each of forty labels takes about a thousand.
pub const FUEL: u64 = 20_000;
/// How long what a template writes may be, in bytes; a card holds 20 000, with everything on it.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// How deep loops may call themselves.
const RECURSION_MAX: usize = 32;

/// A part of a card that can be worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TemplatePart {
    /// The header's one line.
    Title,
    /// What is said of each alert.
    Body,
}

impl TemplatePart {
    /// Every part.
    pub const ALL: [Self; 2] = [Self::Title, Self::Body];

    /// Its key in the configuration, and the label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }
}

/// Why a template came to nothing this time. Says nothing of what the alert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CardTemplateError {
    /// It does not come to an end, or not soon enough.
    #[error("it takes more than {FUEL} steps")]
    OutOfFuel,
    /// It says too much.
    #[error("it writes more than {OUTPUT_BYTES_MAX} bytes")]
    TooLong,
    /// What it asks for cannot be done with what the alert has.
    #[error("line {line}: {kind}")]
    Failed {
        /// What cannot.
        kind: ErrorKind,
        /// Where in the template, counted from 1.
        line: usize,
    },
}

impl CardTemplateError {
    fn of(error: &minijinja::Error) -> Self {
        let kind = error.kind();
        if kind == ErrorKind::OutOfFuel {
            return Self::OutOfFuel;
        }
        Self::Failed { kind, line: error.line().unwrap_or(1) }
    }
}

/// A template as it is used.
#[derive(Debug)]
pub struct CardTemplate {
    name: String,
    engine: Environment<'static>,
    places_links: bool,
}

impl CardTemplate {
    /// Makes it of its texts, or says everything that is wrong with them.
    pub fn compile(
        name: &str,
        texts: [(TemplatePart, Option<&str>); 2],
    ) -> Result<Self, Vec<(TemplatePart, TemplateFault)>> {
        let mut engine = engine();
        let mut faults = Vec::new();
        let mut places_links = false;
        for (part, text) in texts {
            let Some(text) = text else { continue };
            match check::add(&mut engine, part, text) {
                Ok(used) => {
                    let names_links = names::LINKS.iter().any(|name| used.contains(*name));
                    places_links |= part == TemplatePart::Body && names_links;
                }
                Err(found) => faults.extend(found.into_iter().map(|fault| (part, fault))),
            }
        }
        if faults.is_empty() { Ok(Self { name: name.to_owned(), engine, places_links }) } else { Err(faults) }
    }

    /// What logs and metrics call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Nothing if it has no such part.
    fn render(
        &self,
        part: TemplatePart,
        values: Value,
    ) -> Option<Result<(String, Vec<OutputSpan>), CardTemplateError>> {
        let template = self.engine.get_template(part.as_str()).ok()?;
        let rendered = template.render_with_spans(values).map_err(|error| CardTemplateError::of(&error));
        let bounded = rendered.and_then(|(text, spans)| {
            if text.len() > OUTPUT_BYTES_MAX { Err(CardTemplateError::TooLong) } else { Ok((text, spans)) }
        });
        Some(bounded)
    }
}

/// A template on its way onto one card, and what went wrong with it.
#[derive(Debug)]
pub struct AppliedTemplate<'w> {
    template: &'w CardTemplate,
    /// Whom the card is for.
    receiver: &'w str,
    failures: RefCell<Vec<(TemplatePart, CardTemplateError)>>,
}

impl<'w> AppliedTemplate<'w> {
    /// For a card for this receiver.
    pub fn new(template: &'w CardTemplate, receiver: &'w str) -> Self {
        Self { template, receiver, failures: RefCell::default() }
    }

    /// Which one it is.
    pub fn template(&self) -> &'w CardTemplate {
        self.template
    }

    /// What had to be said in the built-in words, and why: one for each time.
    pub fn into_failures(self) -> Vec<(TemplatePart, CardTemplateError)> {
        self.failures.into_inner()
    }

    /// Whether it says itself where the links are.
    pub(super) fn places_links(&self) -> bool {
        self.template.places_links
    }

    /// Whom the card is for.
    pub(super) const fn receiver(&self) -> &'w str {
        self.receiver
    }

    /// What this part of it writes of these values; nothing where it has none, or fails, which is kept.
    pub(super) fn say(
        &self,
        part: TemplatePart,
        values: impl FnOnce() -> Option<Value>,
    ) -> Option<(String, Vec<OutputSpan>)> {
        match self.template.render(part, values()?)? {
            Ok(said) => Some(said),
            Err(error) => {
                self.failures.borrow_mut().push((part, error));
                None
            }
        }
    }
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    // Nothing is safe: there is nothing to say so, either. `debug` would show what no card should.
    for filter in ["safe", "escape", "e"] {
        engine.remove_filter(filter);
    }
    engine.remove_global("debug");
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_debug(false);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(RECURSION_MAX);
    // A label that is not there is empty, and so is everything of it.
    engine.set_undefined_behavior(UndefinedBehavior::Chainable);
    engine.set_syntax(syntax());
    engine
}

/// A tag on a line of its own leaves no empty line.
fn syntax() -> SyntaxConfig {
    let built = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // Delimiters are what could be wrong with it, and those are the usual ones.
    built.unwrap_or_default()
}

//! LogQL queries with places to be filled in, checked once, so that whatever is filled in later is a query that Loki
//! takes: a value can only stand where LogQL has a text, and it is known there how it has to be escaped.

use std::iter::once;

/// How long a template may be, in bytes: a URL has to hold it, and a card many URLs.
const TEMPLATE_BYTES_MAX: usize = 1_000;
/// What begins a placeholder; `}` ends it. LogQL itself has no use for it.
const OPEN: &str = "%{";
/// Stages whose texts are little programs: a value in them would be run rather than compared.
const PROGRAMS: [&str; 7] = ["json", "logfmt", "unpack", "pattern", "regexp", "line_format", "label_format"];

/// A LogQL query with places to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryTemplate {
    /// Its parts, in their order.
    pub pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Written as it is.
    Text(String),
    /// `%{selector}`: what the alert is about, `{app="…",namespace="…"}`.
    Selector,
    /// `%{matchers}`: the same without the braces, so that others can stand beside it.
    Matchers,
    /// `%{errors}`: a line filter for what errors look like.
    Errors,
    /// A value of the alert.
    Value {
        /// Which one.
        of: ValueOf,
        /// Whether it stands within quotes already.
        is_quoted: bool,
        /// Whether it stands in a regular expression.
        is_regexp: bool,
    },
}

/// What a value is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOf {
    /// `%{endpoint}`: the interface a message names (接口名称).
    Endpoint,
    /// `%{label.NAME}`: a label of the alert.
    Label(String),
}

/// How a text in LogQL is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compared {
    Literally,
    AsRegexp,
    NotAtAll,
}

/// Where in the query a character stands.
#[derive(Clone, Copy)]
enum QueryPosition {
    Outside,
    Quoted(Compared),
    Raw,
}

/// Reads a template, or says what it must be.
pub(crate) fn template(text: &str) -> Result<QueryTemplate, String> {
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(format!("a LogQL query of at most {TEMPLATE_BYTES_MAX} bytes"));
    }
    let mut reader =
        TemplateReader { text, pieces: Vec::new(), place: QueryPosition::Outside, stage_at: 0, written: 0 };
    let mut at = 0;
    while let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at = reader.step(at, character)?;
    }
    reader.write_up_to(text.len());
    match reader.place {
        QueryPosition::Outside => {}
        QueryPosition::Quoted(_) | QueryPosition::Raw => {
            return Err("a LogQL query whose quotes are closed".to_owned());
        }
    }
    if !reader.pieces.iter().any(|piece| matches!(piece, Piece::Selector | Piece::Matchers)) {
        // Whatever else is in it: with this one it selects something, without it Loki refuses it.
        return Err("a LogQL query that has %{selector} or %{matchers} in it".to_owned());
    }
    Ok(QueryTemplate { pieces: reader.pieces })
}

struct TemplateReader<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
    place: QueryPosition,
    /// Where the stage of the pipeline begins that is being read.
    stage_at: usize,
    /// Up to where the text is in `pieces`.
    written: usize,
}

impl TemplateReader<'_> {
    /// Reads what begins at `at`; returns where the next begins.
    fn step(&mut self, at: usize, character: char) -> Result<usize, String> {
        let next = at + character.len_utf8();
        if self.text[at..].starts_with(OPEN) {
            return self.placeholder(at);
        }
        match (self.place, character) {
            (QueryPosition::Outside, '"') => self.place = QueryPosition::Quoted(self.compared(at)),
            (QueryPosition::Outside, '`') => self.place = QueryPosition::Raw,
            (QueryPosition::Outside, '|') => self.stage_at = next,
            (QueryPosition::Quoted(_), '"') | (QueryPosition::Raw, '`') => {
                self.place = QueryPosition::Outside;
            }
            (QueryPosition::Quoted(_), '\\') => {
                return Ok(next + self.text[next..].chars().next().map_or(0, char::len_utf8));
            }
            _ => {}
        }
        Ok(next)
    }

    fn placeholder(&mut self, at: usize) -> Result<usize, String> {
        let inside = at + OPEN.len();
        let Some(length) = self.text[inside..].find('}') else {
            return Err("a LogQL query in which each %{ has its }".to_owned());
        };
        let name = &self.text[inside..inside + length];
        let piece = self.piece(at, name)?;
        self.write_up_to(at);
        self.pieces.push(piece);
        self.written = inside + length + 1;
        Ok(self.written)
    }

    fn piece(&self, at: usize, name: &str) -> Result<Piece, String> {
        let whole = |piece| match self.place {
            QueryPosition::Outside => Ok(piece),
            QueryPosition::Quoted(_) | QueryPosition::Raw => {
                Err(format!("a LogQL query in which %{{{name}}} stands outside of quotes"))
            }
        };
        let value_of = match name {
            "selector" => return whole(Piece::Selector),
            "matchers" => return whole(Piece::Matchers),
            "errors" => return whole(Piece::Errors),
            "endpoint" => ValueOf::Endpoint,
            _ => match name.strip_prefix("label.").filter(|label| !label.is_empty()) {
                Some(label) => ValueOf::Label(label.to_owned()),
                None => {
                    return Err(format!(
                        "a LogQL query with the placeholders %{{selector}}, %{{matchers}}, %{{errors}}, \
                         %{{endpoint}} and %{{label.NAME}}; %{{{name}}} is none of them"
                    ));
                }
            },
        };
        let (is_quoted, compared) = match self.place {
            QueryPosition::Outside => (false, self.compared(at)),
            QueryPosition::Quoted(compared) => (true, compared),
            QueryPosition::Raw => (true, Compared::NotAtAll),
        };
        match compared {
            Compared::NotAtAll => Err(format!(
                "a LogQL query in which %{{{name}}} follows =, !=, =~, !~, |= or |~, or is in double quotes that do"
            )),
            Compared::Literally => Ok(Piece::Value { of: value_of, is_quoted, is_regexp: false }),
            Compared::AsRegexp => Ok(Piece::Value { of: value_of, is_quoted, is_regexp: true }),
        }
    }

    /// How the text that begins at `at` is compared with, by what stands before it.
    fn compared(&self, at: usize) -> Compared {
        let stage = self.text[self.stage_at..at].trim_start();
        let word = stage.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        if PROGRAMS.contains(&word) {
            return Compared::NotAtAll;
        }
        let before = self.text[..at].trim_end();
        let ends_with = |operators: &[&str]| operators.iter().any(|operator| before.ends_with(operator));
        match () {
            () if ends_with(&["=~", "!~", "|~"]) => Compared::AsRegexp,
            // Numbers are compared with these, never texts.
            () if ends_with(&["==", ">=", "<="]) => Compared::NotAtAll,
            () if ends_with(&["="]) => Compared::Literally,
            () => Compared::NotAtAll,
        }
    }

    fn write_up_to(&mut self, at: usize) {
        let text = &self.text[self.written..at];
        self.pieces
            .extend(once(text).filter(|text| !text.is_empty()).map(|text| Piece::Text(text.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(bool, bool)> {
        let pieces = template(text).unwrap().pieces;
        let value = |piece: &Piece| match piece {
            Piece::Value { is_quoted, is_regexp, .. } => Some((*is_quoted, *is_regexp)),
            Piece::Text(_) | Piece::Selector | Piece::Matchers | Piece::Errors => None,
        };
        pieces.iter().filter_map(value).collect()
    }

    #[test]
    fn a_template_knows_how_each_value_has_to_be_escaped() {
        assert_eq!(values("%{selector} |= %{endpoint}"), [(false, false)]);
        assert_eq!(values(r#"%{selector} |= "a \" %{endpoint}" != "x""#), [(true, false)]);
        assert_eq!(values(r#"%{selector} |~ "^%{label.a}$" !~ %{label.b}"#), [(true, true), (false, true)]);
        assert_eq!(
            values(r#"{%{matchers}, env=%{label.env}} | json | path=~"%{endpoint}.*""#),
            [(false, false), (true, true)]
        );
        let pieces = template("%{selector} %{errors} | json").unwrap().pieces;
        assert_eq!(
            pieces,
            [Piece::Selector, Piece::Text(" ".to_owned()), Piece::Errors, Piece::Text(" | json".to_owned())]
        );
    }

    #[test]
    fn what_could_become_a_query_that_loki_refuses_is_no_template() {
        for (text, part) in [
            ("%{selector} |= %{enpdoint}", "%{enpdoint} is none of them"),
            ("%{selector} |= %{label.}", "%{label.} is none of them"),
            ("{app=\"x\"}", "%{selector} or %{matchers}"),
            ("", "%{selector} or %{matchers}"),
            ("%{selector", "each %{ has its }"),
            ("%{selector} |= \"x", "quotes are closed"),
            ("%{selector} |= \"%{errors}\"", "%{errors} stands outside of quotes"),
            ("%{selector} %{endpoint}", "%{endpoint} follows"),
            ("%{selector} |= `%{endpoint}`", "%{endpoint} follows"),
            ("%{selector} |= \"a\" %{endpoint}", "%{endpoint} follows"),
            ("%{selector} | status >= %{label.x}", "%{label.x} follows"),
            ("%{selector} | line_format \"%{label.x}\"", "%{label.x} follows"),
            ("%{selector} | label_format a=\"%{label.x}\"", "%{label.x} follows"),
            ("%{selector} | json a=\"%{label.x}\"", "%{label.x} follows"),
            (&format!("%{{selector}}{}", " ".repeat(TEMPLATE_BYTES_MAX)), "at most 1000 bytes"),
        ] {
            let must = template(text).unwrap_err();
            assert!(must.contains(part), "{part:?} is missing in {must:?} on {text}");
        }
    }
}

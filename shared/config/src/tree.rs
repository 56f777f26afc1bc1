//! A YAML file as a tree that remembers its lines, so that every problem can name its place.
//!
//! Scalars stay text: whether `8080` is a port or a password is for the setting to say. Aliases are refused;
//! they are how small files become large ones, and a configuration needs none.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use thiserror::Error;

/// How deep lists and maps may be nested; the deepest setting has four levels.
const DEPTH_MAX: usize = 16;

/// One node and the line it begins on, counted from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

#[derive(Debug, Error)]
pub(super) enum TreeError {
    #[error("line {}: {}", .0.marker().line(), .0.info())]
    Syntax(#[from] ScanError),
    #[error("line {line}: {what}")]
    Unsupported { line: usize, what: &'static str },
    #[error("line {line}: `{key}` is set twice")]
    Duplicate { line: usize, key: String },
}

/// Reads the first document; an empty file is an empty map.
pub(super) fn parse(text: &str) -> Result<Node, TreeError> {
    let mut events = Parser::new_from_str(text);
    for event in events.by_ref() {
        match event? {
            (Event::DocumentStart(_), _) => return Builder { events }.node(0),
            (Event::StreamEnd, _) => break,
            _ => {}
        }
    }
    Ok(Node { line: 1, value: Value::Map(Vec::new()) })
}

struct Builder<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> {
    events: I,
}

impl<'t, I: Iterator<Item = Result<(Event<'t>, Span), ScanError>>> Builder<'t, I> {
    fn node(&mut self, depth: usize) -> Result<Node, TreeError> {
        match self.next()? {
            Some((event, line)) => self.node_of(event, line, depth),
            None => Ok(Node { line: 1, value: Value::Map(Vec::new()) }),
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, usize)>, TreeError> {
        let event = self.events.next().transpose()?;
        Ok(event.map(|(event, span)| (event, span.start.line())))
    }

    fn node_of(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, TreeError> {
        if depth > DEPTH_MAX {
            return Err(TreeError::Unsupported { line, what: "nested too deeply" });
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the other events cannot begin a node")]
        let value = match event {
            // `key:` and `key: ~` say nothing, which is the same as an empty text.
            Event::Scalar(text, ScalarStyle::Plain, ..) if matches!(&*text, "~" | "null") => {
                Value::Text(String::new())
            }
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => Value::List(self.list(depth)?),
            Event::MappingStart(..) => Value::Map(self.map(depth)?),
            Event::Alias(_) => {
                return Err(TreeError::Unsupported { line, what: "aliases (`*name`) are not supported" });
            }
            _ => return Err(TreeError::Unsupported { line, what: "something is missing here" }),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, TreeError> {
        let mut items = Vec::new();
        while let Some((event, line)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.node_of(event, line, depth + 1)?);
        }
        Ok(items)
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, TreeError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = HashSet::new();
        while let Some((event, line)) = self.next()? {
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let Event::Scalar(key, ..) = event else {
                return Err(TreeError::Unsupported { line, what: "a key must be plain text" });
            };
            let key = key.into_owned();
            if !keys.insert(key.clone()) {
                return Err(TreeError::Duplicate { line, key });
            }
            let node = self.node(depth + 1)?;
            entries.push(Entry { key, line, node });
        }
        Ok(entries)
    }
}

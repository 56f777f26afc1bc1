//! `docs/openapi.yaml` as JSON, and the way from a request to what is documented of its answer.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

const TEXT: &str = include_str!("../../../../docs/openapi.yaml");

/// The document.
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn read() -> Self {
        let mut events = Parser::new_from_str(TEXT).map(|event| event.unwrap().0);
        let begun = events.by_ref().find(|event| matches!(event, Event::DocumentStart(_)));
        assert!(begun.is_some());
        let first = events.next().unwrap();
        Self(node(first, &mut events))
    }

    /// What `value` is, or what it refers to.
    pub(crate) fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        let Some(reference) = value.get("$ref") else { return value };
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let found = self.0.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}"));
        self.resolve(found)
    }

    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}"))
    }

    /// The path of the document that a request's path falls under.
    pub(crate) fn path_of(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap_or(path);
        let fits = |template: &str| match template.split_once('{') {
            None => path == template,
            Some((before, _)) => path.strip_prefix(before).is_some_and(|name| !name.is_empty()),
        };
        let paths = self.at("/paths").as_object().unwrap();
        paths.keys().map(String::as_str).find(|template| fits(template))
    }

    /// The statuses that are documented for a method of a path, with their answers; none if the method is not.
    pub(crate) fn responses(&self, path: &str, method: &str) -> Option<&Map<String, Value>> {
        let operation = self.at("/paths").get(path)?.get(method.to_ascii_lowercase())?;
        operation["responses"].as_object()
    }
}

fn node<'t>(event: Event<'t>, events: &mut impl Iterator<Item = Event<'t>>) -> Value {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events cannot begin a node of this file")]
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            // What JSON takes for a number or a word is one in YAML too.
            serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text))
        }
        Event::Scalar(text, ..) => Value::from(&*text),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next().unwrap() {
                    Event::SequenceEnd => return Value::from(items),
                    item => items.push(node(item, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut fields = Map::new();
            loop {
                match events.next().unwrap() {
                    Event::MappingEnd => return Value::from(fields),
                    Event::Scalar(key, ..) => {
                        let first = events.next().unwrap();
                        let twice = fields.insert(key.to_string(), node(first, events));
                        assert!(twice.is_none(), "{key} is there twice");
                    }
                    other => panic!("{other:?} is no key"),
                }
            }
        }
        other => panic!("{other:?}"),
    }
}

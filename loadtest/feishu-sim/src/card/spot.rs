//! One JSON object of a card and where it stands, so that every refusal can say where the fault is.

use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The card does not parse: a member is missing or has the wrong type or value.
const BROKEN: u32 = 200_621;

/// A tag or property that schema 2.0 does not know.
const UNSUPPORTED: u32 = 200_861;

/// A JSON object of a card.
pub(super) struct Spot<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Spot<'a> {
    pub(super) fn root(members: &'a Map<String, Value>) -> Self {
        Self { members, path: "ROOT".to_owned() }
    }

    pub(super) fn refuse(&self, sub_code: u32, detail: &str) -> Refusal {
        Refusal::content(sub_code, &format!("{detail}; ErrPath: {}", self.path))
    }

    pub(super) fn broken(&self, detail: &str) -> Refusal {
        self.refuse(BROKEN, detail)
    }

    pub(super) fn unsupported(&self, detail: &str) -> Refusal {
        self.refuse(UNSUPPORTED, detail)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str)
    }

    /// A member that has to be a string.
    pub(super) fn string(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional_string(name)?.ok_or_else(|| self.broken(&format!("{name} is missing")))
    }

    pub(super) fn optional_string(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.broken(&format!("{name} is no string"))),
        }
    }

    /// A member that has to be an object.
    pub(super) fn object(&self, name: &str) -> Result<Self, Refusal> {
        self.optional_object(name)?.ok_or_else(|| self.broken(&format!("{name} is missing")))
    }

    pub(super) fn optional_object(&self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => {
                Ok(Some(Self { members, path: format!("{} -> {name}", self.path) }))
            }
            Some(_) => Err(self.broken(&format!("{name} is no object"))),
        }
    }

    /// The objects of an array; none where the member is missing.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, Refusal> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.broken(&format!("{name} is no array"))),
        };
        let object = |(index, item): (usize, &'a Value)| {
            let members =
                item.as_object().ok_or_else(|| self.broken(&format!("{name}[{index}] is no object")))?;
            Ok(Self { members, path: format!("{} -> {name}[{index}]", self.path) })
        };
        items.iter().enumerate().map(object).collect()
    }

    /// A member that, where present, is one of these names.
    pub(super) fn one_of(&self, name: &str, names: &[&str]) -> Result<(), Refusal> {
        match self.optional_string(name)? {
            Some(found) if !names.contains(&found) => {
                Err(self.broken(&format!("{name} {found:?} is not supported")))
            }
            _ => Ok(()),
        }
    }

    /// Schema 2.0 takes no members but these.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.names().find(|name| !names.contains(name)) {
            Some(name) => Err(self.unsupported(&format!("unknown property {name}"))),
            None => Ok(()),
        }
    }
}

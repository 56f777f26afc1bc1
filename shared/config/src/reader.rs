//! Reads settings from the file and the environment, collecting every problem and every unknown key.

mod plural;

use std::cell::RefCell;
#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::path::PathBuf;

use super::Secret;
use super::environment::Environment;
use super::kinds::Must;
use super::problem::{Place, Problem};
use super::tree::{Entry, Node, Value};

/// How different a key may be from a known one to be taken for a slip of it.
const SLIP_DISTANCE_MAX: usize = 3;

/// Where settings come from, and what is wrong with them.
pub(super) struct Reader {
    pub environment: Environment,
    pub file_name: String,
    pub problems: RefCell<Vec<Problem>>,
    /// The files that secrets were read from.
    pub files: RefCell<Vec<PathBuf>>,
    /// The variables that the file uses, as `${NAME}`.
    pub expanded: RefCell<HashSet<String>>,
    /// Every setting that was asked for, by its path: what the registry of settings is held against.
    #[cfg(test)]
    pub asked: RefCell<BTreeMap<String, Asked>>,
}

/// How a setting was asked for.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub variable: Option<&'static str>,
    /// Whether a file may hold it.
    pub is_secret: bool,
}

/// One map of the file; absent parts of the file are empty maps.
pub(super) struct Section<'r> {
    reader: &'r Reader,
    entries: &'r [Entry],
    path: String,
    /// Where it begins; `None` where there is none.
    line: Option<usize>,
    known: RefCell<Vec<String>>,
}

/// A setting's key in the file and its variable, either of which may set it. The variable wins.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub file: &'static str,
    pub variable: Option<&'static str>,
}

/// A setting that only the file has.
pub(super) const fn key(file: &'static str) -> Key {
    Key { file, variable: None }
}

/// A setting that the file and a variable have.
pub(super) const fn key_or(file: &'static str, variable: &'static str) -> Key {
    Key { file, variable: Some(variable) }
}

/// A text and where it stood.
struct Found {
    text: String,
    place: Place,
}

impl Reader {
    pub(super) fn new(file_name: &str, environment: Environment) -> Self {
        Self {
            environment,
            file_name: file_name.to_owned(),
            problems: RefCell::default(),
            files: RefCell::default(),
            expanded: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    pub(super) fn report(&self, place: impl Into<Place>, message: impl Into<String>) {
        self.problems.borrow_mut().push(Problem::new(place, message));
    }

    pub(super) fn root<'r>(&'r self, tree: &'r Node) -> Section<'r> {
        Section::of(self, Some(tree), None, String::new())
    }

    /// Replaces each `${NAME}` by that variable's value.
    fn expand(&self, found: Found) -> Option<Found> {
        let mut expanded = String::with_capacity(found.text.len());
        let mut rest = found.text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else { break };
            self.expanded.borrow_mut().insert(name.to_owned());
            let Some(value) = self.environment.get(name) else {
                self.report(found.place, format!("${{{name}}} is not set"));
                return None;
            };
            expanded.push_str(before);
            expanded.push_str(value);
            rest = behind;
        }
        expanded.push_str(rest);
        Some(Found { text: expanded, place: found.place })
    }
}

impl<'r> Section<'r> {
    fn of(reader: &'r Reader, node: Option<&'r Node>, line: Option<usize>, path: String) -> Self {
        let entries = match node {
            None => [].as_slice(),
            Some(Node { value: Value::Map(entries), .. }) => entries,
            // `gate:` with nothing under it.
            Some(Node { value: Value::Text(text), .. }) if text.is_empty() => &[],
            Some(Node { line, value: Value::Text(_) | Value::List(_) }) => {
                let name = if path.is_empty() { "the file" } else { path.as_str() };
                reader.report(
                    Place::in_file(&reader.file_name, *line, ""),
                    format!("{name} must be a map of settings"),
                );
                &[]
            }
        };
        Self { reader, entries, path, line, known: RefCell::default() }
    }

    /// The map under `name`.
    pub(super) fn section(&self, name: &'static str) -> Section<'r> {
        let entry = self.entry(name);
        let line = entry.map(|entry| entry.line);
        Section::of(self.reader, entry.map(|entry| &entry.node), line, self.path_of(name))
    }

    /// Keeps in mind that a setting was asked for.
    #[cfg(test)]
    fn ask(&self, name: &str, variable: Option<&'static str>, is_secret: bool) {
        let mut asked = self.reader.asked.borrow_mut();
        let asked = asked.entry(self.path_of(name)).or_default();
        asked.variable = asked.variable.or(variable);
        asked.is_secret |= is_secret;
    }

    /// The maps under `name`, each by its own key.
    pub(super) fn sections(&self, name: &'static str) -> Vec<(String, Section<'r>)> {
        let parent = self.section(name);
        let each = |entry: &'r Entry| {
            parent.known.borrow_mut().push(entry.key.clone());
            let path = parent.path_of(&entry.key);
            (entry.key.clone(), Section::of(self.reader, Some(&entry.node), Some(entry.line), path))
        };
        parent.entries.iter().map(each).collect()
    }

    /// The setting, if it is set and right.
    pub(super) fn value<T>(&self, key: Key, kind: impl Fn(&str) -> Result<T, Must>) -> Option<T> {
        #[cfg(test)]
        self.ask(key.file, key.variable, false);
        let found = self.find(key)?;
        self.checked(&found, kind)
    }

    /// The items of a list: in the file a list or a text with commas, in a variable a text with commas.
    pub(super) fn values<T>(&self, key: Key, kind: impl Fn(&str) -> Result<T, Must>) -> Vec<T> {
        #[cfg(test)]
        self.ask(key.file, key.variable, false);
        let found = match self.entry(key.file).map(|entry| &entry.node) {
            Some(node)
                if matches!(node.value, Value::List(_))
                    && key.variable.and_then(|name| self.reader.environment.get(name)).is_none() =>
            {
                self.items(node, key.file)
            }
            _ => self.find(key).as_ref().map(split_at_commas).unwrap_or_default(),
        };
        found.iter().filter_map(|item| self.checked(item, &kind)).collect()
    }

    /// Whether something stands there, right or wrong, or in the file that it may be in instead: what is wrong with it is
    /// said where it is read, and is no reason to say that it is missing.
    pub(super) fn is_set(&self, key: Key) -> bool {
        let names = [key.file.to_owned(), format!("{}_file", key.file)];
        let has_text = |node: &Node| match &node.value {
            Value::Text(text) => !text.is_empty(),
            Value::List(_) | Value::Map(_) => true,
        };
        let is_there = |node: &Node| match &node.value {
            Value::List(items) => items.iter().any(has_text),
            Value::Text(_) | Value::Map(_) => has_text(node),
        };
        let in_file = self.entries.iter().any(|entry| names.contains(&entry.key) && is_there(&entry.node));
        let get = |name: &str| self.reader.environment.get(name);
        in_file
            || key.variable.is_some_and(|name| get(name).or_else(|| get(&format!("{name}_FILE"))).is_some())
    }

    /// A text exactly as it stands in the file, and where: nothing in it stands for a variable.
    pub(super) fn verbatim(&self, key: Key) -> Option<(String, Place)> {
        #[cfg(test)]
        self.ask(key.file, key.variable, false);
        let entry = self.entry(key.file)?;
        let place = self.place_of(&entry.node, key.file);
        match &entry.node.value {
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some((text.clone(), place)),
            Value::List(_) | Value::Map(_) => {
                self.reader.report(place, "must be a single value");
                None
            }
        }
    }

    /// A secret: the setting itself, or the content of the file that `KEY_file` (`VARIABLE_FILE`) names.
    pub(super) fn secret(&self, key: Key, kind: impl Fn(&str) -> Result<String, Must>) -> Option<Secret> {
        #[cfg(test)]
        self.ask(key.file, key.variable, true);
        let found = self.find(key).or_else(|| self.find_in_named_file(key));
        let Some(found) = found else {
            self.report_empty(key);
            return None;
        };
        self.checked(&found, kind).map(Secret::new)
    }

    /// Several secrets: a list, or a file with one a line.
    pub(super) fn secrets(&self, key: Key, kind: impl Fn(&str) -> Result<String, Must>) -> Vec<Secret> {
        #[cfg(test)]
        self.ask(key.file, key.variable, true);
        let mut secrets = self.values(key, &kind);
        if let Some(Found { text, place }) = self.find_in_named_file(key) {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let found = lines.map(|line| Found { text: line.to_owned(), place: place.clone() });
            secrets.extend(found.filter_map(|line| self.checked(&line, &kind)));
        }
        secrets.into_iter().map(Secret::new).collect()
    }

    /// Whoever writes a secret's key means to have one: an empty one is a template that was not filled in. A variable that is
    /// set but empty counts as not set, as everywhere.
    fn report_empty(&self, key: Key) {
        let is_empty = |node: &Node| matches!(&node.value, Value::Text(text) if text.is_empty());
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == key.file && is_empty(&entry.node))
        {
            self.reader.report(self.place_of(&entry.node, key.file), "is empty: set it, or remove the key");
        }
    }

    /// Where this map stands, for a problem with the whole of it.
    pub(super) fn place(&self) -> Place {
        match self.line {
            Some(line) => Place::in_file(&self.reader.file_name, line, &self.path),
            None => format!("{}: {}", self.reader.file_name, self.path).into(),
        }
    }

    /// Where what is under `name` stands, for a problem with the whole of it.
    pub(super) fn place_at(&self, name: &'static str) -> Place {
        let path = self.path_of(name);
        let entry = self.entries.iter().find(|entry| entry.key == name);
        match entry {
            Some(entry) => Place::in_file(&self.reader.file_name, entry.line, &path),
            None => path.into(),
        }
    }

    /// Refuses a key that stands elsewhere now, in words that say where.
    pub(super) fn refuse_moved(&self, name: &'static str, says: &str) {
        if self.entries.iter().any(|entry| entry.key == name) {
            self.known.borrow_mut().push(name.to_owned());
            self.reader.report(self.place_at(name), says);
        }
    }

    /// Reports every key of this map that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key)) {
            let nearest = nearest(known.iter().map(String::as_str), &entry.key);
            let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            let place = Place::in_file(&self.reader.file_name, entry.line, "");
            self.reader.report(place, format!("unknown key `{}`{hint}", self.path_of(&entry.key)));
        }
    }

    fn checked<T>(&self, found: &Found, kind: impl Fn(&str) -> Result<T, Must>) -> Option<T> {
        match kind(found.text.trim()) {
            Ok(value) => Some(value),
            Err(must) => {
                self.reader.report(found.place.clone(), format!("must be {must}"));
                None
            }
        }
    }

    fn find(&self, key: Key) -> Option<Found> {
        let entry = self.entry(key.file);
        if let Some((name, value)) =
            key.variable.and_then(|name| Some((name, self.reader.environment.get(name)?)))
        {
            return Some(Found { text: value.to_owned(), place: name.into() });
        }
        self.text_of(&entry?.node, key.file)
    }

    fn find_in_named_file(&self, key: Key) -> Option<Found> {
        let file_key = format!("{}_file", key.file);
        let variable = key.variable.map(|name| format!("{name}_FILE"));
        let entry = self.entry(&file_key);
        let from_variable = variable.and_then(|name| {
            let path = self.reader.environment.get(&name)?.to_owned();
            Some(Found { text: path, place: name.into() })
        });
        let path = from_variable.or_else(|| self.text_of(&entry?.node, &file_key))?;
        self.reader.files.borrow_mut().push(PathBuf::from(&path.text));
        match std::fs::read_to_string(&path.text) {
            // One that is not written yet, or a template that was not filled in: it is no secret, and would open a door.
            Ok(text) if text.trim().is_empty() => {
                self.reader.report(path.place, format!("{} is empty", path.text));
                None
            }
            Ok(text) => Some(Found { text: text.trim_end().to_owned(), place: path.place }),
            Err(error) => {
                self.reader.report(path.place, format!("cannot read {}: {error}", path.text));
                None
            }
        }
    }

    fn entry(&self, name: &str) -> Option<&'r Entry> {
        self.known.borrow_mut().push(name.to_owned());
        self.entries.iter().find(|entry| entry.key == name)
    }

    fn text_of(&self, node: &Node, name: &str) -> Option<Found> {
        let place = self.place_of(node, name);
        match &node.value {
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => self.reader.expand(Found { text: text.clone(), place }),
            Value::List(_) | Value::Map(_) => {
                self.reader.report(place, "must be a single value");
                None
            }
        }
    }

    fn place_of(&self, node: &Node, name: &str) -> Place {
        Place::in_file(&self.reader.file_name, node.line, &self.path_of(name))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// The known name that this one is probably a slip of.
pub(super) fn nearest<'n>(known: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    known
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .filter(|(distance, _)| *distance <= SLIP_DISTANCE_MAX)
        .min()
        .map(|(_, known)| known)
}

fn split_at_commas(found: &Found) -> Vec<Found> {
    let items = found.text.split([',', '，']).map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| Found { text: item.to_owned(), place: found.place.clone() }).collect()
}

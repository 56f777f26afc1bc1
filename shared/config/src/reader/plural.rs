//! Settings of which there are several: lists of texts, and maps whose keys are the operator's own.

use super::{Found, Key, Section, split_at_commas};
use crate::kinds::Must;
use crate::problem::Place;
use crate::tree::{self, Entry, Node, Value};

/// What stands in a path for keys that are the operator's own.
#[cfg(test)]
const ANY: &str = "*";

impl<'r> Section<'r> {
    /// The maps of the list under `name`, counted from one in their paths. Only the file has them.
    pub(crate) fn listed(&self, name: &'static str) -> Vec<Section<'r>> {
        #[cfg(test)]
        self.ask(name, None, false);
        let Some(Entry { line, node, .. }) = self.entry(name) else { return Vec::new() };
        let path = self.path_of(name);
        let item = |(index, node): (usize, &'r Node)| {
            Section::of(self.reader, Some(node), Some(node.line), format!("{path}.{}", index + 1))
        };
        match &node.value {
            Value::List(items) => items.iter().enumerate().map(item).collect(),
            Value::Text(text) if text.is_empty() => Vec::new(),
            Value::Text(_) | Value::Map(_) => {
                self.reader.report(Place::in_file(&self.reader.file_name, *line, &path), "must be a list");
                Vec::new()
            }
        }
    }

    /// The items of a list, or the one text there is; for texts with commas of their own. Only the file has them.
    pub(crate) fn texts<T>(&self, name: &'static str, kind: impl Fn(&str) -> Result<T, Must>) -> Vec<T> {
        #[cfg(test)]
        self.ask(name, None, false);
        let Some(entry) = self.entry(name) else { return Vec::new() };
        let found = self.items(&entry.node, name);
        found.iter().filter_map(|item| self.checked(item, &kind)).collect()
    }

    /// The values under `name`, each by its own key, in the order of the file.
    pub(crate) fn pairs<K, T>(
        &self,
        name: &'static str,
        key_kind: impl Fn(&str) -> Result<K, Must>,
        kind: impl Fn(&str) -> Result<T, Must>,
    ) -> Vec<(K, T)> {
        let parent = self.section(name);
        #[cfg(test)]
        parent.ask(ANY, None, false);
        let pair = |entry: &Entry| {
            let value = parent.text_of(&entry.node, &entry.key);
            Some((parent.key_of(entry, &key_kind)?, parent.checked(&value?, &kind)?))
        };
        parent.entries.iter().filter_map(pair).collect()
    }

    /// What each key under `name` and its value make together, in the order of the file, and `most` of them at most.
    pub(crate) fn rules<T>(
        &self,
        name: &'static str,
        most: usize,
        kind: impl Fn(&str, &str) -> Result<T, Must>,
    ) -> Vec<T> {
        let parent = self.section(name);
        #[cfg(test)]
        parent.ask(ANY, None, false);
        if parent.entries.len() > most {
            self.reader.report(parent.place(), format!("there may be at most {most}"));
        }
        let rule = |entry: &Entry| {
            let value = parent.text_of(&entry.node, &entry.key)?;
            parent.checked(&value, |value| kind(&entry.key, value))
        };
        parent.entries.iter().filter_map(rule).collect()
    }

    /// The lists under `name`, each by its own key: lists or texts with commas.
    pub(crate) fn lists<K, T>(
        &self,
        name: &'static str,
        key_kind: impl Fn(&str) -> Result<K, Must>,
        kind: impl Fn(&str) -> Result<T, Must>,
    ) -> Vec<(K, Vec<T>)> {
        self.section(name).own_lists(key_kind, kind)
    }

    /// The same, where a variable may hold the map: in YAML, which JSON and Python's dictionaries are as well.
    pub(crate) fn lists_or<K, T>(
        &self,
        key: Key,
        key_kind: impl Fn(&str) -> Result<K, Must>,
        kind: impl Fn(&str) -> Result<T, Must>,
    ) -> Vec<(K, Vec<T>)> {
        #[cfg(test)]
        self.ask(&format!("{}.{ANY}", key.file), key.variable, false);
        let set = key.variable.and_then(|name| Some((name, self.reader.environment.get(name)?)));
        let Some((name, text)) = set else { return self.lists(key.file, key_kind, kind) };
        // What the file has is known, and not used.
        let _known = self.entry(key.file);
        match tree::parse(text) {
            Ok(node) if matches!(node.value, Value::Map(_)) => {
                Section::of(self.reader, Some(&node), None, name.to_owned()).own_lists(key_kind, kind)
            }
            Ok(_) | Err(_) => {
                self.reader.report(name, "must be a map, such as {\"service\": \"user\"}");
                Vec::new()
            }
        }
    }

    /// The lists in this map, each by its own key: lists or texts with commas.
    pub(crate) fn own_lists<K, T>(
        &self,
        key_kind: impl Fn(&str) -> Result<K, Must>,
        kind: impl Fn(&str) -> Result<T, Must>,
    ) -> Vec<(K, Vec<T>)> {
        #[cfg(test)]
        self.ask(ANY, None, false);
        let list = |entry: &Entry| {
            let found = self.items(&entry.node, &entry.key);
            let items = found.iter().flat_map(split_at_commas);
            let items = items.filter_map(|item| self.checked(&item, &kind)).collect();
            Some((self.key_of(entry, &key_kind)?, items))
        };
        self.entries.iter().filter_map(list).collect()
    }

    /// Each item of a list, or the one text.
    pub(super) fn items(&self, node: &Node, name: &str) -> Vec<Found> {
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.text_of(item, name)).collect(),
            Value::Text(_) | Value::Map(_) => self.text_of(node, name).into_iter().collect(),
        }
    }

    /// The entry's own key, if it is right.
    fn key_of<K>(&self, entry: &Entry, kind: impl Fn(&str) -> Result<K, Must>) -> Option<K> {
        let place = Place::in_file(&self.reader.file_name, entry.line, &self.path_of(&entry.key));
        self.checked(&Found { text: entry.key.clone(), place }, kind)
    }
}

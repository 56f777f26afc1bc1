//! JSON of any shape as a tree of texts, for the formats that are told apart by what is deep inside. Pure.
//!
//! Like `lenient`, it makes nothing of what is odd: numbers and booleans are texts, and whatever is asked for and is not
//! there is `Node::Null`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How long a body may be that becomes a tree, in bytes: some thousand events of the largest senders. A tree takes
/// up to some fifty times the length of a body that is all brackets.
pub(super) const TREE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Node<'a> {
    /// `null`, or nothing at all.
    #[default]
    Null,
    /// A text, or a number or a boolean as text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object, its keys in the order they came.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// What is not there.
static NULL: Node<'static> = Node::Null;

impl<'a> Node<'a> {
    /// A body that is an object or an array, if it is one that may become a tree.
    pub(super) fn read(body: &'a str) -> Option<Self> {
        if body.len() > TREE_BYTES_MAX {
            return None;
        }
        serde_json::from_str(body).ok().filter(|node| matches!(node, Self::Map(_) | Self::List(_)))
    }

    /// The value under this key.
    pub(super) fn get(&self, key: &str) -> &Self {
        match self {
            Self::Map(pairs) => {
                // Of several values of one key the last one counts, as for most readers.
                pairs.iter().rev().find(|(known, _)| known == key).map_or(null(), |(_, value)| value)
            }
            Self::Null | Self::Text(_) | Self::List(_) => null(),
        }
    }

    /// The value under this key in the value under that one, and so on.
    pub(super) fn at(&self, path: &[&str]) -> &Self {
        path.iter().fold(self, |node, key| node.get(key))
    }

    /// What stands at a JSON pointer (RFC 6901), if there is such a place.
    pub(super) fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            node = match node {
                Self::Map(_) if node.has(&token) => node.get(&token),
                Self::List(items) => items.get(token.parse::<usize>().ok()?)?,
                Self::Null | Self::Text(_) | Self::Map(_) => return None,
            };
        }
        Some(node)
    }

    /// The first of these keys that holds something.
    pub(super) fn any(&self, keys: &[&str]) -> &Self {
        keys.iter().map(|key| self.get(key)).find(|node| !node.is_empty()).unwrap_or(null())
    }

    /// The text it is, without blanks around it; empty for anything else.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text.trim(),
            Self::Null | Self::List(_) | Self::Map(_) => "",
        }
    }

    /// The text it is, with the blanks around it.
    pub(super) fn whole_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Null | Self::List(_) | Self::Map(_) => "",
        }
    }

    /// The text under this key.
    pub(super) fn text_of(&self, key: &str) -> &str {
        self.get(key).text()
    }

    /// Whether there is such a key, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Map(pairs) if pairs.iter().any(|(known, _)| known == key))
    }

    /// Whether each of these keys is there.
    pub(super) fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.has(key))
    }

    /// Whether it is an object.
    pub(super) const fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(pairs) => pairs.is_empty(),
        }
    }

    /// The items of an array; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Null | Self::Text(_) | Self::Map(_) => &[],
        }
    }

    /// The pairs of an object; none of anything else.
    pub(super) fn pairs(&self) -> &[(Cow<'a, str>, Self)] {
        match self {
            Self::Map(pairs) => pairs,
            Self::Null | Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The pairs of an object whose values are texts that say something.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().iter().map(|(key, value)| (&**key, value.text())).filter(|(_, text)| !text.is_empty())
    }

    /// JSON that stands in a text, as some senders write it; itself where it is no text of JSON.
    pub(super) fn unpacked(&self) -> Cow<'_, Node<'_>> {
        let inner = match self {
            Self::Text(text) => Node::read(text),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        };
        inner.map_or(Cow::Borrowed(self), Cow::Owned)
    }
}

/// What is not there. A function, because a static of another lifetime has to be made shorter.
fn null<'n, 'a>() -> &'n Node<'a> {
    &NULL
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

/// Takes every kind of JSON value.
struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text)))
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Node<'de>, E> {
        self.visit_borrowed_str(if yes { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node<'de>, E> {
        self.visit_string(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node<'de>, E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node<'de>, E> {
        self.visit_string(number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, Node<'de>>()? {
            pairs.push((key, value));
        }
        pairs.shrink_to_fit();
        Ok(Node::Map(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(Node::List(items))
    }
}

/// A key, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_there_is_empty_and_scalars_are_texts() {
        let body = r#"{"a":{"b":[1,true,null,{"c":" x "}]},"n":1.5,"twice":1,"twice":2}"#;
        let node = Node::read(body).unwrap();
        let texts: Vec<_> = node.at(&["a", "b"]).items().iter().map(Node::text).collect();
        assert_eq!(texts, ["1", "true", "", ""]);
        assert_eq!(node.at(&["a", "b"]).items()[3].text_of("c"), "x");
        assert_eq!(
            (node.text_of("n"), node.text_of("twice"), node.at(&["n", "x", "y"]).text()),
            ("1.5", "2", "")
        );
        assert!(node.has("a") && !node.has("b") && node.any(&["z", "n"]).text() == "1.5");
        assert!(Node::read("5").is_none() && Node::read("{").is_none());
    }

    #[test]
    fn pointers_lead_into_objects_and_arrays() {
        let node = Node::read(r#"{"a":[{"b/c":"x","m~n":null}]}"#).unwrap();
        assert_eq!(node.pointer("/a/0/b~1c").map(Node::text), Some("x"));
        assert_eq!(node.pointer("/a/0/m~0n"), Some(&Node::Null));
        for nowhere in ["/a/1", "/a/x", "/b", "/a/0/b~1c/d"] {
            assert_eq!(node.pointer(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn json_in_a_text_is_unpacked() {
        let node = Node::read(r#"{"content":"{\"text\":\"down\"}","plain":"{down"}"#).unwrap();
        assert_eq!(node.get("content").unpacked().text_of("text"), "down");
        assert_eq!(node.get("plain").unpacked().text(), "{down");
    }
}

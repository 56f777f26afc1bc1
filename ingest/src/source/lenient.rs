//! Reading JSON that does not keep to its documentation. Each type takes what it can use and is empty otherwise,
//! so an odd field costs that field and never the alert. Pure.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use model::alert::{Fingerprint, Labels};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// How many people one payload may name; the rest is left out.
const NAMES_MAX: usize = 50;
/// How many items that say nothing a list keeps: a few bytes each in the body, hundreds in memory.
const BLANKS_MAX: usize = 100;
/// How many pairs of one object are kept; of those past it only a hash is.
const PAIRS_MAX: usize = 1024;
/// What stands between names, besides blanks and line feeds.
const SEPARATORS: [char; 9] = [',', '，', ';', '；', '、', '[', ']', '"', '\''];
/// How long one of those names may be, in bytes; a longer one is no name.
const NAME_BYTES_MAX: usize = 128;

/// Text as it came, a number or a boolean as text; empty for anything else.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

/// The pairs of an object that have a value. To Prometheus an empty label is the same as none.
#[derive(Debug, Default)]
pub(super) struct Pairs<'a>(pub(super) Labels<'a>);

/// The same pairs. Where some were too many, `annotations_left_out` among them says how many, and there is room for
/// `labels_left_out`: a number beside the pairs of each alert would take more memory than the few that need it.
#[derive(Debug, Default)]
pub(super) struct NotedPairs<'a>(pub(super) Labels<'a>);

/// Says on a card how many labels were too many.
pub(super) const LABELS_LEFT_OUT: &str = "labels_left_out";
/// Says on a card how many annotations were too many.
pub(super) const ANNOTATIONS_LEFT_OUT: &str = "annotations_left_out";
/// How many pairs these are.
pub(super) const LEFT_OUT_PAIRS: usize = 2;
/// How long both are together with their numbers, in bytes.
pub(super) const LEFT_OUT_BYTES: usize = 80;

/// The same pairs in full, sorted by name: nothing is cut before it is known who the alert is.
#[derive(Debug, Default)]
pub(super) struct AllPairs<'a> {
    pub(super) pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Stands for those past `PAIRS_MAX`, which are not kept.
    pub(super) beyond: Option<Fingerprint<'static>>,
}

/// Names from one text, with commas, semicolons, blanks or the like between them, or from an array of texts.
#[derive(Debug, Default)]
pub(super) struct Names<'a>(pub(super) Vec<Cow<'a, str>>);

/// The objects of an array. `items` is `None` where there is no array at all.
#[derive(Debug)]
pub(crate) struct List<T, const MAX: usize> {
    pub(crate) items: Option<Vec<T>>,
    /// How many there were past `MAX`: counted, not kept, so that memory stays bounded.
    pub(crate) beyond: usize,
    /// How many were no objects.
    pub(crate) odd: usize,
    /// How many said nothing and were not kept, because enough such had been.
    pub(crate) blank: usize,
}

/// What a list can hold.
pub(crate) trait Item {
    /// Whether nothing tells it from another like it.
    fn is_blank(&self) -> bool {
        false
    }
}

/// An object, or nothing.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self { items: None, beyond: 0, odd: 0, blank: 0 }
    }
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What a type makes of each kind of JSON value; of most it makes nothing.
trait Lenient<'de>: Default {
    fn from_text(_text: Cow<'de, str>) -> Self {
        Self::default()
    }

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'de: 'a, 'a> Lenient<'de> for Text<'a> {
    fn from_text(text: Cow<'de, str>) -> Self {
        Self(text)
    }
}

impl<'de: 'a, 'a> Lenient<'de> for Pairs<'a> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        counted(map).map(|(pairs, _)| Self(pairs))
    }
}

impl<'de: 'a, 'a> Lenient<'de> for NotedPairs<'a> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let (mut pairs, left_out) = counted(map)?;
        if left_out > 0 {
            let left_out = left_out + pairs.make_room(LEFT_OUT_PAIRS, LEFT_OUT_BYTES);
            pairs.insert_if_absent(ANNOTATIONS_LEFT_OUT.into(), left_out.to_string().into());
        }
        Ok(Self(pairs))
    }
}

/// The pairs of a map that have a value, and how many were too many.
fn counted<'de: 'a, 'a, A: MapAccess<'de>>(mut map: A) -> Result<(Labels<'a>, usize), A::Error> {
    let mut failure = None;
    let pairs = std::iter::from_fn(|| match map.next_entry::<Text<'de>, Text<'de>>() {
        Ok(entry) => entry.map(|(name, value)| (name.0, value.0)),
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    let counted = Labels::counted(pairs.filter(|(_, value)| !value.is_empty()));
    failure.map_or(Ok(counted), Err)
}

impl<'de: 'a, 'a> Lenient<'de> for AllPairs<'a> {
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut all = Self::default();
        while let Some((Text(name), Text(value))) = map.next_entry::<Text<'de>, Text<'de>>()? {
            if value.is_empty() {
                continue;
            }
            if all.pairs.len() < PAIRS_MAX {
                all.pairs.push((name, value));
            } else {
                let before = all.beyond.as_ref().map_or("", Fingerprint::as_str);
                all.beyond = Some(Fingerprint::of_pairs([("", before), (&*name, &*value)]));
            }
        }
        // Go writes maps sorted, so this is the exception. Of several values of one name the last one counts.
        if !all.pairs.is_sorted_by(|(before, _), (name, _)| before < name) {
            all.pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            all.pairs.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same {
                    std::mem::swap(later, earlier);
                }
                is_same
            });
        }
        Ok(all)
    }
}

impl<'de: 'a, 'a> Lenient<'de> for Names<'a> {
    fn from_text(text: Cow<'de, str>) -> Self {
        let mut names = Self::default();
        names.add(text);
        names
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut names = Self::default();
        while let Some(text) = seq.next_element::<Text<'de>>()? {
            names.add(text.0);
        }
        Ok(names)
    }
}

impl<'a> Names<'a> {
    fn add(&mut self, text: Cow<'a, str>) {
        let room = NAMES_MAX.saturating_sub(self.0.len());
        match text {
            Cow::Borrowed(text) => self.0.extend(names_in(text).take(room).map(Cow::Borrowed)),
            Cow::Owned(text) => self.0.extend(names_in(&text).take(room).map(|name| name.to_owned().into())),
        }
    }
}

/// A JSON array may come as text as well: its brackets and quotation marks separate names like anything else here.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let separates = |letter: char| letter.is_whitespace() || SEPARATORS.contains(&letter);
    text.split(separates).filter(|name| (1..=NAME_BYTES_MAX).contains(&name.len()))
}

impl<'de, T: Deserialize<'de> + Item, const MAX: usize> Lenient<'de> for List<T, MAX> {
    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        let mut list = Self::default();
        let mut blanks = 0;
        while items.len() + list.blank < MAX {
            match seq.next_element::<Object<T>>()? {
                Some(Object(Some(item))) if item.is_blank() && blanks == BLANKS_MAX => list.blank += 1,
                Some(Object(Some(item))) => {
                    blanks += usize::from(item.is_blank());
                    items.push(item);
                }
                Some(Object(None)) => list.odd += 1,
                None => return Ok(Self { items: Some(items), ..list }),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            list.beyond += 1;
        }
        Ok(Self { items: Some(items), ..list })
    }
}

impl<'de, T: Deserialize<'de>> Lenient<'de> for Object<T> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|item| Self(Some(item)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for NotedPairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for AllPairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de, T: Deserialize<'de> + Item, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// Takes every kind of JSON value and leaves it to `T` what to make of it.
struct AnyValue<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for AnyValue<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        Ok(T::from_text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<T, E> {
        Ok(T::from_text(Cow::Owned(text)))
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<T, E> {
        self.visit_borrowed_str(if yes { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_string(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_string(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_string(number.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::from_seq(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_borrows_what_has_no_escapes_and_spells_out_scalars() {
        assert!(matches!(read::<Text<'_>>(r#""plain""#).0, Cow::Borrowed("plain")));
        for (json, text) in [("1.0", "1"), ("-3", "-3"), ("true", "true"), ("null", ""), ("[1,[2]]", "")] {
            assert_eq!(read::<Text<'_>>(json).0, text, "{json}");
        }
        assert_eq!(read::<Text<'_>>("118446744073709551616").0, "118446744073709550000");
    }

    #[test]
    fn pairs_drop_what_has_no_value_and_keep_scalars() {
        let pairs = read::<Pairs<'_>>(r#"{"b":2,"a":"x","none":null,"empty":"","deep":{"k":[1]}}"#).0;
        assert_eq!(pairs.iter().collect::<Vec<_>>(), [("a", "x"), ("b", "2")]);
        assert!(read::<Pairs<'_>>(r#"["not", "an object"]"#).0.is_empty());
    }

    #[test]
    fn names_are_split_at_both_commas_and_read_from_arrays() {
        assert_eq!(read::<Names<'_>>(r#""wei, lan，  ,min""#).0, ["wei", "lan", "min"]);
        assert_eq!(read::<Names<'_>>(r#""wei;lan、min；a b\nc""#).0, ["wei", "lan", "min", "a", "b", "c"]);
        assert_eq!(read::<Names<'_>>(r#""[\"138\", '139']""#).0, ["138", "139"]);
        assert_eq!(read::<Names<'_>>(r#"["wei,lan", 13800138000, null]"#).0, ["wei", "lan", "13800138000"]);
    }

    impl Item for IgnoredAny {}
    impl Item for Pairs<'_> {
        fn is_blank(&self) -> bool {
            self.0.is_empty()
        }
    }

    #[test]
    fn a_list_keeps_its_objects_and_counts_what_is_past_its_limit() {
        let list = read::<List<IgnoredAny, 2>>(r#"[{}, null, "text", {}, {}, 5]"#);
        assert_eq!((list.items.map(|items| items.len()), list.beyond), (Some(2), 2));
        assert!(read::<List<IgnoredAny, 2>>(r#"{"0":{}}"#).items.is_none());
    }

    #[test]
    fn of_what_says_nothing_a_list_keeps_only_so_much() {
        let list = format!("[{}{{\"a\":1}}]", "{},".repeat(BLANKS_MAX + 7));
        let list = read::<List<Pairs<'_>, 1000>>(&list);
        assert_eq!((list.items.map(|items| items.len()), list.blank), (Some(BLANKS_MAX + 1), 7));
    }
}

//! A bounded, ordered set of name-value pairs: labels and annotations. Pure.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::owned;

/// How many pairs one set keeps; Prometheus users rarely have more than 30.
pub const LABELS_MAX: usize = 64;
/// How long one value may be, in bytes; the rest is cut and the cut is marked with `…`.
pub const LABEL_VALUE_BYTES_MAX: usize = 8 * 1024;
/// How large one set may be, names and values together, in bytes. Pairs that no longer fit are left out.
pub const LABELS_BYTES_MAX: usize = 32 * 1024;
/// As many labels are looked through in less time than a binary search takes.
const SCANNED_MAX: usize = 24;

const CUT_MARK: &str = "…";
/// What a pair that found no room may have taken: the longest value, and a name that nobody gives.
const PAIR_BYTES_MAX: usize = LABEL_VALUE_BYTES_MAX + 1024;

/// Pairs sorted by name, each name once. Whatever arrives is bounded on the way in: an oversized alert is
/// told with fewer labels rather than refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Labels<'a> {
    /// A set of pairs that are sorted by name, each name once. Of more than it keeps, those `is_wanted` come first.
    pub fn chosen(mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>, is_wanted: impl Fn(&str) -> bool) -> Self {
        let is_long = |(_, value): &(Cow<'_, str>, Cow<'_, str>)| value.len() > LABEL_VALUE_BYTES_MAX;
        let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        if pairs.len() <= LABELS_MAX && bytes <= LABELS_BYTES_MAX && !pairs.iter().any(is_long) {
            return Self(pairs);
        }
        pairs.sort_by_key(|(name, _)| !is_wanted(name));
        pairs.into_iter().collect()
    }

    /// The value under `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        // Of few names most are told apart by how long they are.
        let index = if self.0.len() <= SCANNED_MAX {
            self.0.iter().position(|(known, _)| known == name)?
        } else {
            self.0.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?
        };
        self.0.get(index).map(|(_, value)| value.as_ref())
    }

    /// The pairs in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a pair unless the name is taken or the set is full; says whether it was added.
    pub fn insert_if_absent(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> bool {
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(_) => false,
            Err(_) if self.0.len() >= LABELS_MAX => false,
            Err(index) => {
                let value = cut(value);
                let fits = self.bytes() + name.len() + value.len() <= LABELS_BYTES_MAX;
                if fits {
                    self.0.insert(index, (name, value));
                }
                fits
            }
        }
    }

    /// Whether it is certain that all of them are here as they were sent: none was left out, for their number or their
    /// size, and none was cut.
    pub fn are_whole(&self) -> bool {
        let is_cut = |value: &str| {
            value.ends_with(CUT_MARK) && value.len() + CUT_MARK.len() + 1 > LABEL_VALUE_BYTES_MAX
        };
        let may_lack_some = self.len() >= LABELS_MAX || self.bytes() + PAIR_BYTES_MAX > LABELS_BYTES_MAX;
        !may_lack_some && !self.iter().any(|(_, value)| is_cut(value))
    }

    /// Takes out the last pairs by name until so many others fit, of so many bytes together; says how many those were.
    pub fn make_room(&mut self, pairs: usize, bytes: usize) -> usize {
        let before = self.0.len();
        let is_full = |set: &Self| set.0.len() + pairs > LABELS_MAX || set.bytes() + bytes > LABELS_BYTES_MAX;
        while is_full(self) && self.0.pop().is_some() {}
        before - self.0.len()
    }

    /// The set of these pairs, and how many were left out because it was full. Of several values of one name the last
    /// one is kept, as JSON readers do.
    pub fn counted(pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> (Self, usize) {
        let mut kept: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        let mut left_out = 0;
        let mut bytes = 0_usize;
        let mut sorted = true;
        for (name, value) in pairs {
            let value = cut(value);
            let size = name.len() + value.len();
            if kept.len() >= LABELS_MAX || bytes + size > LABELS_BYTES_MAX {
                left_out += 1;
                continue;
            }
            bytes += size;
            // Go writes maps sorted, so the sort below is the exception.
            sorted &= kept.last().is_none_or(|(before, _)| *before < name);
            kept.push((name, value));
        }
        if !sorted {
            kept.sort_by(|(left, _), (right, _)| left.cmp(right));
            kept.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        (Self(kept), left_out)
    }

    fn bytes(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Copies whatever is still borrowed.
    pub fn into_owned(self) -> Labels<'static> {
        Labels(self.0.into_iter().map(|(name, value)| (owned(name), owned(value))).collect())
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Cow<'a, str>)> for Labels<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>>(pairs: I) -> Self {
        Self::counted(pairs).0
    }
}

fn cut(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.len() <= LABEL_VALUE_BYTES_MAX {
        return value;
    }
    let end = value.floor_char_boundary(LABEL_VALUE_BYTES_MAX - CUT_MARK.len());
    Cow::Owned(format!("{}{CUT_MARK}", &value[..end]))
}

impl<'de: 'a, 'a> Deserialize<'de> for Labels<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Labels<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object whose values are strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        std::iter::from_fn(|| map.next_entry::<Text<'de>, Text<'de>>().transpose())
            .map(|entry| entry.map(|(name, value)| (name.0, value.0)))
            .collect()
    }
}

/// A string that borrows from the input where it holds no escapes. serde does that for a field of type
/// `Cow`, but not for the keys and values of a map.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

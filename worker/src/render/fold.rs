//! Names, folded the way operators write them: `bj-web-[0001-0040]`, `checkout-7f9c6d8b5-{m8v2c,x2k4q}`,
//! `10.12.3.[4,7-19]:9100`. Exact: what is printed, expanded, is what was put in, each name as often. Pure.
//!
//! What is printed are pieces, with `, ` or a line feed between them. A piece is one of
//! - a name;
//! - `before[numbers]after`: numbers and ranges of numbers, which keep their leading zeros;
//! - `before{one,other}after`;
//! - `name ×3`: a name that was put in three times;
//! - `"name"`: a name with a character that has a meaning here; a `"` within it is doubled.

mod split;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::ops::Range;

use foldhash::fast::RandomState;

#[cfg(test)]
pub(super) use tests::expanded;

use super::icons::is_sign;
use super::name_map::NameMap;
use super::room::json_bytes;
use split::NameSplit;

/// Characters that mean something in what is printed.
const MEANT: [char; 8] = [',', '[', ']', '{', '}', '"', '×', '\n'];
/// Groups of digits of a name that are looked at: an IPv4 address with a port has five.
const DIGIT_GROUPS: usize = 5;
/// Between two pieces stands a comma and a blank, or, in JSON as long, a line feed.
const BETWEEN_BYTES: usize = 2;

/// Names, folded.
pub(super) struct FoldedNames<'n> {
    distinct: Vec<DistinctName<'n>>,
    /// Of each name that was put in, which of the distinct ones it is.
    distinct_of: Vec<usize>,
    /// In no order.
    pieces: Vec<FoldedPiece<'n>>,
    /// Of all pieces.
    members: Vec<PieceName<'n>>,
}

/// As many of the names as there was room for.
#[derive(Debug, Default)]
pub(super) struct NameList {
    pub(super) text: String,
    /// The positions of those that are not on it, in the order in which they were put in.
    pub(super) missing: Vec<usize>,
}

struct DistinctName<'n> {
    text: &'n str,
    times: usize,
    is_simple: bool,
    is_quoted: bool,
}

/// Names that share everything but one part.
struct FoldedPiece<'n> {
    shape: PieceShape,
    before: &'n str,
    after: &'n str,
    /// Where they are among the members of all pieces: at least one, in order.
    members: Range<usize>,
    /// How long it is, in JSON.
    bytes: usize,
}

/// A name that is in no piece yet.
#[derive(Clone, Copy)]
struct LooseName<'n> {
    name: usize,
    /// Where it is taken apart.
    split: NameSplit<'n>,
    /// Which names have the same around that.
    bucket: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceShape {
    Alone,
    Numbers,
    Endings,
}

/// The part in which a name differs from the others of its piece.
#[derive(Clone, Copy)]
struct PieceName<'n> {
    name: usize,
    text: &'n str,
    /// Zero where it is no number.
    number: u64,
}

impl<'n> FoldedNames<'n> {
    pub(super) fn of(names: &[&'n str]) -> Self {
        let mut known = NameMap::with_capacity_and_hasher(names.len(), RandomState::default());
        let mut distinct: Vec<DistinctName<'n>> = Vec::with_capacity(names.len());
        let mut distinct_of = Vec::with_capacity(names.len());
        for text in names {
            let index = *known.entry(*text).or_insert(distinct.len());
            if index == distinct.len() {
                distinct.push(DistinctName::of(text));
            }
            distinct[index].times += 1;
            distinct_of.push(index);
        }
        let members = Vec::with_capacity(distinct.len());
        let mut folded = Self { distinct, distinct_of, pieces: Vec::new(), members };
        folded.fold();
        folded
    }

    fn fold(&mut self) {
        let mut loose = Vec::with_capacity(self.distinct.len());
        for name in 0..self.distinct.len() {
            match &self.distinct[name] {
                one if one.is_foldable() => {
                    loose.push(LooseName { name, split: NameSplit::at_end(one.text), bucket: None });
                }
                _ => self.push_alone(name),
            }
        }
        let mut known = NameMap::with_capacity_and_hasher(loose.len(), RandomState::default());
        for _ in 0..DIGIT_GROUPS {
            self.fold_by(PieceShape::Numbers, &mut loose, &mut known, NameSplit::go_to_digits);
        }
        self.fold_by(PieceShape::Endings, &mut loose, &mut known, NameSplit::go_to_last_dash);
        self.fold_by(PieceShape::Endings, &mut loose, &mut known, NameSplit::go_to_first_dot);
        for one in loose {
            self.push_alone(one.name);
        }
    }

    /// Folds those of the names that share what stands around the part that is split off, and leaves the others.
    fn fold_by(
        &mut self,
        shape: PieceShape,
        loose: &mut Vec<LooseName<'n>>,
        known: &mut NameMap<(&'n str, &'n str), usize>,
        split: impl Fn(&mut NameSplit<'n>) -> bool,
    ) {
        known.clear();
        let mut counts: Vec<usize> = Vec::with_capacity(loose.len());
        let mut is_any_shared = false;
        for one in loose.iter_mut() {
            one.bucket = split(&mut one.split)
                .then(|| *known.entry((one.split.before(), one.split.after())).or_insert(counts.len()));
            match one.bucket {
                Some(bucket) if bucket == counts.len() => counts.push(1),
                Some(bucket) => {
                    counts[bucket] += 1;
                    is_any_shared = true;
                }
                None => {}
            }
        }
        // Most names of a crowd are alone in their bucket; only the others are worth a list.
        if !is_any_shared {
            return;
        }
        let is_shared = |one: &mut LooseName<'_>| one.bucket.is_some_and(|bucket| counts[bucket] > 1);
        let mut shared: Vec<_> = loose.extract_if(.., is_shared).collect();
        shared.sort_by_key(|one| one.bucket);
        let mut members = Vec::new();
        for bucket in shared.chunk_by(|one, other| one.bucket == other.bucket) {
            members.clear();
            members.extend(bucket.iter().map(|one| PieceName::of(shape, one)));
            let before = bucket[0].split.before();
            let after = bucket[0].split.after();
            for members in alike(shape, &mut members) {
                if let [alone] = members {
                    loose.extend(bucket.iter().find(|one| one.name == alone.name));
                    continue;
                }
                let start = self.members.len();
                self.members.extend_from_slice(members);
                let members = start..self.members.len();
                let mut piece = FoldedPiece { shape, before, after, members, bytes: 0 };
                piece.bytes = piece.growing(&self.members).last().unwrap_or(0);
                self.pieces.push(piece);
            }
        }
    }

    fn push_alone(&mut self, name: usize) {
        let one = &self.distinct[name];
        let bytes = one.bytes();
        let start = self.members.len();
        self.members.push(PieceName { name, text: one.text, number: 0 });
        let members = start..start + 1;
        self.pieces.push(FoldedPiece { shape: PieceShape::Alone, before: "", after: "", members, bytes });
    }

    /// How long all of them are, in JSON.
    pub(super) fn bytes(&self) -> usize {
        let pieces = self.pieces.iter().map(|piece| piece.bytes + BETWEEN_BYTES);
        pieces.sum::<usize>().saturating_sub(BETWEEN_BYTES)
    }

    /// As many of them as `bytes_max` bytes of JSON hold: what takes the least room for each name is taken first.
    pub(super) fn within(&self, bytes_max: usize) -> NameList {
        let all = || self.pieces.iter().map(|piece| (piece, piece.members.len()));
        let mut taken: Vec<_> =
            if self.bytes() <= bytes_max { all().collect() } else { self.taken(bytes_max) };
        taken.sort_unstable_by(|(one, _), (other, _)| natural(self.first(one), self.first(other)));
        self.list(&taken)
    }

    /// Pieces for which there is room, each with how many of its members.
    fn taken(&self, bytes_max: usize) -> Vec<(&FoldedPiece<'n>, usize)> {
        // A name that is not folded is taken in its turn, however short it is.
        let room_of_each = |piece: &FoldedPiece<'_>| match piece.shape {
            PieceShape::Alone => usize::MAX,
            PieceShape::Numbers | PieceShape::Endings => piece.bytes * 64 / piece.members.len(),
        };
        let by_room = |one: &&FoldedPiece<'n>, other: &&FoldedPiece<'n>| {
            let names = || natural(self.first(one), self.first(other));
            room_of_each(one).cmp(&room_of_each(other)).then_with(names)
        };
        let mut left = bytes_max + BETWEEN_BYTES;
        let mut first: Vec<_> = self.pieces.iter().collect();
        // However short they are, there is no room for more than these and a part of one; the others need no order.
        let shortest = first.iter().map(|piece| piece.bytes).min().unwrap_or(0);
        let most = left / (shortest + BETWEEN_BYTES);
        if most < first.len() {
            first.select_nth_unstable_by(most, by_room);
            first.truncate(most + 1);
        }
        first.sort_unstable_by(by_room);
        let mut taken = Vec::with_capacity(first.len());
        for piece in first {
            let Some(rest) = left.checked_sub(piece.bytes + BETWEEN_BYTES) else {
                let part = piece.part_within(&self.members, left.saturating_sub(BETWEEN_BYTES));
                taken.extend(Some((piece, part)).filter(|(_, part)| *part > 0));
                break;
            };
            left = rest;
            taken.push((piece, piece.members.len()));
        }
        taken
    }

    fn first(&self, piece: &FoldedPiece<'_>) -> &'n str {
        self.distinct[self.members[piece.members.start].name].text
    }

    /// The first so many members of each piece.
    fn list(&self, taken: &[(&FoldedPiece<'n>, usize)]) -> NameList {
        let mut text = String::new();
        let mut is_listed = vec![false; self.distinct.len()];
        let mut was_alone = true;
        for (piece, count) in taken {
            let members = &self.members[piece.members.clone()][..*count];
            let is_alone = members.len() == 1;
            if !text.is_empty() {
                text.push_str(if is_alone && was_alone { ", " } else { "\n" });
            }
            match members {
                [alone] => self.distinct[alone.name].write(&mut text),
                _ => piece.write(members, &mut text),
            }
            was_alone = is_alone;
            for member in members {
                is_listed[member.name] = true;
            }
        }
        let missing = self.distinct_of.iter().enumerate().filter(|(_, name)| !is_listed[**name]);
        NameList { text, missing: missing.map(|(position, _)| position).collect() }
    }
}

impl<'n> PieceName<'n> {
    fn of(shape: PieceShape, one: &LooseName<'n>) -> Self {
        let text = one.split.middle();
        let number = if shape == PieceShape::Numbers { text.parse().unwrap_or(0) } else { 0 };
        Self { name: one.name, text, number }
    }
}

/// Which bytes mean nothing, neither here nor in JSON: what almost every name consists of.
const SIMPLE: [bool; 256] = {
    let mut simple = [false; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        simple[byte as usize] = !matches!(byte, b',' | b'[' | b']' | b'{' | b'}' | b'"' | b'\\');
        byte += 1;
    }
    simple
};

/// Whether a name says that it is one by quotation marks.
fn is_quoted(text: &str) -> bool {
    // A sign of ours at the beginning of a line would be one.
    let begins_with_sign = text.starts_with(is_sign);
    begins_with_sign || text.is_empty() || text.contains(MEANT) || text.trim() != text
}

impl<'n> DistinctName<'n> {
    fn of(text: &'n str) -> Self {
        let is_simple = !text.is_empty() && text.bytes().all(|byte| SIMPLE[usize::from(byte)]);
        Self { text, times: 0, is_simple, is_quoted: !is_simple && is_quoted(text) }
    }

    fn is_foldable(&self) -> bool {
        self.times == 1 && !self.is_quoted
    }

    fn write(&self, text: &mut String) {
        if self.is_quoted {
            text.extend(["\"", &self.text.replace('"', "\"\""), "\""]);
        } else {
            text.push_str(self.text);
        }
        if self.times > 1 {
            text.extend([" ×", &self.times.to_string()]);
        }
    }

    fn bytes(&self) -> usize {
        if self.is_foldable() {
            return if self.is_simple { self.text.len() } else { json_bytes(self.text) };
        }
        let mut text = String::new();
        self.write(&mut text);
        json_bytes(&text)
    }
}

impl FoldedPiece<'_> {
    fn write(&self, members: &[PieceName<'_>], text: &mut String) {
        let is_numbers = self.shape == PieceShape::Numbers;
        text.extend([self.before, if is_numbers { "[" } else { "{" }]);
        let follows = |one: &PieceName<'_>, other: &PieceName<'_>| {
            is_numbers && one.number.checked_add(1) == Some(other.number)
        };
        for (index, range) in members.chunk_by(follows).enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(range[0].text);
            if let [_, .., last] = range {
                text.extend(["-", last.text]);
            }
        }
        text.extend([if is_numbers { "]" } else { "}" }, self.after]);
    }

    /// How many members fit.
    fn part_within(&self, members: &[PieceName<'_>], bytes_max: usize) -> usize {
        if self.members.len() == 1 {
            return 0;
        }
        self.growing(members).take_while(|bytes| *bytes <= bytes_max).count()
    }

    /// How long one member is, the first two, the first three …
    fn growing(&self, members: &[PieceName<'_>]) -> impl Iterator<Item = usize> {
        let around = json_bytes(self.before) + json_bytes(self.after) + "[]".len();
        let mut closed = around;
        let mut range: Option<(u64, usize, usize)> = None;
        members[self.members.clone()].iter().enumerate().map(move |(index, member)| {
            let length = json_bytes(member.text);
            range = match range {
                Some((last, first_bytes, _))
                    if self.shape == PieceShape::Numbers && last.checked_add(1) == Some(member.number) =>
                {
                    Some((member.number, first_bytes, 1 + length))
                }
                Some((_, first_bytes, last_bytes)) => {
                    closed += first_bytes + last_bytes;
                    Some((member.number, 1 + length, 0))
                }
                None => Some((member.number, length, 0)),
            };
            let (_, first_bytes, last_bytes) = range.unwrap_or_default();
            // One member is written without brackets.
            closed + first_bytes + last_bytes - if index == 0 { "[]".len() } else { 0 }
        })
    }
}

/// Members in order, apart where one pair of brackets cannot hold them: `[09-10]` says that numbers have two digits,
/// so `9` does not belong to it.
fn alike<'m, 'n>(
    shape: PieceShape,
    members: &'m mut [PieceName<'n>],
) -> impl Iterator<Item = &'m [PieceName<'n>]> {
    let is_padded = |text: &str| text.len() > 1 && text.starts_with('0');
    let padded = members.iter().filter(|member| shape == PieceShape::Numbers && is_padded(member.text));
    let widths = padded.fold(0_u32, |widths, member| widths | 1 << member.text.len());
    let width = move |member: &PieceName<'_>| match member.text.len() {
        length if widths != 0 && widths & 1 << length != 0 => length,
        _ => 0,
    };
    if shape == PieceShape::Numbers {
        members.sort_unstable_by_key(|member| (width(member), member.number));
    } else {
        members.sort_unstable_by_key(|member| member.text);
    }
    members.chunk_by(move |one, other| width(one) == width(other))
}

/// `web-2` before `web-10`: groups of digits by the number they are. Any two different names have an order.
pub(super) fn natural(one: &str, other: &str) -> Ordering {
    // What both begin with says nothing, but for the digits of a number that goes on.
    let common = one.bytes().zip(other.bytes()).take_while(|(first, second)| first == second).count();
    let digits = one.as_bytes()[..common].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let mut left = &one.as_bytes()[common - digits..];
    let mut right = &other.as_bytes()[common - digits..];
    while let ([first, ..], [second, ..]) = (left, right) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let numbers = (number(&mut left), number(&mut right));
            numbers.0.len().cmp(&numbers.1.len()).then_with(|| numbers.0.cmp(numbers.1))
        } else {
            let bytes = (*first, *second);
            (left, right) = (&left[1..], &right[1..]);
            bytes.0.cmp(&bytes.1)
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| one.cmp(other))
}

/// Takes the digits off that a text begins with, and returns them without the zeros they begin with.
fn number<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

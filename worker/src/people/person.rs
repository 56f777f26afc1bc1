//! Somebody, as alerts and settings call people. Pure.

use std::fmt;

/// A longer name is none.
const NAME_BYTES_MAX: usize = 128;
/// Digits of a number with its country's code (E.164).
const MOBILE_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;
/// Digits of a mainland number without it.
const MAINLAND_DIGITS: usize = 11;
const MAINLAND_CODE: &str = "86";
/// What asks for everybody.
const ALL: &str = "all";
/// What people and templates write where there is nobody; taken for a name it would hide the fallback.
const NOBODY: [&str; 6] = ["none", "null", "nil", "n/a", "-", "无"];
/// What an open id begins with.
const OPEN_ID: &str = "ou_";
/// What a union id begins with, which no mention takes on a card.
const UNION_ID: &str = "on_";
/// Parts of names of labels that call people by their names, or by their numbers.
const PEOPLES_LABELS: [&str; 9] =
    ["owner", "phone", "mobile", "at_name", "user", "contact", "oncall", "duty", "lead"];
/// Longer than any id Feishu gives.
const ID_BYTES_MAX: usize = 64;

/// Somebody, as far as the text says who.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    /// Everybody in the chat.
    All,
    /// Feishu's id, good for a mention as it is.
    OpenId(OpenId),
    /// A mobile number.
    Mobile(Mobile),
    /// A user name, or an e-mail address.
    Name(String),
}

/// An id of Feishu's that may stand in a mention anywhere: letters and digits only, so it cannot end the tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpenId(String);

/// An id that an operator gave, which may stand in a mention on cards.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserId(String);

/// A number with its country's code: personal data, which nothing shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mobile(String);

/// Whether a label calls somebody by a mobile, which no card shows. Any other label with as many digits is an id of
/// something, which somebody may need.
pub(crate) fn is_somebodys_number(name: &str, value: &str) -> bool {
    PEOPLES_LABELS.iter().any(|part| name.contains(part))
        && Person::split(value).any(|person| Mobile::parse(person.trim_start_matches(['@', ' '])).is_some())
}

impl fmt::Debug for Mobile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mobile(***)")
    }
}

impl Person {
    /// Whom a text means; `None` if nobody.
    pub fn parse(text: &str) -> Option<Self> {
        let text = without_at(text);
        let is_nobody = NOBODY.iter().any(|nobody| text.eq_ignore_ascii_case(nobody));
        if text.is_empty() || text.len() > NAME_BYTES_MAX || is_nobody {
            return None;
        }
        if text.eq_ignore_ascii_case(ALL) {
            return Some(Self::All);
        }
        let known = OpenId::parse(text).map(Self::OpenId).or_else(|| Mobile::parse(text).map(Self::Mobile));
        Some(known.unwrap_or_else(|| Self::Name(text.to_owned())))
    }

    /// The texts in a list, written with commas or semicolons of either kind, or as mentions one after the other
    /// (`@zhangsan @lisi`): a name may have blanks, and no `@` behind one.
    pub fn split(list: &str) -> impl Iterator<Item = &str> {
        let parts = list.split([',', '，', '、', ';', '；']);
        parts.flat_map(|part| part.split(" @")).flat_map(|part| part.split(" ＠"))
    }

    /// The address, if it is one.
    pub fn email(&self) -> Option<&str> {
        let Self::Name(name) = self else { return None };
        let (user, host) = name.split_once('@')?;
        (!user.is_empty() && host.contains('.')).then_some(name)
    }
}

/// What somebody is called, without what people write in front of it.
pub(super) fn without_at(text: &str) -> &str {
    text.trim().trim_start_matches(['@', '＠']).trim_start()
}

impl OpenId {
    /// The id, if the text is one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(OPEN_ID)?;
        let fits = !rest.is_empty()
            && text.len() <= ID_BYTES_MAX
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserId {
    /// The id, if the text can be one; `all` would mean everybody.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            && !text.eq_ignore_ascii_case(ALL)
            && ![OPEN_ID, UNION_ID].iter().any(|other| text.starts_with(other));
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Mobile {
    /// The number, if the text is one: with `+` and its country's code, or a mainland number with or without.
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
        let international = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"));
        let digits = international.unwrap_or(&plain);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mainland = |digits: &str| digits.len() == MAINLAND_DIGITS && digits.starts_with('1');
        let with_code = digits.strip_prefix(MAINLAND_CODE).is_some_and(mainland);
        if international.is_none() && mainland(digits) {
            return Some(Self(format!("+{MAINLAND_CODE}{digits}")));
        }
        let is_one = with_code || (international.is_some() && MOBILE_DIGITS.contains(&digits.len()));
        is_one.then(|| Self(format!("+{digits}")))
    }

    /// With `+` and the country's code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every form in which people write it down.
    pub fn forms(&self) -> Vec<&str> {
        let bare = self.0.trim_start_matches('+');
        let mut forms = vec![self.as_str(), bare];
        forms.extend(bare.strip_prefix(MAINLAND_CODE).filter(|rest| rest.len() == MAINLAND_DIGITS));
        forms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mobile(text: &str) -> Option<String> {
        Mobile::parse(text).map(|mobile| mobile.as_str().to_owned())
    }

    #[test]
    fn a_mobile_is_the_same_however_it_is_written() {
        for text in ["13800138000", "+8613800138000", "8613800138000", "+86 138-0013-8000", "008613800138000"]
        {
            assert_eq!(mobile(text).as_deref(), Some("+8613800138000"), "{text}");
        }
        assert_eq!(mobile("+1 (415) 555-0100").as_deref(), Some("+14155550100"));
        for text in ["12345", "23800138000", "+12", "13800138000x", "", "+"] {
            assert_eq!(mobile(text), None, "{text}");
        }
        let forms = Mobile::parse("13800138000").unwrap();
        assert_eq!(forms.forms(), ["+8613800138000", "8613800138000", "13800138000"]);
    }

    #[test]
    fn a_number_is_a_number_also_where_a_name_is_expected_and_is_not_shown_in_debug_output() {
        let person = Person::parse("13800138000").unwrap();
        assert!(matches!(person, Person::Mobile(_)));
        assert!(!format!("{person:?}").contains("138"));
    }

    #[test]
    fn what_could_end_a_tag_is_no_id() {
        for text in ["ou_1></at><at id=all", "ou_", "ou_a b", "ou_a\"", "ou_a,all", "xou_1", "ou_张"] {
            assert_eq!(OpenId::parse(text), None, "{text}");
            assert!(!matches!(Person::parse(text), Some(Person::OpenId(_))), "{text}");
        }
        for text in ["all", "ALL", "a b", "a>", "", "on_123", "ou_x-y", "a,b"] {
            assert_eq!(UserId::parse(text), None, "{text}");
        }
        assert_eq!(
            Person::parse("ou_7d8a6e6df7621556ce0d21922b676706ccs")
                .map(|person| format!("{person:?}"))
                .as_deref(),
            Some("OpenId(OpenId(\"ou_7d8a6e6df7621556ce0d21922b676706ccs\"))")
        );
    }

    #[test]
    fn what_stands_for_nobody_is_nobody() {
        for text in ["", " @ ", "none", "None", "NULL", " n/a ", "-", "无"] {
            assert_eq!(Person::parse(text), None, "{text:?}");
        }
        assert_eq!(Person::parse("nonna"), Some(Person::Name("nonna".to_owned())));
    }

    #[test]
    fn lists_are_written_with_commas_of_both_kinds() {
        let people: Vec<_> =
            Person::split("zhangsan; @lisi，All、, a@b.example").filter_map(Person::parse).collect();
        let name = |name: &str| Person::Name(name.to_owned());
        assert_eq!(people, [name("zhangsan"), name("lisi"), Person::All, name("a@b.example")]);
        assert_eq!(people[3].email(), Some("a@b.example"));
        assert_eq!(people[0].email(), None);
        for mentions in ["@ann @Bob Lee ＠eve", " @ann  @Bob Lee；eve "] {
            let people: Vec<_> = Person::split(mentions).filter_map(Person::parse).collect();
            assert_eq!(
                people,
                ["ann", "Bob Lee", "eve"].map(|one| Person::Name(one.to_owned())),
                "{mentions}"
            );
        }
    }
}

//! Somebody as the user table has them. Pure.

use std::fmt;

use crate::people::mentions::Identity;
use crate::people::person::{Mobile, OpenId, Person, UserId};

/// One row, its columns as text.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct UserRow {
    pub(crate) username: String,
    pub(crate) nickname: String,
    pub(crate) mobile: Option<Mobile>,
    /// Without the prefix of the operators' own.
    pub(crate) id: String,
}

impl fmt::Debug for UserRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest is personal data.
        write!(formatter, "Row({})", self.username)
    }
}

impl UserRow {
    /// Reads the four columns.
    pub(crate) fn of(columns: [Option<String>; 4], id_prefix: &str) -> Self {
        let [username, nickname, mobile, id] = columns.map(|text| text.unwrap_or_default().trim().to_owned());
        let id = id.strip_prefix(id_prefix).unwrap_or(&id).to_owned();
        Self { username, nickname, mobile: Mobile::parse(&mobile), id }
    }

    /// Whether this is who is meant.
    pub(crate) fn is(&self, person: &Person) -> bool {
        match person {
            Person::Name(name) => self.username.to_lowercase() == name.to_lowercase(),
            Person::Mobile(mobile) => self.mobile.as_ref() == Some(mobile),
            Person::All | Person::OpenId(_) => false,
        }
    }

    /// What can be said of them on a card.
    pub(crate) fn identity(&self) -> Identity {
        // A number that somebody goes by is a number all the same.
        let names = [&self.nickname, &self.username].into_iter();
        let name = names.filter(|name| !name.is_empty()).find(|name| Mobile::parse(name).is_none());
        Identity { open_id: OpenId::parse(&self.id), user_id: UserId::parse(&self.id), name: name.cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> UserRow {
        let columns = ["Ann", " 安 ", "13800138000", id].map(|text| Some(text.to_owned()));
        UserRow::of(columns, "feishu_")
    }

    #[test]
    fn an_id_loses_the_prefix_and_is_the_kind_it_looks_like() {
        let ids = |id| (row(id).identity().open_id.is_some(), row(id).identity().user_id.is_some());
        assert_eq!(ids("feishu_ou_1a2b"), (true, false));
        assert_eq!(ids("ou_1a2b"), (true, false));
        assert_eq!(ids("feishu_7ab3c"), (false, true));
        for nobody in ["", "all", "feishu_all", "feishu_ALL", "a b", "ou_x><at id=all", "on_union"] {
            assert_eq!(ids(nobody), (false, false), "{nobody}");
        }
    }

    #[test]
    fn somebody_is_found_by_name_in_any_case_and_by_mobile_in_any_form() {
        let ann = row("ou_1");
        for text in ["ann", "ANN", "+86 138 0013 8000", "8613800138000"] {
            assert!(ann.is(&Person::parse(text).unwrap()), "{text}");
        }
        for text in ["anna", "all", "ou_1", "13800138001"] {
            assert!(!ann.is(&Person::parse(text).unwrap()), "{text}");
        }
        assert_eq!(ann.identity().name.as_deref(), Some("安"));
        assert!(!format!("{ann:?}").contains("138"));
    }

    #[test]
    fn nobody_is_called_by_a_number() {
        let columns = [Some("13800138000".to_owned()), None, None, None];
        assert_eq!(UserRow::of(columns, "").identity().name, None);
    }
}

//! Ids of people by mobile and e-mail (reference "Feishu", 5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Mobiles, and e-mails, that one call takes.
const PER_CALL: usize = 50;
/// Numbers of mainland China are known without their country's code.
const HOME: &str = "+86";

/// Whom to look up.
#[derive(Clone, Debug, Default)]
pub struct People {
    /// Mobiles; outside mainland China with `+` and the country's code.
    pub mobiles: Vec<String>,
    /// Contact e-mails; addresses of an enterprise mailbox are not found.
    pub emails: Vec<String>,
}

/// What one call asks for.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Question<'p> {
    mobiles: &'p [String],
    emails: &'p [String],
}

#[derive(Deserialize)]
struct ContactsAnswer {
    data: ContactsData,
}

#[derive(Deserialize)]
struct ContactsData {
    #[serde(default)]
    user_list: Vec<ContactRow>,
}

#[derive(Deserialize)]
struct ContactRow {
    /// Missing, null or empty where the person is unknown or hidden.
    user_id: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
}

impl People {
    /// The calls it takes.
    pub(super) fn questions(&self) -> impl Iterator<Item = Question<'_>> {
        let calls = self.mobiles.len().max(self.emails.len()).div_ceil(PER_CALL);
        (0..calls).map(|call| Question {
            mobiles: self.mobiles.chunks(PER_CALL).nth(call).unwrap_or_default(),
            emails: self.emails.chunks(PER_CALL).nth(call).unwrap_or_default(),
        })
    }
}

impl Question<'_> {
    /// Who was found, as they were asked for. Rows are matched by what they repeat: their order means nothing.
    pub(super) fn found(&self, answer: &[u8]) -> serde_json::Result<BTreeMap<String, String>> {
        let rows = serde_json::from_slice::<ContactsAnswer>(answer)?.data.user_list;
        let known = rows.into_iter().filter_map(|row| {
            let id = row.user_id.filter(|id| !id.is_empty())?;
            Some((echoed(&row.mobile.or(row.email)?), id))
        });
        let known: BTreeMap<String, String> = known.collect();
        let asked = self.mobiles.iter().chain(self.emails);
        Ok(asked.filter_map(|asked| Some((asked.clone(), known.get(&echoed(asked))?.clone()))).collect())
    }
}

/// What is asked for in the form in which rows are compared: it is not promised that a mainland number is repeated with the
/// country's code it was asked with.
fn echoed(asked: &str) -> String {
    asked.strip_prefix(HOME).unwrap_or(asked).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_of_each_are_asked_for_at_once() {
        let many = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
        let people = People { mobiles: many(101), emails: many(50) };
        let sizes: Vec<_> =
            people.questions().map(|asked| (asked.mobiles.len(), asked.emails.len())).collect();
        assert_eq!(sizes, [(50, 50), (50, 0), (1, 0)]);
        assert_eq!(People::default().questions().count(), 0);
    }

    #[test]
    fn people_are_matched_by_what_was_asked_and_unknown_ones_are_left_out() {
        let mobiles = ["1".to_owned(), "2".to_owned()];
        let emails = ["Ann@corp.example".to_owned()];
        let asked = Question { mobiles: &mobiles, emails: &emails };
        let answer = br#"{"code":0,"data":{"user_list":[
            {"user_id":"ou_ann","email":"ann@corp.example"},{"mobile":"1"},
            {"user_id":"","mobile":"2"},{"user_id":null,"mobile":"1"},{"user_id":"ou_other","mobile":"3"}]}}"#;
        let found = asked.found(answer).unwrap();
        assert_eq!(found, BTreeMap::from([("Ann@corp.example".to_owned(), "ou_ann".to_owned())]));
    }

    #[test]
    fn a_number_is_recognised_without_the_code_it_was_asked_with() {
        let mobiles = ["+8613800138000".to_owned(), "+13800138000".to_owned()];
        let asked = Question { mobiles: &mobiles, emails: &[] };
        let answer = br#"{"data":{"user_list":[{"user_id":"ou_1","mobile":"13800138000"}]}}"#;
        let found = asked.found(answer).unwrap();
        assert_eq!(found, BTreeMap::from([("+8613800138000".to_owned(), "ou_1".to_owned())]));
    }
}

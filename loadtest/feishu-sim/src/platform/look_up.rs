//! Ids of people by mobile and e-mail.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{ApiRequest, Given, Platform, Stop};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::settings::UserSettings;

/// Mobiles, and e-mails, in one call.
const ASKED_MAX: usize = 50;

/// Numbers of mainland China are known without their country's code.
const HOME: &str = "+86";

impl Platform {
    pub(super) fn look_up(
        &self,
        fields: &Fields,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        match request.id_type.as_deref() {
            None | Some("open_id") => {}
            Some("union_id" | "user_id") => {
                return Err(Refusal::field("user_id_type: the simulator has open_id only").into());
            }
            Some(_) => return Err(Refusal::field("user_id_type is none of its options").into()),
        }
        let emails = fields.texts("emails", ASKED_MAX)?;
        let mobiles = fields.texts("mobiles", ASKED_MAX)?;
        if !self.apps.get(&record.token).is_some_and(|app| app.settings.may_look_up) {
            let told = "Access denied. One of the following scopes is required: [contact:user.id:readonly]";
            return Err(Refusal::new(99_991_672, told).into());
        }
        let with_resigned = fields.flag("include_resigned")?;
        let found = |is: &dyn Fn(&UserSettings) -> bool| {
            self.users.iter().find(|user| is(user) && (with_resigned || !user.resigned))
        };
        let by_email = emails.into_iter().map(|email| {
            let is = |user: &UserSettings| {
                user.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email))
            };
            row("email", email, found(&is))
        });
        let by_mobile = mobiles.into_iter().map(|mobile| {
            let number = mobile.strip_prefix(HOME).unwrap_or(mobile);
            row("mobile", mobile, found(&|user| user.mobile.as_deref() == Some(number)))
        });
        let rows: Vec<Value> = by_mobile.chain(by_email).collect();
        record.verdict = Verdict::Answered;
        Ok(Given::data(&json!({"user_list": rows}), false))
    }
}

/// Somebody unknown is no error: the row only lacks the id.
fn row(name: &str, asked: &str, user: Option<&UserSettings>) -> Value {
    match user {
        Some(user) => json!({"user_id": user.open_id, name: asked}),
        None => json!({name: asked}),
    }
}

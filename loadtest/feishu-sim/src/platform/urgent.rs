//! Urgent pushes (加急): people of the chat are called about a message of the app's own.

use serde_json::json;

use super::fields::Fields;
use super::{ApiRequest, Given, Platform, Stop};
use crate::call::Call;
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;

/// People one push calls.
const PEOPLE_MAX: usize = 200;
/// Urgent messages that somebody has not read before no more are taken for them.
const UNREAD_MAX: usize = 200;

impl Platform {
    pub(super) fn urge(
        &mut self,
        fields: &Fields,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        match request.id_type.as_deref() {
            Some("open_id") => {}
            Some("union_id" | "user_id") => {
                return Err(Refusal::field("user_id_type: the simulator has open_id only").into());
            }
            _ => return Err(Refusal::field("user_id_type is required and one of its options").into()),
        }
        let people = fields.texts("user_id_list", PEOPLE_MAX)?;
        if people.is_empty() {
            return Err(Refusal::field("user_id_list is required").into());
        }
        if !self.apps.get(&record.token).is_some_and(|app| app.settings.may_urge) {
            let told = "Access denied. One of the following scopes is required: [im:message.urgent]";
            return Err(Refusal::new(99_991_672, told).into());
        }
        let message = self.messages.get(request.subject.as_deref().unwrap_or_default())?;
        if message.app_id != record.token {
            return Err(Refusal::new(230_012, "The operator is not the message sender.").into());
        }
        record.chat_id = Some(message.chat_id.clone());
        let Some(chat) = self.chats.get(&message.chat_id) else {
            return Err(Refusal::new(232_009, "The chat is dissolved.").into());
        };
        chat.has(&record.token)?;
        if chat.settings.is_external {
            return Err(Refusal::new(230_027, "Lack of necessary permissions: the group is external.").into());
        }
        if !chat.settings.urgent {
            return Err(Refusal::new(230_052, "Bot has no permission to buzz in this group.").into());
        }
        let is_there = |id: &&str| chat.settings.members.contains(*id);
        let (called, invalid): (Vec<&str>, Vec<&str>) = people.into_iter().partition(is_there);
        if called.is_empty() {
            return Err(Refusal::invalid("user_id_list: all of them are invalid").into());
        }
        let is_away = |user: &&crate::settings::UserSettings| {
            called.contains(&user.open_id.as_str()) && (user.outside_app || user.resigned)
        };
        if self.users.iter().any(|user| is_away(&user)) {
            return Err(Refusal::new(230_013, "Bot has NO availability to this user.").into());
        }
        if called.iter().any(|id| self.unread_urgent.get(*id).is_some_and(|unread| *unread > UNREAD_MAX)) {
            return Err(Refusal::new(230_023, "The user has too many unread urgent messages.").into());
        }
        self.spend(request.call, &record.token, called.len())?;
        for id in &called {
            *self.unread_urgent.entry((*id).to_owned()).or_default() += 1;
        }
        record.verdict = Verdict::Answered;
        record.mentioned = called.into_iter().map(str::to_owned).collect();
        Ok(Given::data(&json!({ "invalid_user_id_list": invalid }), false))
    }

    /// What costs money comes out of the tenant's quota.
    fn spend(&mut self, call: Call, app_id: &str, people: usize) -> Result<(), Refusal> {
        let Some(app) = self.apps.get_mut(app_id) else { return Ok(()) };
        let left = if call == Call::UrgentSms {
            &mut app.settings.sms_left
        } else if call == Call::UrgentPhone {
            &mut app.settings.phone_left
        } else {
            return Ok(());
        };
        match left.checked_sub(people) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(Refusal::new(230_024, "The quota of urgent messages is used up.")),
        }
    }
}

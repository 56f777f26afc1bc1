//! A group chat with the bots and people in it.

use jiff::Timestamp;

use crate::audience::Audience;
use crate::refusal::Refusal;
use crate::settings::{ChatSettings, UserSettings};
use crate::window::Window;

pub(super) struct Chat {
    pub(super) settings: ChatSettings,
    /// Whom its messages can name: in an app's cards everybody of the tenant, by `open_id` or e-mail.
    pub(super) audience: Audience,
    window: Window,
}

impl Chat {
    pub(super) fn new(settings: ChatSettings, users: &[UserSettings]) -> Self {
        let ids = users.iter().map(|user| &user.open_id);
        let emails = users.iter().filter_map(|user| user.email.as_ref());
        let audience = Audience {
            known_ids: ids.chain(&settings.members).chain(emails).cloned().collect(),
            at_all: settings.at_all,
            ..Audience::default()
        };
        Self { settings, audience, window: Window::default() }
    }

    pub(super) fn has(&self, app_id: &str) -> Result<(), Refusal> {
        if self.settings.apps.contains(app_id) {
            Ok(())
        } else {
            Err(Refusal::new(230_002, "Bot/User can NOT be out of the chat."))
        }
    }

    /// Takes one more message. Says whether it exceeded a limit that is not enforced.
    pub(super) fn admit(&mut self, now: Timestamp) -> Result<bool, Refusal> {
        let limits = &self.settings.limits;
        let over_budget = !self.window.admits(limits, now);
        if over_budget && limits.enforced {
            return Err(Refusal::too_often_here("chat"));
        }
        self.window.note(limits, now);
        Ok(over_budget)
    }

    /// Of the people named in a message, those who are notified.
    pub(super) fn notified(&self, named: Vec<String>, users: &[UserSettings]) -> Vec<String> {
        let open_id = |id: String| {
            let of_mail = users.iter().find(|user| user.email.as_deref() == Some(&id));
            of_mail.map_or(id, |user| user.open_id.clone())
        };
        let members = &self.settings.members;
        named.into_iter().map(open_id).filter(|id| id == "all" || members.contains(id)).collect()
    }
}

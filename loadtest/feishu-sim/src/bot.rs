//! One simulated bot: its rules in the order the platform seems to apply them, and what it has to remember
//! for them.

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;

use crate::fault::FaultQueue;
use crate::message::{self, MessageContent};
use crate::refusal::Refusal;
use crate::settings::{BotSettings, Limits};
use crate::sign;
use crate::window::Window;

/// What a group takes from all bots in it. 300 is what 5 a second come to: the platform names no limit for the minute.
const GROUP_LIMITS: Limits = Limits { per_second: 5, per_minute: 300, enforced: true };

/// A request to a webhook, read from the wire.
pub(crate) struct HookRequest {
    pub(crate) token: String,
    pub(crate) peer: IpAddr,
    /// Whether the content type is JSON. Where it is not, the platform does not look for JSON.
    pub(crate) is_json: bool,
    pub(crate) body: Bytes,
}

/// A message that the bot shows in its group.
pub(crate) struct Accepted {
    pub(crate) mentioned: Vec<String>,
    /// It exceeded a limit that is not enforced.
    pub(crate) over_budget: bool,
}

pub(crate) struct Bot {
    pub(crate) settings: BotSettings,
    window: Window,
    pub(crate) faults: FaultQueue,
}

impl Bot {
    pub(crate) fn new(settings: BotSettings) -> Self {
        Self { settings, window: Window::default(), faults: FaultQueue::default() }
    }

    /// `group` is what the group has taken from all of its bots, where it has several.
    pub(crate) fn judge(
        &mut self,
        request: &HookRequest,
        group: Option<&mut Window>,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let settings = &self.settings;
        if !settings.allowed_ips.is_empty()
            && !settings.allowed_ips.iter().any(|rule| rule.admits(request.peer))
        {
            return Err(Refusal::ip());
        }
        if !request.is_json {
            return Err(Refusal::params("can't find msg_type"));
        }
        let body = message::parse(&request.body)?;
        let content = MessageContent::of(&body)?;
        if let Some(secret) = &settings.secret {
            sign::check(&body, secret, now)?;
        }
        if !settings.keywords.is_empty() && !content.contains_any(&settings.keywords) {
            return Err(Refusal::keywords());
        }
        let is_strict = settings.limits.enforced;
        let over_own = !self.window.admits(&settings.limits, now);
        if over_own && is_strict {
            return Err(Refusal::too_often());
        }
        let over_groups = group.as_ref().is_some_and(|group| !group.admits(&GROUP_LIMITS, now));
        if over_groups && is_strict {
            return Err(Refusal::too_often_in_group());
        }
        if let Some(group) = group {
            group.note(&GROUP_LIMITS, now);
        }
        // A message whose content turns out to be bad was still a message to the service that limits them.
        self.window.note(&settings.limits, now);
        let mentioned = content.check(&settings.audience)?;
        Ok(Accepted { mentioned, over_budget: over_own || over_groups })
    }
}

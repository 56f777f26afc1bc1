//! The simulated tenant: its group chats and its people.

use std::collections::BTreeSet;

use super::Limits;

/// One group chat.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the platform's own")]
pub struct ChatSettings {
    pub(crate) chat_id: String,
    pub(crate) apps: BTreeSet<String>,
    pub(crate) members: BTreeSet<String>,
    pub(crate) at_all: bool,
    pub(crate) urgent: bool,
    pub(crate) is_external: bool,
    pub(crate) threads: bool,
    pub(crate) limits: Limits,
}

impl ChatSettings {
    /// An empty group that lets bots mention everybody, allows threads and takes 5 messages a second, from all bots
    /// together.
    pub fn new(chat_id: impl Into<String>) -> Self {
        Self {
            chat_id: chat_id.into(),
            apps: BTreeSet::new(),
            members: BTreeSet::new(),
            at_all: true,
            urgent: true,
            is_external: false,
            threads: true,
            // 300 is what 5 a second come to: the platform names no limit for the minute.
            limits: Limits { per_second: 5, per_minute: 300, enforced: true },
        }
    }

    /// Adds the bot of an app.
    #[must_use]
    pub fn app(mut self, app_id: impl Into<String>) -> Self {
        self.apps.insert(app_id.into());
        self
    }

    /// Adds a person by `open_id`; only members are notified when a message mentions them.
    #[must_use]
    pub fn member(mut self, open_id: impl Into<String>) -> Self {
        self.members.insert(open_id.into());
        self
    }

    /// Lets only the group's admins mention everybody.
    #[must_use]
    pub fn forbid_at_all(mut self) -> Self {
        self.at_all = false;
        self
    }

    /// Lets only the group's admins make urgent pushes.
    #[must_use]
    pub fn forbid_urgent(mut self) -> Self {
        self.urgent = false;
        self
    }

    /// Makes it a group with people of other companies.
    #[must_use]
    pub fn external(mut self) -> Self {
        self.is_external = true;
        self
    }

    /// Allows no replies in threads.
    #[must_use]
    pub fn forbid_threads(mut self) -> Self {
        self.threads = false;
        self
    }

    /// Replaces the platform's limit for the group.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// One person of the tenant.
#[derive(Clone)]
pub struct UserSettings {
    pub(crate) open_id: String,
    pub(crate) mobile: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) resigned: bool,
    pub(crate) name: String,
    pub(crate) tenant_key: String,
    pub(crate) outside_app: bool,
}

impl UserSettings {
    /// A person of the company `sim-tenant` without mobile and e-mail, who is called as their id.
    pub fn new(open_id: impl Into<String>) -> Self {
        let open_id = open_id.into();
        let name = open_id.clone();
        let tenant_key = "sim-tenant".to_owned();
        Self { open_id, mobile: None, email: None, resigned: false, name, tenant_key, outside_app: false }
    }

    /// What they are called.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Of another company.
    #[must_use]
    pub fn tenant_key(mut self, tenant_key: impl Into<String>) -> Self {
        self.tenant_key = tenant_key.into();
        self
    }

    /// Outside the availability of every app: nobody logs in to one as them.
    #[must_use]
    pub fn outside_app(mut self) -> Self {
        self.outside_app = true;
        self
    }

    /// The mobile: 11 digits in mainland China, elsewhere with `+` and the country's code.
    #[must_use]
    pub fn mobile(mut self, mobile: impl Into<String>) -> Self {
        self.mobile = Some(mobile.into());
        self
    }

    /// The contact e-mail, which is not the address of an enterprise mailbox.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Has left: found only where that is asked for.
    #[must_use]
    pub fn resigned(mut self) -> Self {
        self.resigned = true;
        self
    }
}

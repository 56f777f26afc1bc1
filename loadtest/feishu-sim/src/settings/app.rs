//! What a simulated app is set to, as in the developer console.

use super::Limits;

/// Urgent pushes of one kind that a tenant has where nothing else is set; the real number is the edition's.
const QUOTA: usize = 10_000;

/// One self-built app with a bot.
#[derive(Clone)]
pub struct AppSettings {
    pub(crate) app_id: String,
    pub(crate) secret: String,
    pub(crate) enabled: bool,
    pub(crate) may_look_up: bool,
    pub(crate) may_urge: bool,
    /// How many urgent pushes by text message, and by telephone, the tenant has left.
    pub(crate) sms_left: usize,
    pub(crate) phone_left: usize,
    pub(crate) redirect_urls: Vec<String>,
    pub(crate) limits: Limits,
}

impl AppSettings {
    /// An enabled app that may look people up, with the platform's limits of 50 calls a second and 1000 a minute for
    /// each kind of call.
    pub fn new(app_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            secret: secret.into(),
            enabled: true,
            may_look_up: true,
            may_urge: true,
            sms_left: QUOTA,
            phone_left: QUOTA,
            redirect_urls: Vec::new(),
            limits: Limits { per_second: 50, per_minute: 1000, enforced: true },
        }
    }

    /// Disables the app: it gets no token.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Takes the scope away that looking people up needs.
    #[must_use]
    pub fn without_contact_scope(mut self) -> Self {
        self.may_look_up = false;
        self
    }

    /// Takes the scopes away that urgent pushes need.
    #[must_use]
    pub fn without_urgent_scope(mut self) -> Self {
        self.may_urge = false;
        self
    }

    /// Leaves so many urgent pushes by text message, and by telephone: each person is one.
    #[must_use]
    pub fn urgent_quota(mut self, sms: usize, phone: usize) -> Self {
        self.sms_left = sms;
        self.phone_left = phone;
        self
    }

    /// Adds a URL that browsers may be sent back to after a log-in.
    #[must_use]
    pub fn redirect_url(mut self, url: impl Into<String>) -> Self {
        self.redirect_urls.push(url.into());
        self
    }

    /// Replaces the platform's limits for each kind of call.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

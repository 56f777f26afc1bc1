//! The open platform as apps see it: the gateway that knows tokens and counts calls, and behind it the services for
//! messages and contacts.

mod app;
mod chat;
mod content;
mod fields;
mod form;
mod image;
mod logins;
mod look_up;
mod membership;
mod message;
mod send;
mod token;
mod update;
mod urgent;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::{Fault, Lasting};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::settings::{AppSettings, ChatSettings, UserSettings};
use app::App;
use chat::Chat;
use fields::Fields;
use logins::Logins;
use message::Messages;

pub(crate) use logins::{Authorization, LoginRefusal};

/// The simulator has no app with this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no app {0:?}")]
pub struct UnknownApp(String);

/// A call of an app, read from the wire.
pub(crate) struct ApiRequest {
    pub(crate) call: Call,
    /// The message in the path, or the chat.
    pub(crate) subject: Option<String>,
    /// `receive_id_type` or `user_id_type` of the query.
    pub(crate) id_type: Option<String>,
    /// The whole query.
    pub(crate) query: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) is_json: bool,
    /// Of a body that is a form.
    pub(crate) boundary: Option<String>,
    pub(crate) body: Bytes,
}

/// How a call is to be answered.
pub(crate) enum ApiReply {
    Given(Value),
    Refused(Stop),
    Fault(Fault),
}

/// What a call gets when nothing is wrong with it.
struct Given {
    body: Value,
    /// It exceeded a limit that is not enforced.
    over_budget: bool,
}

impl Given {
    fn data(data: &Value, over_budget: bool) -> Self {
        Self { body: json!({"code": 0, "msg": "success", "data": data}), over_budget }
    }
}

/// Why a call does not get through.
pub(crate) enum Stop {
    Refused(Refusal),
    /// The gateway's own limit, which says when to come back.
    TooOften {
        reset_seconds: u64,
    },
}

impl Stop {
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::TooOften { .. } => Refusal::new(Refusal::GATEWAY, "request trigger frequency limit"),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub(crate) struct Platform {
    apps: BTreeMap<String, App>,
    chats: BTreeMap<String, Chat>,
    users: Vec<UserSettings>,
    messages: Messages,
    logins: Logins,
    images: u64,
    /// Urgent messages that nobody has read, by person.
    unread_urgent: BTreeMap<String, usize>,
}

impl Platform {
    pub(crate) fn new(apps: Vec<AppSettings>, chats: Vec<ChatSettings>, users: Vec<UserSettings>) -> Self {
        Self {
            apps: apps.into_iter().map(|app| (app.app_id.clone(), App::new(app))).collect(),
            chats: chats.into_iter().map(|chat| (chat.chat_id.clone(), Chat::new(chat, &users))).collect(),
            users,
            messages: Messages::default(),
            logins: Logins::default(),
            images: 0,
            unread_urgent: BTreeMap::new(),
        }
    }

    /// Judges a call and completes its record; the flag says whether what was accepted exceeded a limit that is not
    /// enforced.
    pub(crate) fn take(&mut self, request: &ApiRequest, record: &mut Record) -> (ApiReply, bool) {
        if !matches!(request.call, Call::Membership | Call::Members) {
            record.message_id.clone_from(&request.subject);
        }
        if let Some((app_id, app)) = self.caller(request) {
            record.token = app_id;
            record.fault = app.next_fault(request.call, record.at);
        }
        if let Some(fault) = &record.fault
            && !fault.is_judged()
        {
            return (ApiReply::Fault(fault.clone()), false);
        }
        let (reply, over_budget) = match self.judge(request, record) {
            Ok(given) => (ApiReply::Given(given.body), given.over_budget),
            Err(stop) => {
                record.verdict = Verdict::Refused(stop.refusal());
                (ApiReply::Refused(stop), false)
            }
        };
        // One that only keeps the answer back has no answer of its own.
        let instead = record.fault.clone().filter(|fault| fault.delay().is_none());
        (instead.map_or(reply, ApiReply::Fault), over_budget)
    }

    /// Scripts a fault for one kind of call by an app.
    pub(crate) fn fault(
        &mut self,
        app_id: &str,
        call: Call,
        fault: &Fault,
        lasting: Lasting,
        now: Timestamp,
    ) -> Result<(), UnknownApp> {
        self.app(app_id)?.script(call, fault.clone(), lasting, now);
        Ok(())
    }

    /// Clears the faults of one app, or of all of them.
    pub(crate) fn clear_faults(&mut self, app_id: Option<&str>) -> Result<(), UnknownApp> {
        match app_id {
            Some(app_id) => self.app(app_id)?.clear_faults(),
            None => self.apps.values_mut().for_each(App::clear_faults),
        }
        Ok(())
    }

    /// Takes a message out of its chat; says whether there was one.
    pub(crate) fn recall(&mut self, message_id: &str) -> bool {
        self.messages.recall(message_id)
    }

    /// Ends the life of every token the app has.
    pub(crate) fn expire_tokens(&mut self, app_id: &str, now: Timestamp) -> Result<(), UnknownApp> {
        self.app(app_id)?.tokens.expire(now);
        Ok(())
    }

    fn app(&mut self, app_id: &str) -> Result<&mut App, UnknownApp> {
        self.apps.get_mut(app_id).ok_or_else(|| UnknownApp(app_id.to_owned()))
    }

    /// The app that calls, as far as it can be told: also by a token that is no longer valid.
    fn caller(&mut self, request: &ApiRequest) -> Option<(String, &mut App)> {
        let app_id = if request.call == Call::Token {
            Fields::read(request).ok()?.text("app_id").ok()?.to_owned()
        } else {
            let token = request.authorization.as_deref()?.strip_prefix("Bearer ")?;
            self.apps.iter().find(|(_, app)| app.tokens.knows(token))?.0.clone()
        };
        let app = self.apps.get_mut(&app_id)?;
        Some((app_id, app))
    }

    fn judge(&mut self, request: &ApiRequest, record: &mut Record) -> Result<Given, Stop> {
        let over_budget = request.call != Call::Token && self.pass_gateway(request, record)?;
        // Not every call has a body.
        let fields = || Fields::read(request);
        let given = match request.call {
            Call::Token => self.token(&fields()?, record),
            Call::Send => self.send(&fields()?, request, record),
            Call::Reply => self.reply(&fields()?, request, record),
            Call::Update => self.update(&fields()?, request, record),
            Call::LookUp => self.look_up(&fields()?, request, record),
            Call::Membership => self.membership(request, record),
            Call::Members => self.members(request, record),
            Call::Upload => self.upload(request, record),
            Call::UrgentApp | Call::UrgentSms | Call::UrgentPhone => self.urge(&fields()?, request, record),
        }?;
        Ok(Given { over_budget: over_budget || given.over_budget, ..given })
    }

    /// Asking for a token is the one call that needs none. Says whether limits that are not enforced were exceeded.
    fn pass_gateway(&mut self, request: &ApiRequest, record: &Record) -> Result<bool, Stop> {
        token::check(request.authorization.as_deref())?;
        let (_, app) = self.caller(request).ok_or_else(token::invalid)?;
        app.admit(request, record.at)
    }
}

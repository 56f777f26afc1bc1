//! The calls an app bot makes, and where each of them lives.

use hyper::Method;
use serde::{Deserialize, Serialize};

/// A call of the open platform's API. Limits and faults are kept for each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `POST …/auth/v3/tenant_access_token/internal`
    Token,
    /// `POST …/im/v1/messages`
    Send,
    /// `POST …/im/v1/messages/:message_id/reply`
    Reply,
    /// `PATCH …/im/v1/messages/:message_id`
    Update,
    /// `POST …/contact/v3/users/batch_get_id`
    LookUp,
    /// `GET …/im/v1/chats/:chat_id/members/is_in_chat`
    Membership,
    /// `GET …/im/v1/chats/:chat_id/members`
    Members,
    /// `POST …/im/v1/images`
    Upload,
    /// `PATCH …/im/v1/messages/:message_id/urgent_app`
    UrgentApp,
    /// `PATCH …/im/v1/messages/:message_id/urgent_sms`
    UrgentSms,
    /// `PATCH …/im/v1/messages/:message_id/urgent_phone`
    UrgentPhone,
}

/// The message API, before the id.
const MESSAGES: &str = "im/v1/messages";
/// Who is in a chat, and whether the caller is: before its id, and behind it.
const CHATS: &str = "im/v1/chats/";
const IS_IN_CHAT: &str = "/members/is_in_chat";
const MEMBERS: &str = "/members";

/// Which call of an app this is, by method and path below `/open-apis/`, and the message or the chat it is about.
pub(crate) fn of<'a>(method: &Method, path: &'a str) -> Option<(Call, Option<&'a str>)> {
    match (method, path) {
        (&Method::POST, "auth/v3/tenant_access_token/internal") => return Some((Call::Token, None)),
        (&Method::POST, "contact/v3/users/batch_get_id") => return Some((Call::LookUp, None)),
        (&Method::POST, "im/v1/images") => return Some((Call::Upload, None)),
        (&Method::POST, MESSAGES) => return Some((Call::Send, None)),
        (&Method::GET, path) if let Some(rest) = path.strip_prefix(CHATS) => {
            let of = |ending, call| rest.strip_suffix(ending).map(|chat_id| (call, Some(chat_id)));
            return of(IS_IN_CHAT, Call::Membership).or_else(|| of(MEMBERS, Call::Members));
        }
        _ => {}
    }
    let rest = path.strip_prefix(MESSAGES)?.strip_prefix('/')?;
    match (method, rest.split_once('/')) {
        (&Method::PATCH, None) => Some((Call::Update, Some(rest))),
        (&Method::POST, Some((message_id, "reply"))) => Some((Call::Reply, Some(message_id))),
        (&Method::PATCH, Some((message_id, "urgent_app"))) => Some((Call::UrgentApp, Some(message_id))),
        (&Method::PATCH, Some((message_id, "urgent_sms"))) => Some((Call::UrgentSms, Some(message_id))),
        (&Method::PATCH, Some((message_id, "urgent_phone"))) => Some((Call::UrgentPhone, Some(message_id))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_and_path_name_the_call_and_its_message() {
        assert_eq!(of(&Method::POST, "im/v1/messages"), Some((Call::Send, None)));
        assert_eq!(of(&Method::PATCH, "im/v1/messages/om_1"), Some((Call::Update, Some("om_1"))));
        assert_eq!(of(&Method::POST, "im/v1/messages/om_1/reply"), Some((Call::Reply, Some("om_1"))));
        assert_eq!(of(&Method::PUT, "im/v1/messages/om_1"), None, "cards are updated by PATCH");
        assert_eq!(of(&Method::POST, "im/v1/messagesom_1"), None);
        let urgent = "im/v1/messages/om_1/urgent_phone";
        assert_eq!(of(&Method::PATCH, urgent), Some((Call::UrgentPhone, Some("om_1"))));
        assert_eq!(of(&Method::POST, urgent), None, "people are called by PATCH");
        assert_eq!(of(&Method::GET, "im/v1/messages"), None);
        assert_eq!(of(&Method::POST, "im/v1/images"), Some((Call::Upload, None)));
        let is_in_chat = "im/v1/chats/oc_1/members/is_in_chat";
        assert_eq!(of(&Method::GET, is_in_chat), Some((Call::Membership, Some("oc_1"))));
        assert_eq!(of(&Method::POST, is_in_chat), None);
        assert_eq!(of(&Method::GET, "im/v1/chats/oc_1/members"), Some((Call::Members, Some("oc_1"))));
    }
}

//! A proxy in front that has seen to who somebody is, and says so in a header. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::HeaderName;
use runtime::telemetry::admin::PageRequest;

use crate::access::{ConsoleRole, Identity};

/// Which peers something holds for.
pub type PeerRule = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The longest name that a header may say, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Whose word is taken for who somebody is.
#[derive(Clone)]
pub struct TrustedHeader {
    /// The header with the name of whoever asks.
    pub name: HeaderName,
    /// From whom it is believed; from others it says nothing.
    pub is_from: PeerRule,
    /// Who of them may act; the others look.
    pub operators: BTreeSet<String>,
}

impl TrustedHeader {
    /// Who asks, if the proxy says so: once, and by the connection it was configured for.
    pub(crate) fn identity(&self, request: &PageRequest) -> Option<Identity> {
        if !(self.is_from)(request.peer.ip()) {
            return None;
        }
        let mut said = request.headers.get_all(&self.name).iter();
        let name = said.next().filter(|_| said.next().is_none())?;
        let name = std::str::from_utf8(name.as_bytes()).ok()?.trim();
        let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
        let is_operator = self.operators.contains(name);
        is_name.then(|| Identity {
            name: name.to_owned(),
            role: if is_operator { ConsoleRole::Operator } else { ConsoleRole::Viewer },
            form_token: String::new(),
            is_logged_in: false,
        })
    }
}

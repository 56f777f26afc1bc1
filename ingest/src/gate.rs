//! The checks a request passes before its body is believed, in their order. Pure: headers in, a verdict out.
//!
//! Where it comes from and what it shows come before the body is read, so that a stranger cannot make us hold one.
//! Any one credential of those accepted is enough. A signature needs the body, and is proven before the body is
//! parsed; the sender allowlist needs it parsed and comes last.

mod credentials;
mod failures;
mod forwarded;
mod origin;
mod signature;

use std::net::{IpAddr, SocketAddr};

use config::{Allowances, Credential, GateConfig, Network};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use jiff::Timestamp;
use thiserror::Error;

use crate::source::Endpoint;
use credentials::{Basic, Bearer, Rules, Senders};
pub use failures::Failures;
pub(crate) use failures::subscriber;
pub use origin::Origin;
pub use signature::Claim;
use signature::Signatures;

/// Where senders put a bearer key that cannot set `Authorization`.
const API_KEY: &str = "x-api-key";

/// What requests have to show, in the form it is compared in.
#[derive(Debug)]
pub struct Gate {
    allowed: Vec<Network>,
    proxies: Vec<Network>,
    proxy_protocol: bool,
    bearer: Bearer,
    basic: Basic,
    signatures: Signatures,
    rules: Rules,
    senders: Senders,
    allowances: Allowances,
}

/// How far the headers bring a request.
#[derive(Debug)]
pub enum Standing {
    /// It has shown all it has to.
    Proven,
    /// It is signed; `prove` has to see the body.
    Signed(Vec<Claim>),
}

/// What a request shows at all, whatever its path asks for.
#[derive(Debug, Default)]
pub struct Shown {
    /// The kinds of credentials that hold.
    kinds: Vec<Credential>,
    /// The body will show whether these do.
    claims: Vec<Claim>,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It showed no credentials, or the same kind several times.
    Missing,
    /// It showed some, but none that we know.
    Wrong,
    /// It was signed too long ago, or in the future.
    Expired,
    /// The receiver that its body names takes other credentials.
    ForReceiver,
}

/// Anybody who reaches this address could post alerts, and nobody said that this is meant.
#[derive(Debug, Error)]
#[error(
    "{listen} is open to the network, but no credentials are configured: set API_KEYS, BASIC_AUTH or HMAC_SECRETS, \
     listen on 127.0.0.1, or set `allow_unauthenticated: true`"
)]
pub struct Exposed {
    listen: SocketAddr,
}

impl Gate {
    /// Prepares what is configured.
    pub fn new(config: &GateConfig) -> Self {
        Self {
            allowed: config.allowed_ips.clone(),
            proxies: config.trusted_proxies.clone(),
            proxy_protocol: config.proxy_protocol,
            bearer: Bearer::new(&config.api_keys),
            basic: Basic::new(&config.basic_auth),
            signatures: Signatures::new(&config.hmac),
            rules: Rules::new(config),
            senders: Senders::new(&config.alert_bot_ids),
            allowances: config.allowances,
        }
    }

    /// Whether a connection from here has to begin with a PROXY protocol header.
    pub fn wants_proxy_header(&self, peer: IpAddr) -> bool {
        self.proxy_protocol && origin::is_within(peer, &self.proxies)
    }

    /// Who sent a request that came from `hop` with these headers.
    pub fn origin(&self, hop: Origin, headers: &HeaderMap) -> Origin {
        origin::origin(hop, headers, &self.proxies)
    }

    /// Whether requests may come from there. Where there is a list, an unknown client is not on it.
    pub fn admits_origin(&self, origin: Origin) -> bool {
        self.allowed.is_empty() || (origin.known && origin::is_within(origin.address, &self.allowed))
    }

    /// Whether the request shows a credential this endpoint accepts. Open if none is configured.
    pub fn check_credentials(
        &self,
        headers: &HeaderMap,
        endpoint: Endpoint,
        receiver: Option<&str>,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        let Some(accepted) = self.rules.accepted(endpoint, receiver) else { return Ok(Standing::Proven) };
        let Err(refusal) = self.check_authorization(headers, accepted) else { return Ok(Standing::Proven) };
        if !accepted.contains(&Credential::Hmac) {
            return Err(refusal);
        }
        match self.signatures.claims(headers, now)? {
            none if none.is_empty() => Err(refusal),
            claims => Ok(Standing::Signed(claims)),
        }
    }

    /// Whether this key of an address is one this endpoint accepts: by setting only, because addresses are written into logs.
    pub fn admits_key_in_url(&self, key: &str, endpoint: Endpoint, receiver: Option<&str>) -> bool {
        let accepted = self.rules.accepted(endpoint, receiver).unwrap_or_default();
        self.allowances.key_in_url
            && accepted.contains(&Credential::Bearer)
            && self.bearer.knows("bearer", key.as_bytes())
    }

    /// Whether some receiver has a rule of its own. It holds for whoever only a body names as well.
    pub fn has_receiver_rules(&self) -> bool {
        self.rules.has_receivers()
    }

    /// What a request shows, and `key` if it has one in its address: for the receiver that its body will name.
    pub fn shown(&self, headers: &HeaderMap, key: Option<&str>, now: Timestamp) -> Shown {
        let is_shown = |kind: &Credential| match kind {
            Credential::Bearer => {
                let in_url = key.filter(|_| self.allowances.key_in_url);
                in_url.is_some_and(|key| self.bearer.knows("bearer", key.as_bytes()))
                    || self.check_authorization(headers, &[Credential::Bearer]).is_ok()
            }
            Credential::Basic => self.check_authorization(headers, &[Credential::Basic]).is_ok(),
            Credential::Hmac => false,
        };
        let kinds = [Credential::Bearer, Credential::Basic].into_iter().filter(is_shown).collect();
        // A signature that cannot be right is none: the path was content with something else.
        Shown { kinds, claims: self.signatures.claims(headers, now).unwrap_or_default() }
    }

    /// Whether what was shown is enough for a receiver that the body names; `body` as it was signed.
    pub fn check_receiver(&self, receiver: &str, shown: &Shown, body: &[u8]) -> Result<(), Refusal> {
        let Some(accepted) = self.rules.of_receiver(receiver) else { return Ok(()) };
        let is_signed = || accepted.contains(&Credential::Hmac) && self.signatures.prove(&shown.claims, body);
        if shown.kinds.iter().any(|kind| accepted.contains(kind)) || is_signed() {
            Ok(())
        } else {
            Err(Refusal::ForReceiver)
        }
    }

    /// Whether whoever knows the webhook of this receiver's bot needs to show nothing else: unless a rule for it asks.
    pub fn admits_hook_of(&self, receiver: &str) -> bool {
        self.rules.of_receiver(receiver).is_none()
    }

    /// Whether text that is no JSON is somebody's alert.
    pub const fn accepts_text(&self) -> bool {
        self.allowances.accept_text
    }

    /// Whether this body, byte for byte, is what was signed.
    pub fn prove(&self, standing: &Standing, body: &[u8]) -> Result<(), Refusal> {
        match standing {
            Standing::Proven => Ok(()),
            Standing::Signed(claims) if self.signatures.prove(claims, body) => Ok(()),
            Standing::Signed(_) => Err(Refusal::Wrong),
        }
    }

    /// Whether this sender may post in the custom format.
    pub fn admits_sender(&self, sender_id: &str) -> bool {
        self.senders.admit(sender_id)
    }

    fn check_authorization(&self, headers: &HeaderMap, accepted: &[Credential]) -> Result<(), Refusal> {
        if headers.contains_key(API_KEY) {
            let key = only(headers.get_all(API_KEY).iter()).ok_or(Refusal::Wrong)?;
            let knows = self.bearer.knows("bearer", key.as_bytes().trim_ascii());
            return if accepted.contains(&Credential::Bearer) && knows {
                Ok(())
            } else {
                Err(Refusal::Wrong)
            };
        }
        let shown = only(headers.get_all(AUTHORIZATION).iter()).ok_or(Refusal::Missing)?;
        let (scheme, credential) = split(shown).ok_or(Refusal::Wrong)?;
        let bearer = accepted.contains(&Credential::Bearer) && self.bearer.knows(scheme, credential);
        let basic = accepted.contains(&Credential::Basic) && self.basic.knows(scheme, credential);
        if bearer || basic { Ok(()) } else { Err(Refusal::Wrong) }
    }
}

/// Refuses to start on an address others reach without credentials, unless that is said to be meant.
pub fn check_exposure(listen: SocketAddr, config: &GateConfig) -> Result<(), Exposed> {
    if config.has_any() || config.allow_unauthenticated || listen.ip().to_canonical().is_loopback() {
        Ok(())
    } else {
        Err(Exposed { listen })
    }
}

fn only<'h>(mut values: impl Iterator<Item = &'h HeaderValue>) -> Option<&'h HeaderValue> {
    let first = values.next()?;
    // Of two we could check one and a proxy before us the other.
    values.next().is_none().then_some(first)
}

/// The scheme and what follows it; any number of spaces may stand between them.
fn split(value: &HeaderValue) -> Option<(&str, &[u8])> {
    let bytes = value.as_bytes();
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let (scheme, credential) = bytes.split_at(space);
    Some((std::str::from_utf8(scheme).ok()?, credential.trim_ascii()))
}

#[cfg(test)]
mod tests;

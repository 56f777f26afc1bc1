//! HMAC-SHA256 over the body as it was sent, before anybody reads it. Two ways to sign: Pure.
//!
//! - Grafana's: bare hex over the body, or over `<seconds>:<body>` where the time is in a header of its own;
//! - ours, for everything else: `X-Signature: sha256=<hex>` over `<seconds>.<body>`, the time in `X-Timestamp`.

use config::HmacConfig;
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::HeaderName;
use jiff::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{Refusal, only};

/// How far a signed time may be from ours, in seconds, to either side.
const WINDOW_SECONDS: u64 = 300;
/// Digits of a time in Unix seconds; ten last until the year 2286.
const SECONDS_DIGITS_MAX: usize = 12;

/// A kind of signature: where it stands and what it covers.
#[derive(Debug)]
struct Scheme {
    signature: HeaderName,
    timestamp: HeaderName,
    prefix: &'static str,
    separator: &'static str,
    timestamp_needed: bool,
}

/// The keys, and the kinds of signatures made with them.
pub(super) struct Signatures {
    keys: Vec<Hmac<Sha256>>,
    schemes: [Scheme; 2],
}

/// What a request claims to be signed with; the body will show.
#[derive(Debug)]
pub struct Claim {
    /// What is signed before the body.
    before: String,
    mac: [u8; 32],
}

impl std::fmt::Debug for Signatures {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signatures").field("schemes", &self.schemes).finish_non_exhaustive()
    }
}

impl Signatures {
    pub(super) fn new(config: &HmacConfig) -> Self {
        let grafana = Scheme {
            signature: header(&config.header, "x-grafana-alerting-signature"),
            timestamp: header(&config.timestamp_header, "x-grafana-alerting-timestamp"),
            prefix: "",
            separator: ":",
            timestamp_needed: config.require_timestamp,
        };
        let plain = Scheme {
            signature: HeaderName::from_static("x-signature"),
            timestamp: HeaderName::from_static("x-timestamp"),
            prefix: "sha256=",
            separator: ".",
            timestamp_needed: true,
        };
        let keys = config.secrets.iter().filter_map(|key| Hmac::new_from_slice(key.expose().as_bytes()).ok());
        Self { keys: keys.collect(), schemes: [grafana, plain] }
    }

    /// What the headers claim; nothing if they carry no signature. One that could not be right whatever the body
    /// says is refused here. Of two kinds of signature one good one is enough.
    pub(super) fn claims(&self, headers: &HeaderMap, now: Timestamp) -> Result<Vec<Claim>, Refusal> {
        let mut claims = Vec::new();
        let mut refused = None;
        for scheme in self.schemes.iter().filter(|scheme| headers.contains_key(&scheme.signature)) {
            match scheme.claim(headers, now) {
                Ok(claim) => claims.push(claim),
                Err(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            Some(refusal) if claims.is_empty() => Err(refusal),
            Some(_) | None => Ok(claims),
        }
    }

    /// Whether one of the keys signed this body. All are tried, whichever fits.
    pub(super) fn prove(&self, claims: &[Claim], body: &[u8]) -> bool {
        let each = claims.iter().flat_map(|claim| self.keys.iter().map(move |key| (claim, key)));
        let proven = each.fold(Choice::from(0), |proven, (claim, key)| {
            let made = key.clone().chain_update(&claim.before).chain_update(body).finalize().into_bytes();
            proven | made.as_slice().ct_eq(&claim.mac)
        });
        proven.into()
    }
}

impl Scheme {
    fn claim(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claim, Refusal> {
        let shown = only(headers.get_all(&self.signature).iter()).ok_or(Refusal::Missing)?;
        let digits = shown.as_bytes().trim_ascii().strip_prefix(self.prefix.as_bytes());
        let mut mac = [0; 32];
        hex::decode_to_slice(digits.ok_or(Refusal::Wrong)?, &mut mac).map_err(|_| Refusal::Wrong)?;
        Ok(Claim { before: self.before(headers, now)?, mac })
    }

    fn before(&self, headers: &HeaderMap, now: Timestamp) -> Result<String, Refusal> {
        if !self.timestamp_needed && !headers.contains_key(&self.timestamp) {
            return Ok(String::new());
        }
        let shown = only(headers.get_all(&self.timestamp).iter()).ok_or(Refusal::Missing)?;
        let digits = shown.to_str().map_err(|_| Refusal::Wrong)?.trim();
        let usable = digits.len() <= SECONDS_DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: i64 =
            Some(digits).filter(|_| usable).and_then(|digits| digits.parse().ok()).ok_or(Refusal::Wrong)?;
        if now.as_second().abs_diff(seconds) > WINDOW_SECONDS {
            return Err(Refusal::Expired);
        }
        Ok(format!("{digits}{}", self.separator))
    }
}

/// The configuration has checked the name already.
fn header(name: &str, otherwise: &'static str) -> HeaderName {
    name.parse().unwrap_or(HeaderName::from_static(otherwise))
}

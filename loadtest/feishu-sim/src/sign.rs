//! The signature of a custom bot. The string to sign is the *key*; the message is empty.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::refusal::Refusal;

/// How far a timestamp may be from the platform's clock. The guide says "within one hour"; that the future is
/// treated like the past is the strict reading.
const WINDOW_SECONDS: u64 = 3600;

/// Checks `timestamp` and `sign`, which stand at the top level of the body beside `msg_type`.
pub(crate) fn check(body: &Map<String, Value>, secret: &str, now: Timestamp) -> Result<(), Refusal> {
    // The guide sends a string; a JSON number is known to work as well. What is hashed are exactly its
    // digits.
    let digits = match body.get("timestamp") {
        Some(Value::String(digits)) => digits.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(Refusal::sign()),
    };
    let seconds: i64 = digits.parse().map_err(|_| Refusal::sign())?;
    let fresh = seconds.abs_diff(now.as_second()) <= WINDOW_SECONDS;
    let expected = sign(&digits, secret);
    if fresh && body.get("sign").and_then(Value::as_str) == Some(&*expected) {
        Ok(())
    } else {
        Err(Refusal::sign())
    }
}

fn sign(timestamp: &str, secret: &str) -> String {
    let key = format!("{timestamp}\n{secret}");
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key");
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_guide_and_other_implementations_do() {
        for (timestamp, secret, expected) in [
            ("100", "demo", "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg="),
            ("1599360473", "test-secret-0001", "lSz04MPgcGjqfLJwLlyXYCHjTa9PD1lLsEkeqKCUtFg="),
            ("1700000000", "密钥-ключ-01", "Z+XIZaPLHCLtKpjAdTguWIaZtmW2v4c3TFnkUMPGT60="),
            ("1700000000", "", "DaBQacIHB6FCKocfPme7o5BIrwne87ibBLj7EYGUds0="),
        ] {
            assert_eq!(sign(timestamp, secret), expected, "timestamp {timestamp}, secret {secret:?}");
        }
    }

    #[test]
    fn does_not_sign_with_the_secret_as_key_and_the_string_as_message() {
        assert_ne!(sign("1599360473", "test-secret-0001"), "oCvHckzHO2tnUXWPAE7GGfVi+hFxlqt56Mkbuz2tZM8=");
    }
}

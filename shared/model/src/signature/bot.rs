//! The signature of our requests to a custom bot. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// What a custom bot that signs wants in the body of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotSign {
    /// Unix seconds; these very digits are what was signed.
    pub timestamp: String,
    /// Base64 of the HMAC.
    pub sign: String,
}

/// Signs for a custom bot at `now`. To be called for each attempt: Feishu accepts an hour of age at most.
///
/// The string to sign is the *key* and the message is empty (custom bot guide, "signature verification");
/// signing it the usual way round is the best-known mistake and gives 19021.
#[expect(clippy::missing_panics_doc, reason = "it does not: HMAC takes keys of any length")]
pub fn bot_sign(secret: &str, now: Timestamp) -> BotSign {
    let timestamp = now.as_second().to_string();
    let key = format!("{timestamp}\n{secret}");
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key length");
    BotSign { timestamp, sign: STANDARD.encode(mac.finalize().into_bytes()) }
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    /// Unix seconds, secret, sign, and what two usual mistakes make of it: the secret as key and the string as
    /// message (the way of another chat service), and a hash without HMAC.
    const VECTORS: [(i64, &str, &str, [&str; 2]); 4] = [
        (
            100,
            "demo",
            "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg=",
            ["Al3fIG80paFjFaF1GYFq01nD+HwK+W12x7pPHOz3pJo=", "FBKRG59EHNyh6tN+9Sd9T82pyaRnBR95fvJiUsiuZ2E="],
        ),
        (
            1_599_360_473,
            "test-secret-0001",
            "lSz04MPgcGjqfLJwLlyXYCHjTa9PD1lLsEkeqKCUtFg=",
            ["oCvHckzHO2tnUXWPAE7GGfVi+hFxlqt56Mkbuz2tZM8=", "20o6kximH83w1JSSb2/zF0wI/STwtEZYKxdfNgeEsX4="],
        ),
        (
            1_700_000_000,
            "密钥-ключ-01",
            "Z+XIZaPLHCLtKpjAdTguWIaZtmW2v4c3TFnkUMPGT60=",
            ["l2cOgFm/JuRPVVKLGH4sq1OSopWy3teBsUeOb4S2umw=", "1iY8bL9qmEIGnzuAZUepOwhIPfdLlUp3aK4E99rTmxs="],
        ),
        (
            1_700_000_000,
            "",
            "DaBQacIHB6FCKocfPme7o5BIrwne87ibBLj7EYGUds0=",
            ["+CpAn1wKeGft6icEEZTJ+1ElYhpYKDkfV1v4ISw2bjk=", "Av+gZfbqxms05ZDrEmoeKJfscm5kprTqobgwNAdRYaw="],
        ),
    ];

    #[test]
    fn a_bot_signature_is_what_feishu_computes() {
        for (seconds, secret, sign, _) in VECTORS {
            let now = Timestamp::from_second(seconds).unwrap();
            let expected = BotSign { timestamp: seconds.to_string(), sign: sign.to_owned() };
            assert_eq!(bot_sign(secret, now), expected);
        }
    }

    #[test]
    fn a_bot_signature_is_neither_of_the_usual_mistakes() {
        for (seconds, secret, sign, [usual_way, hash]) in VECTORS {
            let text = format!("{seconds}\n{secret}");
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            // The vectors are what they say they are, so that the comparison means something.
            assert_eq!(STANDARD.encode(mac.finalize().into_bytes()), usual_way);
            assert_eq!(STANDARD.encode(Sha256::digest(&text)), hash);
            assert!(![usual_way, hash].contains(&sign));
        }
    }
}

//! The signatures Feishu puts on what it sends us, and comparing secrets without telling by the time it takes how
//! much of a guess was right. Pure.

use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a signed request carries in its headers beside the signature.
#[derive(Clone, Copy, Debug)]
pub struct SignatureHeaders<'r> {
    /// `X-Lark-Request-Timestamp`: Unix time, these very digits.
    pub timestamp: &'r str,
    /// `X-Lark-Request-Nonce`.
    pub nonce: &'r str,
    /// `X-Lark-Signature`: hex.
    pub signature: &'r str,
}

impl SignatureHeaders<'_> {
    /// Whether events and new card callbacks are signed so: SHA-256 with the encrypt key, no HMAC, over the bytes as
    /// they came. An empty key proves nothing, since everybody has it.
    pub fn is_of_event(&self, encrypt_key: &str, raw_body: &[u8]) -> bool {
        !encrypt_key.is_empty() && self.fits(&self.hash::<Sha256>(encrypt_key, raw_body))
    }

    /// Whether old card callbacks are signed so: SHA-1 with the verification token.
    pub fn is_of_old_card(&self, verification_token: &str, raw_body: &[u8]) -> bool {
        !verification_token.is_empty() && self.fits(&self.hash::<Sha1>(verification_token, raw_body))
    }

    fn hash<D: Digest>(&self, key: &str, raw_body: &[u8]) -> Vec<u8> {
        let mut digest = D::new();
        for part in [self.timestamp.as_bytes(), self.nonce.as_bytes(), key.as_bytes(), raw_body] {
            digest.update(part);
        }
        digest.finalize().to_vec()
    }

    fn fits(&self, expected: &[u8]) -> bool {
        hex::decode(self.signature).is_ok_and(|shown| shown.ct_eq(expected).into())
    }
}

/// Whether the two are the same, in a time that depends on neither's content nor length.
pub fn is_same_secret(shown: &str, secret: &str) -> bool {
    Sha256::digest(shown).ct_eq(&Sha256::digest(secret)).into()
}

#[cfg(test)]
mod tests;

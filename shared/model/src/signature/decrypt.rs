//! What Feishu sends encrypted: AES-256 in CBC mode with PKCS#7 padding, in Base64. Pure.

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How long a block is, and with it the initialisation vector in front of the blocks.
const BLOCK_BYTES: usize = 16;

/// It was not encrypted with this key, or not by Feishu. Deliberately silent about which step failed: telling bad
/// padding from bad content lets a stranger decrypt what is not theirs.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("the content cannot be decrypted with this key")]
pub struct DecryptError;

/// Decrypts the value of `encrypt`. The cipher vouches for nothing: the signature or the verification token has to.
pub fn decrypt(encrypt_key: &str, encrypted: &str) -> Result<Vec<u8>, DecryptError> {
    let mut blocks = STANDARD.decode(encrypted).map_err(|_| DecryptError)?;
    if blocks.len() < 2 * BLOCK_BYTES || !blocks.len().is_multiple_of(BLOCK_BYTES) {
        return Err(DecryptError);
    }
    let mut content = blocks.split_off(BLOCK_BYTES);
    let key = Sha256::digest(encrypt_key);
    let cipher = Decryptor::<Aes256>::new_from_slices(&key, &blocks).map_err(|_| DecryptError)?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut content).map_err(|_| DecryptError)?.len();
    content.truncate(length);
    Ok(content)
}

#[cfg(test)]
mod tests;

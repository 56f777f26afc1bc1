//! The parsers of this crate that nobody outside may call, for the fuzz targets (`ingest/fuzz`). Built for those, and for
//! the tests that try what is near their corpora (`mutations.rs`).

use std::net::IpAddr;

use config::{LarkConfig, Locale, Secret};
use hyper::HeaderMap;
use jiff::Timestamp;
use model::interaction::InteractionId;

use crate::lark::{Call, Callbacks};
use crate::server::proxy_protocol;
use crate::spool;

/// What a trusted proxy sends before anything else; the address it names.
pub async fn proxy_header(bytes: &[u8], peer: IpAddr) -> Option<IpAddr> {
    let mut stream = bytes;
    proxy_protocol::read(&mut stream, peer).await.ok().map(|origin| origin.address)
}

/// What is posted to Feishu's addresses; whether it was believed. `knows_key` and `knows_token`: which of the two is set.
pub fn callback(config: &LarkConfig, headers: &HeaderMap, body: &[u8], received_at: Timestamp) -> bool {
    let callbacks = Callbacks::new(config, Locale::En);
    let id = InteractionId::new(received_at, [7; 10]);
    callbacks.read(&Call { headers, body, received_at, id }).is_ok()
}

/// A configuration whose secrets no fuzzer guesses.
pub fn lark(key: Option<&str>, token: Option<&str>) -> LarkConfig {
    LarkConfig { encrypt_key: key.map(Secret::new), verification_token: token.map(Secret::new) }
}

/// What lies in a segment of the spool: how many bytes of it are whole records.
pub fn spool_records(bytes: &[u8]) -> usize {
    spool::whole_records(bytes)
}

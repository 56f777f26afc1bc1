//! What a trusted proxy sends before anything else: whatever it is, it is read in a bounded time and panics nowhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let peer = "10.0.0.1".parse().expect("an address");
    larkfire_fuzz::block_on(ingest::fuzzing::proxy_header(bytes, peer));
});

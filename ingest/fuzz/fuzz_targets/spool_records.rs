//! A segment of the spool that a power failure, or anything else, has left: what is whole is read, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(ingest::fuzzing::spool_records(bytes) <= bytes.len());
});

//! Bodies of every other sender: clouds, monitoring systems, chat bots.
#![no_main]

use ingest::source::Endpoint;
use larkfire_fuzz::{holds, mutate_freely};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|body: &[u8]| holds(body, Endpoint::Any));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_freely(data, size, max_size, seed)
});

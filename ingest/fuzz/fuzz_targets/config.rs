//! The configuration file: right, or refused with places and reasons.
#![no_main]

use config::{Environment, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(errors) = parse("larkfire.yaml", text, Environment::default()) {
        assert!(!errors.to_string().is_empty());
    }
});

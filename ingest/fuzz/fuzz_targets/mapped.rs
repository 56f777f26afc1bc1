//! Formats of an operator's own, and bodies that are read by them.
#![no_main]

use config::{Environment, parse};
use ingest::source::Endpoint;
use larkfire_fuzz::{context, holds_in};
use libfuzzer_sys::fuzz_target;

// The first line is the configuration, the rest is a body; it is read by its keys, and by the first format's name.
fuzz_target!(|text: &str| {
    let (settings, body) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(config) = parse("larkfire.yaml", settings, Environment::default()) else { return };
    let mut context = context(Endpoint::Any);
    let first = config.sources.first().map(|source| source.name.clone());
    context.sources = config.sources.into();
    holds_in(body.as_bytes(), &context);
    context.named_source = first;
    holds_in(body.as_bytes(), &context);
});

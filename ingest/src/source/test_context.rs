//! What tests of the formats read bodies with.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::EnvelopeId;

use super::{Context, Endpoint};

pub(super) fn context() -> Context {
    let received_at = Timestamp::UNIX_EPOCH;
    Context {
        id: EnvelopeId::new(received_at, [7; 10]),
        received_at,
        endpoint: Endpoint::Any,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: Arc::from(["prometheus_replica".to_owned(), "__replica__".to_owned()]),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

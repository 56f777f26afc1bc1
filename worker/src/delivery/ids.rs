//! The ids of envelopes in one line of the log, by which they are found in other lines and with `trace`. Pure.

use super::in_flight::InFlightEnvelope;

/// Ids in one line at most; the others are counted.
const IDS_MAX: usize = 5;

/// The first ids, and how many more there are.
pub(super) fn ids<'e>(envelopes: impl IntoIterator<Item = &'e InFlightEnvelope>) -> String {
    let mut envelopes = envelopes.into_iter();
    let named = envelopes.by_ref().take(IDS_MAX).map(|in_flight| in_flight.envelope.id.to_string());
    let named = named.collect::<Vec<_>>().join(" ");
    match envelopes.count() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

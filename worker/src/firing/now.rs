//! What fires at custom bots, for whoever looks: the newest first, without what the ledger knows to be over.

use model::envelope::{Envelope, decode};

use crate::store::sql::rows;
use crate::store::{Store, StoreError};

/// Something that fires.
#[derive(Debug)]
pub(crate) struct FiringLine {
    pub(crate) receiver: String,
    /// It alone, as it was delivered.
    pub(crate) envelope: Envelope<'static>,
}

/// At most so many.
pub(crate) async fn firing_now(store: &Store, most: usize) -> Result<Vec<FiringLine>, StoreError> {
    let select = "SELECT f.receiver, f.line FROM larkfire_firing f \
         LEFT JOIN larkfire_ledger l ON l.fingerprint = f.fingerprint AND l.receiver = f.receiver \
         WHERE f.ended_ms = 0 AND (l.told_status IS NULL OR l.told_status = 0) ORDER BY f.kept_ms DESC LIMIT ?";
    let values = [i64::try_from(most).unwrap_or(i64::MAX).into()];
    let found: Vec<(Vec<u8>, Vec<u8>)> = store.within(|| rows(store.pool(), select, &values)).await?;
    // What a build that nobody knows has written is left out.
    let read = |(receiver, line): (Vec<u8>, Vec<u8>)| {
        let envelope = decode(&line).ok()?.into_owned();
        Some(FiringLine { receiver: String::from_utf8_lossy(&receiver).into_owned(), envelope })
    };
    Ok(found.into_iter().filter_map(read).collect())
}

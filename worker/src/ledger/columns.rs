//! A row as columns, the same for all databases.

use model::alert::Status;
use model::envelope::EnvelopeId;
use sqlx::query::Query;
use sqlx::{ColumnIndex, Database, Decode, Encode, Type};

use super::batch::Key;
use super::port::{RowChange, Stamp, Stored};
use super::row::{AlertState, Claim, DeliveredState, Holder, LedgerRow};
use super::traced_alert::{TraceFilter, TracedAlert};

/// The columns named `told_*` hold what was delivered. They keep the name they were made with: workers of the version before
/// read and write them beside these, and a column is not renamed under a running fleet.
///
/// All columns, in the order they are bound and read in. `previous` carries the version that a write replaces to the
/// row it is compared with, and means nothing afterwards.
pub(super) const COLUMNS: [&str; 18] = [
    "fingerprint",
    "receiver",
    "told_instance",
    "told_status",
    "told_seen",
    "told_at",
    "told_envelope",
    "claim_instance",
    "claim_status",
    "claim_seen",
    "claim_until",
    "claim_envelope",
    "claim_holder",
    "told_edge",
    "claim_edge",
    "touched_at",
    "previous",
    "version",
];
/// How many of them are the key.
pub(super) const KEY_COLUMNS: usize = 2;
/// What `previous` is where there is no row yet.
pub(super) const NO_VERSION: i64 = 0;

const FIRING: i64 = 0;
const RESOLVED: i64 = 1;

/// A database that can do this.
pub(super) type Bound<'q, DB> = Query<'q, DB, <DB as Database>::Arguments>;

pub(super) fn bind_key<'q, DB>(query: Bound<'q, DB>, key: &Key<'_>) -> Bound<'q, DB>
where
    DB: Database,
    for<'t> &'t [u8]: Encode<'t, DB> + Type<DB>,
{
    query.bind(key.fingerprint.as_bytes()).bind(key.receiver.as_bytes())
}

pub(super) fn bind_change<'q, DB>(query: Bound<'q, DB>, change: &RowChange<'_>, stamp: Stamp) -> Bound<'q, DB>
where
    DB: Database,
    for<'t> &'t [u8]: Encode<'t, DB> + Type<DB>,
    for<'t> Option<&'t [u8]>: Encode<'t, DB> + Type<DB>,
    for<'t> i64: Encode<'t, DB> + Type<DB>,
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
{
    let LedgerRow { delivered, claim } = &change.row;
    let bind_state = |query: Bound<'q, DB>, state: Option<AlertState>| {
        query
            .bind(state.map(|state| state.instance))
            .bind(state.map(|state| status_number(state.status)))
            .bind(state.map(|state| state.seen))
    };
    let query = bind_state(bind_key(query, change.key), delivered.map(|delivered| delivered.state))
        .bind(delivered.map(|delivered| delivered.at))
        .bind(delivered.as_ref().map(|delivered| delivered.envelope.as_bytes().as_slice()));
    bind_state(query, claim.map(|claim| claim.state))
        .bind(claim.map(|claim| claim.until))
        .bind(claim.as_ref().map(|claim| claim.envelope.as_bytes().as_slice()))
        .bind(claim.map(|claim| claim.holder.0))
        .bind(delivered.and_then(|delivered| delivered.state.edge))
        .bind(claim.and_then(|claim| claim.state.edge))
        .bind(stamp.now)
        .bind(change.replaces.unwrap_or(NO_VERSION))
        .bind(stamp.version)
}

/// The rows that are wanted, by whatever they are looked for.
pub(super) fn finding(wanted: TraceFilter<'_>) -> String {
    let condition = match wanted {
        TraceFilter::Fingerprint(_) => "fingerprint = ?",
        TraceFilter::Envelope(_) => "told_envelope = ? OR claim_envelope = ?",
    };
    let columns = COLUMNS.join(", ");
    format!("SELECT {columns} FROM larkfire_ledger WHERE {condition} ORDER BY fingerprint, receiver LIMIT ?")
}

pub(super) fn bind_wanted<'q, DB>(query: Bound<'q, DB>, wanted: TraceFilter<'_>) -> Bound<'q, DB>
where
    DB: Database,
    for<'t> &'t [u8]: Encode<'t, DB> + Type<DB>,
{
    match wanted {
        TraceFilter::Fingerprint(fingerprint) => query.bind(fingerprint.as_bytes()),
        TraceFilter::Envelope(envelope) => {
            let id = envelope.as_bytes().as_slice();
            query.bind(id).bind(id)
        }
    }
}

/// A row that was read, and whose it is.
pub(super) struct Read {
    pub(super) receiver: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) touched_at: i64,
    pub(super) stored: Stored,
}

impl Read {
    pub(super) fn from<R>(row: &R) -> Result<Self, sqlx::Error>
    where
        R: sqlx::Row,
        usize: ColumnIndex<R>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    {
        let state = |from: usize, edge: usize| -> Result<Option<AlertState>, sqlx::Error> {
            let (Some(instance), Some(status), Some(seen)) =
                (row.try_get(from)?, row.try_get(from + 1)?, row.try_get(from + 2)?)
            else {
                return Ok(None);
            };
            Ok(Some(AlertState { instance, status: status_of(status), seen, edge: row.try_get(edge)? }))
        };
        let id = |column: usize| -> Result<Option<EnvelopeId>, sqlx::Error> {
            let bytes: Option<Vec<u8>> = row.try_get(column)?;
            Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(EnvelopeId::from_bytes))
        };
        let delivered = match (state(2, 13)?, row.try_get(5)?, id(6)?) {
            (Some(state), Some(at), Some(envelope)) => Some(DeliveredState { state, at, envelope }),
            _ => None,
        };
        let claim = match (state(7, 14)?, row.try_get(10)?, id(11)?, row.try_get(12)?) {
            (Some(state), Some(until), Some(envelope), Some(holder)) => {
                Some(Claim { state, until, envelope, holder: Holder(holder) })
            }
            _ => None,
        };
        Ok(Self {
            fingerprint: row.try_get(0)?,
            receiver: row.try_get(1)?,
            touched_at: row.try_get(15)?,
            stored: Stored { row: LedgerRow { delivered, claim }, version: row.try_get(17)? },
        })
    }

    pub(super) fn into_entry(self) -> TracedAlert {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        TracedAlert::new(text(self.receiver), text(self.fingerprint), &self.stored.row, self.touched_at)
    }
}

/// The rows that were read, each at the place of its key; the keys are sorted.
pub(super) fn in_order_of(keys: &[&Key<'_>], read: Vec<Read>) -> Vec<Option<Stored>> {
    let mut rows = vec![None; keys.len()];
    for read in read {
        let wanted = (&read.fingerprint[..], &read.receiver[..]);
        let found =
            keys.binary_search_by(|key| (key.fingerprint.as_bytes(), key.receiver.as_bytes()).cmp(&wanted));
        if let Some(row) = found.ok().and_then(|place| rows.get_mut(place)) {
            *row = Some(read.stored);
        }
    }
    rows
}

pub(super) const fn status_number(status: Status) -> i64 {
    match status {
        Status::Firing => FIRING,
        Status::Resolved => RESOLVED,
    }
}

const fn status_of(number: i64) -> Status {
    match number {
        RESOLVED => Status::Resolved,
        _ => Status::Firing,
    }
}

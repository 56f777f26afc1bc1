//! What there is in the user table, in numbers: whether it can be read as it is configured, and never who is in it.

use super::{Place, UserTable, is_no_such_table, sql};

/// How many people there are, and what is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    pub(crate) rows: i64,
    /// Those with a user name.
    pub(crate) named: i64,
    pub(crate) with_nickname: i64,
    pub(crate) with_mobile: i64,
    /// Those with an id of any kind.
    pub(crate) with_id: i64,
    /// Those whose id is an open id, with or without the prefix.
    pub(crate) with_open_id: i64,
}

impl UserTable {
    /// Counts it through, in the caller's time; `None` if it is not there and nobody said that it is. Makes nothing.
    pub(crate) async fn survey(&self) -> Result<Option<Survey>, sqlx::Error> {
        let (pool, may_be_missing) = match &self.place {
            Place::File(store) => (store.pool(), true),
            Place::Server { pool, breaker: _, may_be_missing } => (&**pool, *may_be_missing),
        };
        match sql::count(pool, &self.columns, &self.id_prefix).await {
            Ok((rows, named, with_nickname, with_mobile, with_id, with_open_id)) => {
                Ok(Some(Survey { rows, named, with_nickname, with_mobile, with_id, with_open_id }))
            }
            Err(error) if may_be_missing && is_no_such_table(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

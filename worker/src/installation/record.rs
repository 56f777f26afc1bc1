//! Who has written itself down as the owner of a database.

use super::{DatabaseOwner, Installation, owner};
use crate::store::sql::{execute, rows};
use crate::store::{Insert, Pool, Store, StoreError};

const OWNER: Insert<'_> =
    Insert { table: "larkfire_installation", columns: &["place", "id", "label"], key: 1 };
const SELECT: &str = "SELECT id, label FROM larkfire_installation WHERE place = 1";

/// What is written down, as far as it can be read. Makes nothing, no tables either.
pub async fn recorded(pool: &Pool) -> Result<Option<Installation>, sqlx::Error> {
    let found: Vec<(Vec<u8>, String)> = rows(pool, SELECT, &[]).await?;
    let first = found.into_iter().next();
    Ok(first.map(|(id, label)| Installation { id: String::from_utf8_lossy(&id).into_owned(), label }))
}

/// Writes us down where nobody is, and says whose it is then. Of several that start together one is written down.
pub async fn claim(store: &Store, ours: &Installation) -> Result<DatabaseOwner, StoreError> {
    let insert = OWNER.or_keep(store.pool().dialect(), "VALUES (1, ?, ?)");
    let values = [ours.id.as_bytes().into(), ours.label.as_str().into()];
    store
        .within(|| async {
            let before = owner(recorded(store.pool()).await?.as_ref(), ours);
            if before != DatabaseOwner::Nobody {
                return Ok(before);
            }
            execute(store.pool(), &insert, &values).await?;
            Ok(owner(recorded(store.pool()).await?.as_ref(), ours))
        })
        .await
}

/// Writes us down, whoever was there.
pub async fn adopt(store: &Store, ours: &Installation) -> Result<(), StoreError> {
    let replace = OWNER.or_replace(store.pool().dialect(), "VALUES (1, ?, ?)");
    let values = [ours.id.as_bytes().into(), ours.label.as_str().into()];
    store.within(|| execute(store.pool(), &replace, &values)).await.map(drop)
}

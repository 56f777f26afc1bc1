//! Our own user table: read whole, and written in one go.

use crate::people::person::{Mobile, OpenId, UserId};
use crate::store::sql::{Transaction, Value, rows};
use crate::store::{Store, StoreError};

/// Users one import brings, and one list shows.
pub(crate) const USERS_MAX: usize = 100_000;
/// A later row of the same user takes the place of the earlier one; a column that is left empty is emptied.
const UPSERT: &str = "
    INSERT INTO larkfire_users (username, nickname, mobile, source_user_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (username) DO UPDATE SET
    nickname = excluded.nickname, mobile = excluded.mobile, source_user_id = excluded.source_user_id";
const ALL: &str =
    "SELECT username, nickname, mobile, source_user_id FROM larkfire_users ORDER BY username LIMIT 100000";

/// Somebody in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// What alerts call them.
    pub(crate) username: String,
    /// What people call them.
    pub(crate) nickname: Option<String>,
    /// Their mobile.
    pub(crate) mobile: Option<Mobile>,
    /// Their id in Feishu.
    pub(crate) id: Option<String>,
}

type OptionalText = Option<String>;

impl User {
    /// Whether an id can stand in a mention.
    pub(crate) fn is_id(id: &str) -> bool {
        OpenId::parse(id).is_some() || UserId::parse(id).is_some()
    }
}

/// Adds and changes users, all of them or none.
pub(crate) async fn import(store: &Store, users: &[User]) -> Result<(), StoreError> {
    store
        .within(|| async {
            let mut transaction = Transaction::begin(store.pool()).await?;
            for user in users {
                let mobile = user.mobile.as_ref().map(Mobile::as_str);
                let values = [
                    Value::Text(&user.username),
                    user.nickname.as_deref().into(),
                    mobile.into(),
                    user.id.as_deref().into(),
                ];
                transaction.execute(UPSERT, &values).await?;
            }
            transaction.commit().await
        })
        .await
}

/// Takes users out; returns the names of those who were there.
pub(crate) async fn remove<'u>(
    store: &Store,
    usernames: &'u [String],
) -> Result<Vec<&'u String>, StoreError> {
    store
        .within(|| async {
            let mut transaction = Transaction::begin(store.pool()).await?;
            let mut removed = Vec::new();
            for username in usernames {
                let delete = "DELETE FROM larkfire_users WHERE username = ?";
                if transaction.execute(delete, &[Value::Text(username)]).await? > 0 {
                    removed.push(username);
                }
            }
            transaction.commit().await?;
            Ok(removed)
        })
        .await
}

/// Everybody, by name.
pub(crate) async fn all(store: &Store) -> Result<Vec<User>, StoreError> {
    let found: Vec<(String, OptionalText, OptionalText, OptionalText)> =
        store.within(|| rows(store.pool(), ALL, &[])).await?;
    let user = |(username, nickname, mobile, id): (String, OptionalText, OptionalText, OptionalText)| User {
        username,
        nickname,
        mobile: mobile.and_then(|mobile| Mobile::parse(&mobile)),
        id,
    };
    Ok(found.into_iter().map(user).collect())
}

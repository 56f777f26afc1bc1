//! What the workers have written down, read past them.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::mysql::MySqlConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use testkit::mariadb::TestDatabase;

/// Fingerprints of alerts that were delivered.
pub(crate) const TOLD: &str =
    "SELECT CAST(fingerprint AS CHAR) FROM larkfire_ledger WHERE told_at IS NOT NULL";
/// Fingerprints of alerts in the dead letters.
pub(crate) const DEAD: &str = "SELECT fingerprint FROM larkfire_dead_alerts";

/// What a query finds in the database of the roles.
pub(crate) async fn of_roles(database: &TestDatabase, query: &'static str) -> BTreeSet<String> {
    let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
    // The workers make the tables when they first need them.
    let found = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap_or_default();
    connection.close().await.unwrap();
    BTreeSet::from_iter(found)
}

/// The same in the file of the one process.
pub(crate) async fn of_one(data_dir: &Path, query: &'static str) -> BTreeSet<String> {
    let options = SqliteConnectOptions::new().filename(data_dir.join("larkfire.db")).read_only(true);
    let Ok(mut connection) = options.connect().await else { return BTreeSet::new() };
    let found = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap_or_default();
    connection.close().await.unwrap();
    BTreeSet::from_iter(found)
}

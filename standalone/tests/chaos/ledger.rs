//! What the workers have written down, read past them and past what breaks.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Connection;
use sqlx::mysql::MySqlConnection;

/// The state of an alert that was delivered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    Firing,
    Resolved,
}

/// What was delivered last of each alert, by fingerprint.
pub(crate) async fn delivered(database: &str) -> BTreeMap<String, Delivered> {
    let query =
        "SELECT CAST(fingerprint AS CHAR), told_status FROM larkfire_ledger WHERE told_at IS NOT NULL";
    let mut connection = MySqlConnection::connect(database).await.unwrap();
    // The workers make the table when they first need it.
    let rows: Vec<(String, i8)> = sqlx::query_as(query).fetch_all(&mut connection).await.unwrap_or_default();
    connection.close().await.unwrap();
    let delivered = |status| if status == 0 { Delivered::Firing } else { Delivered::Resolved };
    rows.into_iter().map(|(fingerprint, status)| (fingerprint, delivered(status))).collect()
}

/// The fingerprints of the alerts in the dead letters.
pub(crate) async fn dead_alerts(database: &str) -> BTreeSet<String> {
    let mut connection = MySqlConnection::connect(database).await.unwrap();
    let query = "SELECT fingerprint FROM larkfire_dead_alerts";
    // The workers make the table when they first need it.
    let dead: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap_or_default();
    connection.close().await.unwrap();
    BTreeSet::from_iter(dead)
}

/// How many alerts are in the dead letters.
pub(crate) async fn dead(database: &str) -> i64 {
    let mut connection = MySqlConnection::connect(database).await.unwrap();
    let dead =
        sqlx::query_scalar("SELECT COUNT(*) FROM larkfire_dead_alerts").fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    dead.unwrap()
}

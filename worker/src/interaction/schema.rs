//! The tables of this room.

use crate::store::Step;

pub(crate) const TABLES: Step = Step {
    mysql: &[
        "CREATE TABLE IF NOT EXISTS larkfire_interactions (
            dedup_key BINARY(32) NOT NULL PRIMARY KEY,
            begun_ms BIGINT NOT NULL,
            is_done BIGINT NOT NULL,
            KEY by_time (begun_ms)
        ) ENGINE=InnoDB",
        "CREATE TABLE IF NOT EXISTS larkfire_silences (
            silence VARCHAR(64) NOT NULL,
            alertmanager VARCHAR(255) NOT NULL,
            receiver VARBINARY(64) NOT NULL,
            fingerprint VARBINARY(64) NOT NULL,
            until_ms BIGINT NOT NULL,
            PRIMARY KEY (silence, alertmanager),
            KEY by_alert (fingerprint, receiver),
            KEY by_time (until_ms)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    ],
    sqlite: &[
        "CREATE TABLE IF NOT EXISTS larkfire_interactions (
            dedup_key BLOB NOT NULL PRIMARY KEY, begun_ms INTEGER NOT NULL, is_done INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS larkfire_interactions_by_time ON larkfire_interactions (begun_ms)",
        "CREATE TABLE IF NOT EXISTS larkfire_silences (
            silence TEXT NOT NULL,
            alertmanager TEXT NOT NULL,
            receiver BLOB NOT NULL,
            fingerprint BLOB NOT NULL,
            until_ms INTEGER NOT NULL,
            PRIMARY KEY (silence, alertmanager)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS larkfire_silences_by_alert ON larkfire_silences (fingerprint, receiver)",
        "CREATE INDEX IF NOT EXISTS larkfire_silences_by_time ON larkfire_silences (until_ms)",
    ],
};

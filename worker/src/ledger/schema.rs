//! The tables of this room. Keys are bytes: to a collation `a` and `A` would be the same alert. The
//! fingerprint comes first in them, so that an alert is found at whatever receiver.

use crate::store::Step;

pub(crate) const TABLES: Step = Step {
    mysql: &["CREATE TABLE IF NOT EXISTS larkfire_ledger (
            fingerprint VARBINARY(64) NOT NULL,
            receiver VARBINARY(64) NOT NULL,
            told_instance BIGINT NULL,
            told_status TINYINT NULL,
            told_seen BIGINT NULL,
            told_at BIGINT NULL,
            told_envelope BINARY(16) NULL,
            claim_instance BIGINT NULL,
            claim_status TINYINT NULL,
            claim_seen BIGINT NULL,
            claim_until BIGINT NULL,
            claim_envelope BINARY(16) NULL,
            claim_holder BIGINT NULL,
            touched_at BIGINT NOT NULL,
            previous BIGINT NOT NULL,
            version BIGINT NOT NULL,
            PRIMARY KEY (fingerprint, receiver),
            KEY larkfire_ledger_told_envelope (told_envelope),
            KEY larkfire_ledger_claim_envelope (claim_envelope),
            KEY larkfire_ledger_touched_at (touched_at)
        ) ENGINE=InnoDB"],
    sqlite: &[
        "CREATE TABLE IF NOT EXISTS larkfire_ledger (
            fingerprint BLOB NOT NULL,
            receiver BLOB NOT NULL,
            told_instance INTEGER,
            told_status INTEGER,
            told_seen INTEGER,
            told_at INTEGER,
            told_envelope BLOB,
            claim_instance INTEGER,
            claim_status INTEGER,
            claim_seen INTEGER,
            claim_until INTEGER,
            claim_envelope BLOB,
            claim_holder INTEGER,
            touched_at INTEGER NOT NULL,
            previous INTEGER NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (fingerprint, receiver)
        ) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS larkfire_ledger_told_envelope ON larkfire_ledger (told_envelope)",
        "CREATE INDEX IF NOT EXISTS larkfire_ledger_claim_envelope ON larkfire_ledger (claim_envelope)",
        "CREATE INDEX IF NOT EXISTS larkfire_ledger_touched_at ON larkfire_ledger (touched_at)",
    ],
};

/// Who has taken on what. `told_at` is that of the ledger's row: once the alert is told anew, for whatever reason, it is
/// another time, and the acknowledgement means nothing any more.
pub(crate) const ACKNOWLEDGEMENTS: Step = Step {
    mysql: &["CREATE TABLE IF NOT EXISTS larkfire_acknowledgements (
            fingerprint VARBINARY(64) NOT NULL,
            receiver VARBINARY(64) NOT NULL,
            told_at BIGINT NOT NULL,
            who VARCHAR(255) NOT NULL,
            at_ms BIGINT NOT NULL,
            PRIMARY KEY (fingerprint, receiver),
            KEY by_time (at_ms)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"],
    sqlite: &[
        "CREATE TABLE IF NOT EXISTS larkfire_acknowledgements (
            fingerprint BLOB NOT NULL,
            receiver BLOB NOT NULL,
            told_at INTEGER NOT NULL,
            who TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            PRIMARY KEY (fingerprint, receiver)
        ) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS larkfire_acknowledgements_by_time ON larkfire_acknowledgements (at_ms)",
    ],
};

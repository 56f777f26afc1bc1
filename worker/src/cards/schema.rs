//! The tables of this room. Names are bytes: receivers differ by case, and so do ids of Feishu's.

use crate::store::Step;

pub(crate) const TABLES: Step = Step {
    mysql: &[
        "CREATE TABLE IF NOT EXISTS larkfire_cards (
            card VARBINARY(64) NOT NULL PRIMARY KEY,
            receiver VARBINARY(64) NOT NULL,
            message VARBINARY(128) NULL,
            begun_ms BIGINT NOT NULL,
            content MEDIUMBLOB NOT NULL,
            states MEDIUMBLOB NOT NULL,
            firing BIGINT NOT NULL,
            version BIGINT NOT NULL,
            shown BIGINT NOT NULL,
            is_over_told BIGINT NOT NULL,
            due_ms BIGINT NULL,
            lease_until_ms BIGINT NOT NULL,
            holder BIGINT NOT NULL,
            KEY by_message (message),
            KEY by_due (due_ms),
            KEY by_age (begun_ms)
        ) ENGINE=InnoDB",
        "CREATE TABLE IF NOT EXISTS larkfire_card_alerts (
            fingerprint VARBINARY(64) NOT NULL,
            receiver VARBINARY(64) NOT NULL,
            card VARBINARY(64) NOT NULL,
            envelope BINARY(16) NOT NULL,
            PRIMARY KEY (fingerprint, receiver, card),
            KEY by_card (card)
        ) ENGINE=InnoDB",
    ],
    sqlite: &[
        "CREATE TABLE IF NOT EXISTS larkfire_cards (
            card BLOB NOT NULL PRIMARY KEY,
            receiver BLOB NOT NULL,
            message BLOB,
            begun_ms INTEGER NOT NULL,
            content BLOB NOT NULL,
            states BLOB NOT NULL,
            firing INTEGER NOT NULL,
            version INTEGER NOT NULL,
            shown INTEGER NOT NULL,
            is_over_told INTEGER NOT NULL,
            due_ms INTEGER,
            lease_until_ms INTEGER NOT NULL,
            holder INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX IF NOT EXISTS larkfire_cards_message ON larkfire_cards (message)",
        "CREATE INDEX IF NOT EXISTS larkfire_cards_due ON larkfire_cards (due_ms)",
        "CREATE INDEX IF NOT EXISTS larkfire_cards_age ON larkfire_cards (begun_ms)",
        "CREATE TABLE IF NOT EXISTS larkfire_card_alerts (
            fingerprint BLOB NOT NULL,
            receiver BLOB NOT NULL,
            card BLOB NOT NULL,
            envelope BLOB NOT NULL,
            PRIMARY KEY (fingerprint, receiver, card)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS larkfire_card_alerts_card ON larkfire_card_alerts (card)",
    ],
};

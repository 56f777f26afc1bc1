//! The tables of this room. The names of receivers are bytes: they differ by case and by spaces at the end.

use crate::store::Step;

pub(crate) const TABLES: Step = Step {
    mysql: &[
        // The first two are the last question and its answer: the statement's own notes, and good to look at.
        "CREATE TABLE IF NOT EXISTS larkfire_budget (
            receiver VARBINARY(64) NOT NULL PRIMARY KEY,
            asked_ms BIGINT NOT NULL,
            wait_ms BIGINT NOT NULL,
            minute_free_ms BIGINT NOT NULL,
            second_free_ms BIGINT NOT NULL,
            held_until_ms BIGINT NOT NULL
        ) ENGINE=InnoDB",
        // Seconds are fine enough here: who was seen lately is a question of minutes.
        "CREATE TABLE IF NOT EXISTS larkfire_workers (
            id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
            seen_s BIGINT NOT NULL
        ) ENGINE=InnoDB",
    ],
    // Whoever uses the file shares a machine and the database with it, so nobody has to know how many there are.
    sqlite: &["CREATE TABLE IF NOT EXISTS larkfire_budget (
            receiver TEXT NOT NULL PRIMARY KEY,
            minute_free_ms INTEGER NOT NULL,
            second_free_ms INTEGER NOT NULL,
            held_until_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID"],
};

/// How long a hold was when it was put. What a budget knows is good for a minute, so the table is made anew, which
/// can be done twice: `MySQL` has no column that is added only where it is missing.
pub(crate) const HELD_FOR: Step = Step {
    mysql: &[
        "DROP TABLE IF EXISTS larkfire_budget",
        "CREATE TABLE larkfire_budget (
            receiver VARBINARY(64) NOT NULL PRIMARY KEY,
            asked_ms BIGINT NOT NULL,
            wait_ms BIGINT NOT NULL,
            minute_free_ms BIGINT NOT NULL,
            second_free_ms BIGINT NOT NULL,
            held_until_ms BIGINT NOT NULL,
            held_for_ms BIGINT NOT NULL DEFAULT 0
        ) ENGINE=InnoDB",
    ],
    sqlite: &[
        "DROP TABLE larkfire_budget",
        "CREATE TABLE larkfire_budget (
            receiver TEXT NOT NULL PRIMARY KEY,
            minute_free_ms INTEGER NOT NULL,
            second_free_ms INTEGER NOT NULL,
            held_until_ms INTEGER NOT NULL,
            held_for_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
    ],
};

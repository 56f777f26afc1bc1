-- What became of alerts. `number` tells the rows of one millisecond apart.
CREATE TABLE IF NOT EXISTS larkfire_history (
    at_ms INTEGER NOT NULL,
    number INTEGER NOT NULL,
    receiver BLOB NOT NULL,
    identity BLOB NOT NULL,
    name BLOB NOT NULL,
    status INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    by_envelope BLOB,
    last_ms INTEGER NOT NULL,
    times INTEGER NOT NULL,
    until_ms INTEGER,
    card BLOB,
    bot BLOB,
    attempts INTEGER NOT NULL,
    code INTEGER,
    reason BLOB,
    labels BLOB NOT NULL,
    PRIMARY KEY (at_ms, number)
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_history_receiver ON larkfire_history (receiver, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_identity ON larkfire_history (identity, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_name ON larkfire_history (name, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_outcome ON larkfire_history (outcome, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_envelope ON larkfire_history (envelope);
CREATE INDEX IF NOT EXISTS larkfire_history_card ON larkfire_history (card);
-- How much was written in each ten minutes: what is to make room is found without counting rows.
CREATE TABLE IF NOT EXISTS larkfire_history_size (
    slot_ms INTEGER NOT NULL PRIMARY KEY,
    kept INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;

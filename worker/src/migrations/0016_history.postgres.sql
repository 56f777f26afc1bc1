-- What became of alerts. `number` tells the rows of one millisecond apart, those of several workers as well.
CREATE TABLE IF NOT EXISTS larkfire_history (
    at_ms BIGINT NOT NULL,
    number BIGINT NOT NULL,
    receiver BYTEA NOT NULL,
    identity BYTEA NOT NULL,
    name BYTEA NOT NULL,
    status BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    envelope BYTEA NOT NULL,
    by_envelope BYTEA,
    last_ms BIGINT NOT NULL,
    times BIGINT NOT NULL,
    until_ms BIGINT,
    card BYTEA,
    bot BYTEA,
    attempts BIGINT NOT NULL,
    code BIGINT,
    reason BYTEA,
    labels BYTEA NOT NULL,
    PRIMARY KEY (at_ms, number)
);
CREATE INDEX IF NOT EXISTS larkfire_history_receiver ON larkfire_history (receiver, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_identity ON larkfire_history (identity, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_name ON larkfire_history (name, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_outcome ON larkfire_history (outcome, at_ms);
CREATE INDEX IF NOT EXISTS larkfire_history_envelope ON larkfire_history (envelope);
CREATE INDEX IF NOT EXISTS larkfire_history_card ON larkfire_history (card);
-- How much was written in each ten minutes: what is to make room is found without counting rows.
CREATE TABLE IF NOT EXISTS larkfire_history_size (
    slot_ms BIGINT NOT NULL PRIMARY KEY, kept BIGINT NOT NULL, bytes BIGINT NOT NULL
);

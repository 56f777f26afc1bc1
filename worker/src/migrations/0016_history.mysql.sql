-- What became of alerts. Names are bytes, as in the ledger. `number` tells the rows of one millisecond apart, those of
-- several workers as well; the order of the rows is that of time, so that the oldest go together.
CREATE TABLE IF NOT EXISTS larkfire_history (
    at_ms BIGINT NOT NULL,
    number BIGINT NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    identity VARBINARY(64) NOT NULL,
    name VARBINARY(128) NOT NULL,
    status TINYINT NOT NULL,
    outcome TINYINT NOT NULL,
    envelope BINARY(16) NOT NULL,
    by_envelope BINARY(16) NULL,
    last_ms BIGINT NOT NULL,
    times BIGINT NOT NULL,
    until_ms BIGINT NULL,
    card VARBINARY(64) NULL,
    bot VARBINARY(80) NULL,
    attempts BIGINT NOT NULL,
    code BIGINT NULL,
    reason VARBINARY(512) NULL,
    labels BLOB NOT NULL,
    PRIMARY KEY (at_ms, number),
    KEY larkfire_history_receiver (receiver, at_ms),
    KEY larkfire_history_identity (identity, at_ms),
    KEY larkfire_history_name (name, at_ms),
    KEY larkfire_history_outcome (outcome, at_ms),
    KEY larkfire_history_envelope (envelope),
    KEY larkfire_history_card (card)
) ENGINE=InnoDB;
-- How much was written in each ten minutes: what is to make room is found without counting rows.
CREATE TABLE IF NOT EXISTS larkfire_history_size (
    slot_ms BIGINT NOT NULL PRIMARY KEY,
    kept BIGINT NOT NULL,
    bytes BIGINT NOT NULL
) ENGINE=InnoDB;

-- Who has taken on what. `told_at` is that of the ledger's row: once the alert is told anew, for whatever reason, it is
-- another time, and the acknowledgement means nothing any more.
CREATE TABLE IF NOT EXISTS larkfire_acknowledgements (
    fingerprint BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    told_at BIGINT NOT NULL,
    who TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver)
);
CREATE INDEX IF NOT EXISTS larkfire_acknowledgements_by_time ON larkfire_acknowledgements (at_ms);

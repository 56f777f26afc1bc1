-- Who has taken on what. `told_at` is that of the ledger's row: once the alert is told anew, for whatever reason, it is
-- another time, and the acknowledgement means nothing any more.
CREATE TABLE IF NOT EXISTS larkfire_acknowledgements (
    fingerprint BLOB NOT NULL,
    receiver BLOB NOT NULL,
    told_at INTEGER NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, receiver)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_acknowledgements_by_time ON larkfire_acknowledgements (at_ms);

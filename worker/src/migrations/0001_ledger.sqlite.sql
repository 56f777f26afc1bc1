CREATE TABLE IF NOT EXISTS larkfire_ledger (
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
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_ledger_told_envelope ON larkfire_ledger (told_envelope);
CREATE INDEX IF NOT EXISTS larkfire_ledger_claim_envelope ON larkfire_ledger (claim_envelope);
CREATE INDEX IF NOT EXISTS larkfire_ledger_touched_at ON larkfire_ledger (touched_at);

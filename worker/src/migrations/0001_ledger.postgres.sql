-- Keys are bytes, as in the other databases. Every number is a BIGINT, which is what statements bind. The fingerprint comes
-- first in the keys, so that an alert is found at whatever receiver.
CREATE TABLE IF NOT EXISTS larkfire_ledger (
    fingerprint BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    told_instance BIGINT,
    told_status BIGINT,
    told_seen BIGINT,
    told_at BIGINT,
    told_envelope BYTEA,
    claim_instance BIGINT,
    claim_status BIGINT,
    claim_seen BIGINT,
    claim_until BIGINT,
    claim_envelope BYTEA,
    claim_holder BIGINT,
    touched_at BIGINT NOT NULL,
    previous BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver)
);
CREATE INDEX IF NOT EXISTS larkfire_ledger_told_envelope ON larkfire_ledger (told_envelope);
CREATE INDEX IF NOT EXISTS larkfire_ledger_claim_envelope ON larkfire_ledger (claim_envelope);
CREATE INDEX IF NOT EXISTS larkfire_ledger_touched_at ON larkfire_ledger (touched_at);

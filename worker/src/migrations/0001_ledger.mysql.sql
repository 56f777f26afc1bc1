-- Keys are bytes: to a collation `a` and `A` would be the same alert. The fingerprint comes first in them, so that an alert
-- is found at whatever receiver.
CREATE TABLE IF NOT EXISTS larkfire_ledger (
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
) ENGINE=InnoDB;

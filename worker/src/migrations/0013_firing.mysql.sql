-- Names are bytes, as in the ledger, beside which it stands.
-- `ended_ms` is when a worker last took it upon itself to say that it is over.
CREATE TABLE IF NOT EXISTS larkfire_firing (
    fingerprint VARBINARY(64) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    line MEDIUMBLOB NOT NULL,
    kept_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver),
    KEY larkfire_firing_age (kept_ms)
) ENGINE=InnoDB;

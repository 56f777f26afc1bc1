-- What was told instead of a receiver that could not be reached, and by whom: its end goes there as well.
CREATE TABLE IF NOT EXISTS larkfire_fallbacks (
    receiver VARBINARY(64) NOT NULL,
    fingerprint VARBINARY(64) NOT NULL,
    told VARBINARY(64) NOT NULL,
    kept_ms BIGINT NOT NULL,
    PRIMARY KEY (receiver, fingerprint),
    KEY larkfire_fallbacks_age (kept_ms)
) ENGINE=InnoDB;

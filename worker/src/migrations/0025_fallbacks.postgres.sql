-- What was told instead of a receiver that could not be reached, and by whom: its end goes there as well.
CREATE TABLE IF NOT EXISTS larkfire_fallbacks (
    receiver BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    told BYTEA NOT NULL,
    kept_ms BIGINT NOT NULL,
    PRIMARY KEY (receiver, fingerprint)
);
CREATE INDEX IF NOT EXISTS larkfire_fallbacks_age ON larkfire_fallbacks (kept_ms);

-- What was told instead of a receiver that could not be reached, and by whom: its end goes there as well.
CREATE TABLE IF NOT EXISTS larkfire_fallbacks (
    receiver BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    told BLOB NOT NULL,
    kept_ms INTEGER NOT NULL,
    PRIMARY KEY (receiver, fingerprint)
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_fallbacks_age ON larkfire_fallbacks (kept_ms);

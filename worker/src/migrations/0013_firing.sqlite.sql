-- `ended_ms` is when a worker last took it upon itself to say that it is over.
CREATE TABLE IF NOT EXISTS larkfire_firing (
    fingerprint BLOB NOT NULL,
    receiver BLOB NOT NULL,
    line BLOB NOT NULL,
    kept_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, receiver)
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_firing_age ON larkfire_firing (kept_ms);

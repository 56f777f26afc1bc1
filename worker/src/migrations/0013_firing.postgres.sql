-- `ended_ms` is when a worker last took it upon itself to say that it is over.
CREATE TABLE IF NOT EXISTS larkfire_firing (
    fingerprint BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    line BYTEA NOT NULL,
    kept_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver)
);
CREATE INDEX IF NOT EXISTS larkfire_firing_age ON larkfire_firing (kept_ms);

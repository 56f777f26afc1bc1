-- What the last cards of each receiver told together.
CREATE TABLE IF NOT EXISTS larkfire_storms (
    receiver BYTEA NOT NULL PRIMARY KEY,
    begun_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    cards BIGINT NOT NULL,
    firing BIGINT NOT NULL,
    resolved BIGINT NOT NULL
);

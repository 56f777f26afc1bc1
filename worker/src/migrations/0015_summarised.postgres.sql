-- Alerts that a card counts and could not list, some in each row, as JSON.
CREATE TABLE IF NOT EXISTS larkfire_summarised (
    card BYTEA NOT NULL,
    part BIGINT NOT NULL,
    receiver BYTEA NOT NULL,
    alerts BYTEA NOT NULL,
    kept_ms BIGINT NOT NULL,
    PRIMARY KEY (card, part)
);
CREATE INDEX IF NOT EXISTS larkfire_summarised_age ON larkfire_summarised (kept_ms);

-- Alerts that a card counts and could not list, some in each row, as JSON.
CREATE TABLE IF NOT EXISTS larkfire_summarised (
    card BLOB NOT NULL,
    part INTEGER NOT NULL,
    receiver BLOB NOT NULL,
    alerts BLOB NOT NULL,
    kept_ms INTEGER NOT NULL,
    PRIMARY KEY (card, part)
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_summarised_age ON larkfire_summarised (kept_ms);

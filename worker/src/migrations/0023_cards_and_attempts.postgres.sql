-- Cards as they were sent, packed (deflate, RFC 1951), so that their pages show them.
CREATE TABLE IF NOT EXISTS larkfire_sent_cards (
    card BYTEA NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, bytes BIGINT NOT NULL, body BYTEA NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_sent_cards_age ON larkfire_sent_cards (at_ms, bytes);
-- Attempts to log in to the console that failed, as all workers count them: names and addresses are hashes.
CREATE TABLE IF NOT EXISTS larkfire_console_attempts (
    attempt BYTEA NOT NULL PRIMARY KEY, failures BIGINT NOT NULL, at_ms BIGINT NOT NULL, open_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_console_attempts_at ON larkfire_console_attempts (at_ms);

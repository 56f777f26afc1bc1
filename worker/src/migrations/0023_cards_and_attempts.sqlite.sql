-- Cards as they were sent, packed (deflate, RFC 1951), so that their pages show them.
CREATE TABLE IF NOT EXISTS larkfire_sent_cards (
    card BLOB NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_sent_cards_age ON larkfire_sent_cards (at_ms, bytes);
-- Attempts to log in to the console that failed, as all workers count them: names and addresses are hashes.
CREATE TABLE IF NOT EXISTS larkfire_console_attempts (
    attempt BLOB NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    open_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_console_attempts_at ON larkfire_console_attempts (at_ms);

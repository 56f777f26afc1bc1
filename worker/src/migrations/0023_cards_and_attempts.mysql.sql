-- Cards as they were sent, packed (deflate, RFC 1951), so that their pages show them.
CREATE TABLE IF NOT EXISTS larkfire_sent_cards (
    card VARBINARY(64) NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    body MEDIUMBLOB NOT NULL,
    KEY larkfire_sent_cards_age (at_ms, bytes)
) ENGINE=InnoDB;
-- Attempts to log in to the console that failed, as all workers count them: names and addresses are hashes.
CREATE TABLE IF NOT EXISTS larkfire_console_attempts (
    attempt BINARY(32) NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    open_ms BIGINT NOT NULL,
    KEY larkfire_console_attempts_at (at_ms)
) ENGINE=InnoDB;

-- Who is logged in to the console: a hash of the token, never the token.
CREATE TABLE IF NOT EXISTS larkfire_console_sessions (
    token BINARY(32) NOT NULL PRIMARY KEY,
    way VARBINARY(16) NOT NULL,
    subject VARBINARY(256) NOT NULL,
    name VARBINARY(1024) NOT NULL,
    proof BINARY(32) NOT NULL,
    begun_ms BIGINT NOT NULL,
    used_ms BIGINT NOT NULL,
    KEY larkfire_console_sessions_subject (subject),
    KEY larkfire_console_sessions_used (used_ms)
) ENGINE=InnoDB;
-- What counts once: a hash of the state of each log-in with Feishu that came back.
CREATE TABLE IF NOT EXISTS larkfire_console_once (
    hash BINARY(32) NOT NULL PRIMARY KEY,
    until_ms BIGINT NOT NULL,
    KEY larkfire_console_once_until (until_ms)
) ENGINE=InnoDB;

-- Who is logged in to the console: a hash of the token, never the token.
CREATE TABLE IF NOT EXISTS larkfire_console_sessions (
    token BYTEA NOT NULL PRIMARY KEY,
    way BYTEA NOT NULL,
    subject BYTEA NOT NULL,
    name BYTEA NOT NULL,
    proof BYTEA NOT NULL,
    begun_ms BIGINT NOT NULL,
    used_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_console_sessions_subject ON larkfire_console_sessions (subject);
CREATE INDEX IF NOT EXISTS larkfire_console_sessions_used ON larkfire_console_sessions (used_ms);
-- What counts once: a hash of the state of each log-in with Feishu that came back.
CREATE TABLE IF NOT EXISTS larkfire_console_once (
    hash BYTEA NOT NULL PRIMARY KEY, until_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_console_once_until ON larkfire_console_once (until_ms);

-- Who is logged in to the console: a hash of the token, never the token.
CREATE TABLE IF NOT EXISTS larkfire_console_sessions (
    token BLOB NOT NULL PRIMARY KEY,
    way BLOB NOT NULL,
    subject BLOB NOT NULL,
    name BLOB NOT NULL,
    proof BLOB NOT NULL,
    begun_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_console_sessions_subject ON larkfire_console_sessions (subject);
CREATE INDEX IF NOT EXISTS larkfire_console_sessions_used ON larkfire_console_sessions (used_ms);
-- What counts once: a hash of the state of each log-in with Feishu that came back.
CREATE TABLE IF NOT EXISTS larkfire_console_once (
    hash BLOB NOT NULL PRIMARY KEY,
    until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_console_once_until ON larkfire_console_once (until_ms);

-- `AUTOINCREMENT`: a letter's number goes round in messages, so none may be used twice.
CREATE TABLE IF NOT EXISTS larkfire_dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    letter_key BLOB NOT NULL UNIQUE,
    line_key BLOB NOT NULL,
    envelope BLOB,
    receiver TEXT NOT NULL,
    source TEXT,
    reason TEXT NOT NULL,
    code INTEGER,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_ms INTEGER NOT NULL,
    last_failed_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    changed_ms INTEGER NOT NULL,
    changed_by INTEGER,
    alerts INTEGER NOT NULL,
    summary TEXT NOT NULL,
    body BLOB NOT NULL,
    body_bytes INTEGER NOT NULL,
    card BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_state
ON larkfire_dead_letters (state, changed_ms);
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_envelope ON larkfire_dead_letters (envelope);
CREATE TABLE IF NOT EXISTS larkfire_dead_alerts (
    fingerprint TEXT NOT NULL, letter_key BLOB NOT NULL, PRIMARY KEY (fingerprint, letter_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_dead_alerts_by_letter ON larkfire_dead_alerts (letter_key);
CREATE TABLE IF NOT EXISTS larkfire_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    chosen TEXT NOT NULL,
    letters INTEGER NOT NULL,
    done INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_audit_by_time ON larkfire_audit (at_ms);

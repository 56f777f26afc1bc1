CREATE TABLE IF NOT EXISTS larkfire_interactions (
    dedup_key BLOB NOT NULL PRIMARY KEY, begun_ms INTEGER NOT NULL, is_done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_interactions_by_time ON larkfire_interactions (begun_ms);
CREATE TABLE IF NOT EXISTS larkfire_silences (
    silence TEXT NOT NULL,
    alertmanager TEXT NOT NULL,
    receiver BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (silence, alertmanager)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_silences_by_alert ON larkfire_silences (fingerprint, receiver);
CREATE INDEX IF NOT EXISTS larkfire_silences_by_time ON larkfire_silences (until_ms);

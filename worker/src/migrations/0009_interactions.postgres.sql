CREATE TABLE IF NOT EXISTS larkfire_interactions (
    dedup_key BYTEA NOT NULL PRIMARY KEY, begun_ms BIGINT NOT NULL, is_done BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_interactions_by_time ON larkfire_interactions (begun_ms);
CREATE TABLE IF NOT EXISTS larkfire_silences (
    silence TEXT COLLATE "C" NOT NULL,
    alertmanager TEXT COLLATE "C" NOT NULL,
    receiver BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (silence, alertmanager)
);
CREATE INDEX IF NOT EXISTS larkfire_silences_by_alert ON larkfire_silences (fingerprint, receiver);
CREATE INDEX IF NOT EXISTS larkfire_silences_by_time ON larkfire_silences (until_ms);

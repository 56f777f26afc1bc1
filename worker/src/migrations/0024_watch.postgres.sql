-- Alerts that are expected again and again. Zero is never: nothing of ours happened in 1970.
-- `taken_ms` and `taken_by` are when which worker last took it upon itself to tell.
CREATE TABLE IF NOT EXISTS larkfire_heartbeats (
    name BYTEA NOT NULL PRIMARY KEY,
    receiver BYTEA NOT NULL,
    every_ms BIGINT NOT NULL,
    allowed_ms BIGINT NOT NULL,
    wanted_ms BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    heard_ms BIGINT NOT NULL,
    missing_ms BIGINT NOT NULL,
    told_ms BIGINT NOT NULL,
    taken_ms BIGINT NOT NULL,
    taken_by BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_heartbeats_taken ON larkfire_heartbeats (taken_by);
-- One row: since when some worker has always heard everything, and when one last said so.
CREATE TABLE IF NOT EXISTS larkfire_listening (
    id BIGINT NOT NULL PRIMARY KEY,
    since_ms BIGINT NOT NULL,
    listened_ms BIGINT NOT NULL
);
-- What is the matter with Larkfire itself: `subject` is a bot's name, or empty for dead letters. Zero is never.
CREATE TABLE IF NOT EXISTS larkfire_trouble (
    subject BYTEA NOT NULL PRIMARY KEY,
    kind BIGINT NOT NULL,
    code BIGINT,
    detail BYTEA NOT NULL,
    since_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    over_ms BIGINT NOT NULL,
    told_ms BIGINT NOT NULL,
    taken_ms BIGINT NOT NULL,
    taken_by BIGINT NOT NULL
);

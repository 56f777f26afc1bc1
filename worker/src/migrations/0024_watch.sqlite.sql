-- Alerts that are expected again and again. Zero is never: nothing of ours happened in 1970.
-- `taken_ms` and `taken_by` are when which worker last took it upon itself to tell.
CREATE TABLE IF NOT EXISTS larkfire_heartbeats (
    name BLOB NOT NULL PRIMARY KEY,
    receiver BLOB NOT NULL,
    every_ms INTEGER NOT NULL,
    allowed_ms INTEGER NOT NULL,
    wanted_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    heard_ms INTEGER NOT NULL,
    missing_ms INTEGER NOT NULL,
    told_ms INTEGER NOT NULL,
    taken_ms INTEGER NOT NULL,
    taken_by INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_heartbeats_taken ON larkfire_heartbeats (taken_by);
-- One row: since when some worker has always heard everything, and when one last said so.
CREATE TABLE IF NOT EXISTS larkfire_listening (
    id INTEGER NOT NULL PRIMARY KEY,
    since_ms INTEGER NOT NULL,
    listened_ms INTEGER NOT NULL
) STRICT;
-- What is the matter with Larkfire itself: `subject` is a bot's name, or empty for dead letters. Zero is never.
CREATE TABLE IF NOT EXISTS larkfire_trouble (
    subject BLOB NOT NULL PRIMARY KEY,
    kind INTEGER NOT NULL,
    code INTEGER,
    detail BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    over_ms INTEGER NOT NULL,
    told_ms INTEGER NOT NULL,
    taken_ms INTEGER NOT NULL,
    taken_by INTEGER NOT NULL
) STRICT;

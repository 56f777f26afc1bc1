-- Ours, where there is no other. Names are compared without case, as `MySQL` mostly does.
CREATE TABLE IF NOT EXISTS larkfire_users (
    username TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    nickname TEXT,
    mobile TEXT,
    source_user_id TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_users_by_mobile ON larkfire_users (mobile);

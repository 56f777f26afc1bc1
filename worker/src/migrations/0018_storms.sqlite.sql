-- What the last cards of each receiver told together.
CREATE TABLE IF NOT EXISTS larkfire_storms (
    receiver BLOB NOT NULL PRIMARY KEY,
    begun_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    cards INTEGER NOT NULL,
    firing INTEGER NOT NULL,
    resolved INTEGER NOT NULL
) STRICT;

-- Who stands in for whoever's turn it would be, as people have agreed.
CREATE TABLE IF NOT EXISTS larkfire_oncall_swaps (
    id BLOB NOT NULL PRIMARY KEY,
    rotation TEXT NOT NULL,
    person TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    who TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_oncall_swaps_made ON larkfire_oncall_swaps (made_ms);
CREATE INDEX IF NOT EXISTS larkfire_oncall_swaps_until ON larkfire_oncall_swaps (until_ms);

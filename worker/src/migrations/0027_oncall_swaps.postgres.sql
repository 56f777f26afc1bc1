-- Who stands in for whoever's turn it would be, as people have agreed.
CREATE TABLE IF NOT EXISTS larkfire_oncall_swaps (
    id BYTEA NOT NULL PRIMARY KEY,
    rotation TEXT NOT NULL,
    person TEXT NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    who TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_oncall_swaps_made ON larkfire_oncall_swaps (made_ms);
CREATE INDEX IF NOT EXISTS larkfire_oncall_swaps_until ON larkfire_oncall_swaps (until_ms);

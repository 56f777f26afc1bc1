-- Who stands in for whoever's turn it would be, as people have agreed.
CREATE TABLE IF NOT EXISTS larkfire_oncall_swaps (
    id VARBINARY(64) NOT NULL PRIMARY KEY,
    rotation VARCHAR(128) NOT NULL,
    person VARCHAR(128) NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    who VARCHAR(128) NOT NULL,
    KEY larkfire_oncall_swaps_made (made_ms),
    KEY larkfire_oncall_swaps_until (until_ms)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who has taken on what. `told_at` is that of the ledger's row: once the alert is told anew, for whatever reason, it is
-- another time, and the acknowledgement means nothing any more.
CREATE TABLE IF NOT EXISTS larkfire_acknowledgements (
    fingerprint VARBINARY(64) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    told_at BIGINT NOT NULL,
    who VARCHAR(255) NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver),
    KEY by_time (at_ms)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

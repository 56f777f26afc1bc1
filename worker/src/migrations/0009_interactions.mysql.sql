CREATE TABLE IF NOT EXISTS larkfire_interactions (
    dedup_key BINARY(32) NOT NULL PRIMARY KEY,
    begun_ms BIGINT NOT NULL,
    is_done BIGINT NOT NULL,
    KEY by_time (begun_ms)
) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS larkfire_silences (
    silence VARCHAR(64) NOT NULL,
    alertmanager VARCHAR(255) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    fingerprint VARBINARY(64) NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (silence, alertmanager),
    KEY by_alert (fingerprint, receiver),
    KEY by_time (until_ms)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

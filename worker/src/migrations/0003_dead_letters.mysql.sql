CREATE TABLE IF NOT EXISTS larkfire_dead_letters (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    letter_key BINARY(32) NOT NULL,
    line_key BINARY(32) NOT NULL,
    envelope VARBINARY(16) NULL,
    receiver VARCHAR(255) NOT NULL,
    source VARCHAR(32) NULL,
    reason VARCHAR(32) NOT NULL,
    code BIGINT NULL,
    message TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    first_failed_ms BIGINT NOT NULL,
    last_failed_ms BIGINT NOT NULL,
    stored_ms BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    outcome VARCHAR(32) NULL,
    changed_ms BIGINT NOT NULL,
    changed_by BIGINT NULL,
    alerts BIGINT NOT NULL,
    summary VARCHAR(255) NOT NULL,
    body MEDIUMBLOB NOT NULL,
    body_bytes BIGINT NOT NULL,
    card MEDIUMBLOB NULL,
    UNIQUE KEY by_letter (letter_key),
    KEY by_state (state, changed_ms),
    KEY by_envelope (envelope)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS larkfire_dead_alerts (
    fingerprint VARCHAR(64) NOT NULL,
    letter_key BINARY(32) NOT NULL,
    PRIMARY KEY (fingerprint, letter_key),
    KEY by_letter (letter_key)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS larkfire_audit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    who VARCHAR(255) NOT NULL,
    action VARCHAR(32) NOT NULL,
    chosen TEXT NOT NULL,
    letters BIGINT NOT NULL,
    done BIGINT NULL,
    KEY by_time (at_ms)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Names are bytes: receivers differ by case, and so do ids of Feishu's.
CREATE TABLE IF NOT EXISTS larkfire_cards (
    card VARBINARY(64) NOT NULL PRIMARY KEY,
    receiver VARBINARY(64) NOT NULL,
    message VARBINARY(128) NULL,
    begun_ms BIGINT NOT NULL,
    content MEDIUMBLOB NOT NULL,
    states MEDIUMBLOB NOT NULL,
    firing BIGINT NOT NULL,
    version BIGINT NOT NULL,
    shown BIGINT NOT NULL,
    is_over_told BIGINT NOT NULL,
    due_ms BIGINT NULL,
    lease_until_ms BIGINT NOT NULL,
    holder BIGINT NOT NULL,
    KEY by_message (message),
    KEY by_due (due_ms),
    KEY by_age (begun_ms)
) ENGINE=InnoDB;
CREATE TABLE IF NOT EXISTS larkfire_card_alerts (
    fingerprint VARBINARY(64) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    card VARBINARY(64) NOT NULL,
    envelope BINARY(16) NOT NULL,
    PRIMARY KEY (fingerprint, receiver, card),
    KEY by_card (card)
) ENGINE=InnoDB;

-- Alerts that a card counts and could not list, some in each row, as JSON.
CREATE TABLE IF NOT EXISTS larkfire_summarised (
    card VARBINARY(64) NOT NULL,
    part INT NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    alerts MEDIUMBLOB NOT NULL,
    kept_ms BIGINT NOT NULL,
    PRIMARY KEY (card, part),
    KEY larkfire_summarised_age (kept_ms)
) ENGINE=InnoDB;

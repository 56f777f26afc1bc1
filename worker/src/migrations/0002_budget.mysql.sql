-- The names of receivers are bytes: they differ by case and by spaces at the end.
-- The first two are the last question and its answer: the statement's own notes, and good to look at.
CREATE TABLE IF NOT EXISTS larkfire_budget (
    receiver VARBINARY(64) NOT NULL PRIMARY KEY,
    asked_ms BIGINT NOT NULL,
    wait_ms BIGINT NOT NULL,
    minute_free_ms BIGINT NOT NULL,
    second_free_ms BIGINT NOT NULL,
    held_until_ms BIGINT NOT NULL
) ENGINE=InnoDB;
-- Seconds are fine enough here: who was seen lately is a question of minutes.
CREATE TABLE IF NOT EXISTS larkfire_workers (
    id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    seen_s BIGINT NOT NULL
) ENGINE=InnoDB;

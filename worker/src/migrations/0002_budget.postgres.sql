-- `asked_ms` and `wait_ms` are the last question and its answer, good to look at. Room is left on each page, so that a row
-- that changes with every card stays on its page, and its index as it is.
CREATE TABLE IF NOT EXISTS larkfire_budget (
    receiver BYTEA NOT NULL PRIMARY KEY,
    asked_ms BIGINT NOT NULL,
    wait_ms BIGINT NOT NULL,
    minute_free_ms BIGINT NOT NULL,
    second_free_ms BIGINT NOT NULL,
    held_until_ms BIGINT NOT NULL
) WITH (fillfactor = 50);
-- Seconds are fine enough here: who was seen lately is a question of minutes.
CREATE TABLE IF NOT EXISTS larkfire_workers (
    id BIGINT NOT NULL PRIMARY KEY,
    seen_s BIGINT NOT NULL
);

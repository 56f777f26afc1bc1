-- How long a hold was when it was put. What a budget knows is good for a minute, so the table is made anew, which
-- can be done twice: `MySQL` has no column that is added only where it is missing.
DROP TABLE IF EXISTS larkfire_budget;
CREATE TABLE larkfire_budget (
    receiver VARBINARY(64) NOT NULL PRIMARY KEY,
    asked_ms BIGINT NOT NULL,
    wait_ms BIGINT NOT NULL,
    minute_free_ms BIGINT NOT NULL,
    second_free_ms BIGINT NOT NULL,
    held_until_ms BIGINT NOT NULL,
    held_for_ms BIGINT NOT NULL DEFAULT 0
) ENGINE=InnoDB;

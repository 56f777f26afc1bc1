-- How long a hold was when it was put. What a budget knows is good for a minute, so the table is made anew, which
-- can be done twice: `MySQL` has no column that is added only where it is missing.
DROP TABLE larkfire_budget;
CREATE TABLE larkfire_budget (
    receiver TEXT NOT NULL PRIMARY KEY,
    minute_free_ms INTEGER NOT NULL,
    second_free_ms INTEGER NOT NULL,
    held_until_ms INTEGER NOT NULL,
    held_for_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

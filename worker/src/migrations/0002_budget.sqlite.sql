-- Whoever uses the file shares a machine and the database with it, so nobody has to know how many there are.
CREATE TABLE IF NOT EXISTS larkfire_budget (
    receiver TEXT NOT NULL PRIMARY KEY,
    minute_free_ms INTEGER NOT NULL,
    second_free_ms INTEGER NOT NULL,
    held_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

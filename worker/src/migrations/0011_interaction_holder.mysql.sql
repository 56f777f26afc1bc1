-- Who has begun: a random number, so that whoever was not told whether it has can find out.
-- MySQL cannot add a column only where it is missing, and a process may die between two statements.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_interactions' AND column_name = 'holder') = 0,
    'ALTER TABLE larkfire_interactions ADD COLUMN holder BIGINT NOT NULL DEFAULT 0',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

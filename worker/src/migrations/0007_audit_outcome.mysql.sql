-- MySQL cannot add a column only where it is missing, and a process may die between two statements.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_audit' AND column_name = 'outcome') = 0,
    'ALTER TABLE larkfire_audit ADD COLUMN outcome TEXT NULL',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

-- Why somebody did something, as they said. MySQL cannot add what is missing only, and a process may die between two statements.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_audit' AND column_name = 'reason') = 0,
    'ALTER TABLE larkfire_audit ADD COLUMN reason TEXT NULL',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;
-- The letters of one action are counted while it goes on.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_dead_letters' AND index_name = 'by_action') = 0,
    'ALTER TABLE larkfire_dead_letters ADD KEY by_action (changed_by)',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

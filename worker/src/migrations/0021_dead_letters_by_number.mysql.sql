-- Letters are read in the order of their numbers, those of one state: without this each page sorts all of them.
-- MySQL cannot add an index only where it is missing, and a process may die before this is written down.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_dead_letters' AND index_name = 'by_number') = 0,
    'ALTER TABLE larkfire_dead_letters ADD KEY by_number (state, id)',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

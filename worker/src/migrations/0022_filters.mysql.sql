-- An index behind each filter that pages and commands offer, with the numbers in the order they are read in.
-- MySQL cannot add an index only where it is missing, and a process may die before this is written down.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_dead_letters' AND index_name = 'by_receiver') = 0,
    'ALTER TABLE larkfire_dead_letters ADD KEY by_receiver (state, receiver, id),
        ADD KEY by_reason (state, reason, id),
        ADD KEY by_code (state, code, id),
        ADD KEY by_source (state, source, id),
        ADD KEY by_time (state, last_failed_ms, id)',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_audit' AND index_name = 'by_who') = 0,
    'ALTER TABLE larkfire_audit ADD KEY by_who (who, id), ADD KEY by_action (action, id)',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_history' AND index_name = 'larkfire_history_code') = 0,
    'ALTER TABLE larkfire_history ADD KEY larkfire_history_code (code, at_ms)',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

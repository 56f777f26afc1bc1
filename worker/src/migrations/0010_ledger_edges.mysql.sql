-- When an alert began or ended by its sender's clock. Older workers leave both as they are: `decision::times` says what
-- is believed of them.
-- MySQL cannot add a column only where it is missing, and a process may die before this is written down.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_ledger' AND column_name = 'told_edge') = 0,
    'ALTER TABLE larkfire_ledger ADD COLUMN told_edge BIGINT NULL, ADD COLUMN claim_edge BIGINT NULL',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

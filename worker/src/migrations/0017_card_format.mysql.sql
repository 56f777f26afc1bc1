-- What a card is written in: it is updated in the same. Whoever does not say writes 1.0.
-- MySQL cannot add a column only where it is missing, and a process may die between two statements.
SET @larkfire_step = IF((SELECT COUNT(*) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'larkfire_cards' AND column_name = 'format') = 0,
    'ALTER TABLE larkfire_cards ADD COLUMN format VARBINARY(8) NOT NULL DEFAULT ''1.0''',
    'DO 0');
PREPARE larkfire_step FROM @larkfire_step;
EXECUTE larkfire_step;
DEALLOCATE PREPARE larkfire_step;

-- When an alert began or ended by its sender's clock. Older workers leave both as they are: `decision::times` says what
-- is believed of them.
ALTER TABLE larkfire_ledger ADD COLUMN told_edge INTEGER;
ALTER TABLE larkfire_ledger ADD COLUMN claim_edge INTEGER;

-- When an alert began or ended by its sender's clock. Older workers leave both as they are: `decision::times` says what
-- is believed of them.
ALTER TABLE larkfire_ledger
ADD COLUMN IF NOT EXISTS told_edge BIGINT, ADD COLUMN IF NOT EXISTS claim_edge BIGINT;

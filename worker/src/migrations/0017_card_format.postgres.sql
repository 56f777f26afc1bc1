-- What a card is written in: it is updated in the same. Whoever does not say writes 1.0.
ALTER TABLE larkfire_cards ADD COLUMN IF NOT EXISTS format BYTEA NOT NULL DEFAULT '\x312e30';

-- What a card is written in: it is updated in the same. Whoever does not say writes 1.0.
ALTER TABLE larkfire_cards ADD COLUMN format BLOB NOT NULL DEFAULT x'312e30';

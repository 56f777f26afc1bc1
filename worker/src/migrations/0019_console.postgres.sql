-- Why somebody did something, as they said.
ALTER TABLE larkfire_audit ADD COLUMN IF NOT EXISTS reason TEXT COLLATE "C";
-- The letters of one action are counted while it goes on.
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_action ON larkfire_dead_letters (changed_by);

-- How long a hold was when it was put.
ALTER TABLE larkfire_budget ADD COLUMN IF NOT EXISTS held_for_ms BIGINT NOT NULL DEFAULT 0;

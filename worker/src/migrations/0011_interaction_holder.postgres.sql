-- Who has begun: a random number, so that whoever was not told whether it has can find out.
ALTER TABLE larkfire_interactions ADD COLUMN IF NOT EXISTS holder BIGINT NOT NULL DEFAULT 0;

ALTER TABLE larkfire_audit ADD COLUMN outcome TEXT;

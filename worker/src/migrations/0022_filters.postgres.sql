-- An index behind each filter that pages and commands offer, with the numbers in the order they are read in.
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_receiver ON larkfire_dead_letters (state, receiver, id);
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_reason ON larkfire_dead_letters (state, reason, id);
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_code ON larkfire_dead_letters (state, code, id);
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_source ON larkfire_dead_letters (state, source, id);
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_time ON larkfire_dead_letters (state, last_failed_ms, id);
CREATE INDEX IF NOT EXISTS larkfire_audit_by_who ON larkfire_audit (who, id);
CREATE INDEX IF NOT EXISTS larkfire_audit_by_action ON larkfire_audit (action, id);
CREATE INDEX IF NOT EXISTS larkfire_history_code ON larkfire_history (code, at_ms);

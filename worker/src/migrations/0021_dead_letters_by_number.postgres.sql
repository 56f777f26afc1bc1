-- Letters are read in the order of their numbers, those of one state: without this each page sorts all of them.
CREATE INDEX IF NOT EXISTS larkfire_dead_letters_by_number ON larkfire_dead_letters (state, id);

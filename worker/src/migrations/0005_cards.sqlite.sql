CREATE TABLE IF NOT EXISTS larkfire_cards (
    card BLOB NOT NULL PRIMARY KEY,
    receiver BLOB NOT NULL,
    message BLOB,
    begun_ms INTEGER NOT NULL,
    content BLOB NOT NULL,
    states BLOB NOT NULL,
    firing INTEGER NOT NULL,
    version INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    is_over_told INTEGER NOT NULL,
    due_ms INTEGER,
    lease_until_ms INTEGER NOT NULL,
    holder INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_cards_message ON larkfire_cards (message);
CREATE INDEX IF NOT EXISTS larkfire_cards_due ON larkfire_cards (due_ms);
CREATE INDEX IF NOT EXISTS larkfire_cards_age ON larkfire_cards (begun_ms);
CREATE TABLE IF NOT EXISTS larkfire_card_alerts (
    fingerprint BLOB NOT NULL,
    receiver BLOB NOT NULL,
    card BLOB NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (fingerprint, receiver, card)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS larkfire_card_alerts_card ON larkfire_card_alerts (card);

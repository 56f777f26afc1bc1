-- Names are bytes: receivers differ by case, and so do ids of Feishu's.
CREATE TABLE IF NOT EXISTS larkfire_cards (
    card BYTEA NOT NULL PRIMARY KEY,
    receiver BYTEA NOT NULL,
    message BYTEA,
    begun_ms BIGINT NOT NULL,
    content BYTEA NOT NULL,
    states BYTEA NOT NULL,
    firing BIGINT NOT NULL,
    version BIGINT NOT NULL,
    shown BIGINT NOT NULL,
    is_over_told BIGINT NOT NULL,
    due_ms BIGINT,
    lease_until_ms BIGINT NOT NULL,
    holder BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_cards_message ON larkfire_cards (message);
CREATE INDEX IF NOT EXISTS larkfire_cards_due ON larkfire_cards (due_ms);
CREATE INDEX IF NOT EXISTS larkfire_cards_age ON larkfire_cards (begun_ms);
CREATE TABLE IF NOT EXISTS larkfire_card_alerts (
    fingerprint BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    card BYTEA NOT NULL,
    envelope BYTEA NOT NULL,
    PRIMARY KEY (fingerprint, receiver, card)
);
CREATE INDEX IF NOT EXISTS larkfire_card_alerts_card ON larkfire_card_alerts (card);

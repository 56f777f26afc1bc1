-- Who is to be called about which card, and when. `due_ms` is empty once there is nothing left to do; the index serves those that
-- are due and those that are over.
CREATE TABLE IF NOT EXISTS larkfire_escalations (
    id BYTEA NOT NULL PRIMARY KEY,
    escalation BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    card BYTEA NOT NULL,
    message BYTEA NULL,
    content BYTEA NOT NULL,
    alerts BIGINT NOT NULL,
    is_critical BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    step BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_ms BIGINT NULL,
    lease_until_ms BIGINT NOT NULL,
    holder BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_escalations_due ON larkfire_escalations (due_ms, begun_ms);
CREATE INDEX IF NOT EXISTS larkfire_escalations_begun ON larkfire_escalations (begun_ms);
-- Which card somebody is called about for an alert: the newest.
CREATE TABLE IF NOT EXISTS larkfire_escalation_alerts (
    fingerprint BYTEA NOT NULL,
    receiver BYTEA NOT NULL,
    escalation BYTEA NOT NULL,
    id BYTEA NOT NULL,
    begun_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver, escalation)
);
CREATE INDEX IF NOT EXISTS larkfire_escalation_alerts_id ON larkfire_escalation_alerts (id);
CREATE INDEX IF NOT EXISTS larkfire_escalation_alerts_begun ON larkfire_escalation_alerts (begun_ms);
-- How many urgent pushes the app has made in an hour, or a month.
CREATE TABLE IF NOT EXISTS larkfire_urgent_used (
    period BYTEA NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS larkfire_urgent_used_begun ON larkfire_urgent_used (begun_ms);

-- Who is to be called about which card, and when. `due_ms` is empty once there is nothing left to do; the index serves those that
-- are due and those that are over.
CREATE TABLE IF NOT EXISTS larkfire_escalations (
    id BLOB NOT NULL PRIMARY KEY,
    escalation BLOB NOT NULL,
    receiver BLOB NOT NULL,
    card BLOB NOT NULL,
    message BLOB NULL,
    content BLOB NOT NULL,
    alerts INTEGER NOT NULL,
    is_critical INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL,
    step INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_ms INTEGER NULL,
    lease_until_ms INTEGER NOT NULL,
    holder INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_escalations_due ON larkfire_escalations (due_ms, begun_ms);
CREATE INDEX IF NOT EXISTS larkfire_escalations_begun ON larkfire_escalations (begun_ms);
-- Which card somebody is called about for an alert: the newest.
CREATE TABLE IF NOT EXISTS larkfire_escalation_alerts (
    fingerprint BLOB NOT NULL,
    receiver BLOB NOT NULL,
    escalation BLOB NOT NULL,
    id BLOB NOT NULL,
    begun_ms INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, receiver, escalation)
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_escalation_alerts_id ON larkfire_escalation_alerts (id);
CREATE INDEX IF NOT EXISTS larkfire_escalation_alerts_begun ON larkfire_escalation_alerts (begun_ms);
-- How many urgent pushes the app has made in an hour, or a month.
CREATE TABLE IF NOT EXISTS larkfire_urgent_used (
    period BLOB NOT NULL PRIMARY KEY,
    used INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS larkfire_urgent_used_begun ON larkfire_urgent_used (begun_ms);

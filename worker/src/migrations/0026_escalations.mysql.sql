-- Who is to be called about which card, and when. `due_ms` is empty once there is nothing left to do; the index serves those that
-- are due and those that are over.
CREATE TABLE IF NOT EXISTS larkfire_escalations (
    id VARBINARY(64) NOT NULL PRIMARY KEY,
    escalation VARBINARY(64) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    card VARBINARY(64) NOT NULL,
    message VARBINARY(64) NULL,
    content MEDIUMBLOB NOT NULL,
    alerts BIGINT NOT NULL,
    is_critical BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    step BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_ms BIGINT NULL,
    lease_until_ms BIGINT NOT NULL,
    holder BIGINT NOT NULL,
    KEY larkfire_escalations_due (due_ms, begun_ms),
    KEY larkfire_escalations_begun (begun_ms)
) ENGINE=InnoDB;
-- Which card somebody is called about for an alert: the newest.
CREATE TABLE IF NOT EXISTS larkfire_escalation_alerts (
    fingerprint VARBINARY(64) NOT NULL,
    receiver VARBINARY(64) NOT NULL,
    escalation VARBINARY(64) NOT NULL,
    id VARBINARY(64) NOT NULL,
    begun_ms BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, receiver, escalation),
    KEY larkfire_escalation_alerts_id (id),
    KEY larkfire_escalation_alerts_begun (begun_ms)
) ENGINE=InnoDB;
-- How many urgent pushes the app has made in an hour, or a month.
CREATE TABLE IF NOT EXISTS larkfire_urgent_used (
    period VARBINARY(64) NOT NULL PRIMARY KEY,
    used BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    KEY larkfire_urgent_used_begun (begun_ms)
) ENGINE=InnoDB;

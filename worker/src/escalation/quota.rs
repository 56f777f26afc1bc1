//! How often the app may call people by urgent pushes: counted in the database, by all workers together. What cannot be counted
//! is not held back: somebody who is not called is worse than a limit that is passed.

use config::{Urgency, UrgentLimits};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tracing::debug;

use crate::store::sql::{execute, rows};
use crate::store::{AgedRows, Insert, Run, Store, StoreError};

/// How long a count is kept: a month, and some days.
const KEPT_MS: i64 = 62 * 24 * 60 * 60 * 1_000;

const USED: Insert<'_> =
    Insert { table: "larkfire_urgent_used", columns: &["period", "used", "begun_ms"], key: 1 };
const OLD: AgedRows =
    AgedRows { table: "larkfire_urgent_used", key: "period", time: "begun_ms", together: 500 };

/// What of the limits is used up.
#[derive(Clone, Debug)]
pub(crate) struct UrgentQuota {
    store: Store,
    limits: UrgentLimits,
    timezone: TimeZone,
}

/// A time for which pushes are counted, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Period {
    name: String,
    limit: i64,
}

impl UrgentQuota {
    pub(crate) const fn new(store: Store, limits: UrgentLimits, timezone: TimeZone) -> Self {
        Self { store, limits, timezone }
    }

    /// Whether there may be one more push now; it is counted then.
    pub(super) async fn take(&self, app: &str, urgency: Urgency, now: Timestamp) -> bool {
        let periods = periods(app, urgency, self.limits, &self.timezone, now);
        for period in &periods {
            match self.used(period).await {
                Ok(used) if used >= period.limit => return false,
                Ok(_) => {}
                Err(error) => debug!(%error, "urgent pushes are not counted"),
            }
        }
        for period in &periods {
            if let Err(error) = self.count(period, now).await {
                debug!(%error, "an urgent push is not counted");
            }
        }
        true
    }

    async fn used(&self, period: &Period) -> Result<i64, StoreError> {
        let select = "SELECT used FROM larkfire_urgent_used WHERE period = ? LIMIT 1";
        let values = [period.name.as_bytes().into()];
        let found: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), select, &values)).await?;
        Ok(found.first().map_or(0, |(used,)| *used))
    }

    async fn count(&self, period: &Period, now: Timestamp) -> Result<(), StoreError> {
        let updates = ["used = larkfire_urgent_used.used + NEW(used)"];
        let text = &USED.or_update(self.store.pool().dialect(), "VALUES (?, 1, ?)", &updates);
        let values = &[period.name.as_bytes().into(), now.as_millisecond().into()];
        let once = |run| async move {
            match run {
                Run::First => execute(self.store.pool(), text, values).await,
                // Counted twice it would hold somebody back.
                Run::MaybeAgain => Ok(0),
            }
        };
        self.store.within_knowing(once).await.map(drop)
    }
}

/// Forgets the counts of long ago.
pub(super) async fn clean(store: &Store, now_ms: i64) -> Result<(), StoreError> {
    OLD.forget(store, now_ms.saturating_sub(KEPT_MS)).await.map(drop)
}

/// The times a push counts for: its hour, and for what costs money its calendar month.
fn periods(
    app: &str,
    urgency: Urgency,
    limits: UrgentLimits,
    timezone: &TimeZone,
    now: Timestamp,
) -> Vec<Period> {
    let local = now.to_zoned(timezone.clone());
    let hour = Period {
        name: local.strftime(&format!("{app}/%Y-%m-%dT%H")).to_string(),
        limit: limits.per_hour.into(),
    };
    let monthly = match urgency {
        Urgency::App => None,
        Urgency::Sms => limits.sms_per_month,
        Urgency::Phone => limits.phone_per_month,
    };
    let month = monthly.map(|limit| {
        let name = local.strftime(&format!("{app}/%Y-%m")).to_string();
        let kind = if urgency == Urgency::Sms { "sms" } else { "phone" };
        Period { name: format!("{name}/{kind}"), limit: limit.into() }
    });
    [hour].into_iter().chain(month).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_counts_for_its_hour_and_what_costs_money_for_its_month() {
        let limits = UrgentLimits { per_hour: 7, sms_per_month: None, phone_per_month: Some(3) };
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now = "2024-01-31T16:30:00Z".parse().unwrap();
        let names = |urgency| {
            let periods = periods("cli_1", urgency, limits, &zone, now).into_iter();
            periods.map(|period| (period.name, period.limit)).collect::<Vec<_>>()
        };
        let hour = ("cli_1/2024-02-01T00".to_owned(), 7);
        assert_eq!(names(Urgency::App), std::slice::from_ref(&hour));
        assert_eq!(names(Urgency::Sms), std::slice::from_ref(&hour));
        assert_eq!(names(Urgency::Phone), [hour, ("cli_1/2024-02/phone".to_owned(), 3)]);
    }
}

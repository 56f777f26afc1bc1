//! The alert about a heartbeat. Pure.

use std::time::Duration;

use config::Locale;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::HeartbeatRow;
use crate::own_alerts::{OwnAlert, OwnSubject};

/// What people and routes know it by.
const NAME: &str = "HeartbeatMissing";
/// The label with the heartbeat's name.
const LABEL: &str = "heartbeat";
/// Whoever watches the others is silent.
const SEVERITY: &str = "critical";

/// How people are spoken to.
#[derive(Clone, Debug)]
pub struct HeartbeatWords {
    /// In which language.
    pub locale: Locale,
    /// In which times are told.
    pub timezone: TimeZone,
}

impl HeartbeatWords {
    /// It is missing.
    pub(super) fn missing(&self, row: &HeartbeatRow) -> OwnAlert {
        let name = &row.name;
        let every = span(row.every);
        let last = row.heard_at.map(|at| self.time(at));
        let summary = match (self.locale, &last) {
            (Locale::ZhCn, Some(last)) => format!("心跳 {name} 缺失：最后一次收到是 {last}"),
            (Locale::ZhCn, None) => format!("心跳 {name} 缺失：配置以来从未收到"),
            (Locale::En, Some(last)) => format!("The heartbeat {name} is missing: last heard of at {last}"),
            (Locale::En, None) => {
                format!("The heartbeat {name} is missing: never heard of since it was configured")
            }
        };
        let description = match self.locale {
            Locale::ZhCn => format!(
                "它应该每 {every} 来一次。没有它，发送它的监控链路可能已经中断：那里的告警也可能发不出来。请检查 Prometheus、Alertmanager 及到 Larkfire 的网络。"
            ),
            Locale::En => format!(
                "It is to come every {every}. Without it the monitoring that sends it may be cut off, and its alerts with it: look at Prometheus, Alertmanager and the network to Larkfire."
            ),
        };
        Self::alert(row, summary, description, None)
    }

    /// It is there again.
    pub(super) fn returned(&self, row: &HeartbeatRow) -> OwnAlert {
        let name = &row.name;
        let summary = match self.locale {
            Locale::ZhCn => format!("心跳 {name} 已恢复"),
            Locale::En => format!("The heartbeat {name} is there again"),
        };
        let ends_at = row.heard_at.max(row.missing_since).unwrap_or_default();
        Self::alert(row, summary, String::new(), Some(ends_at))
    }

    /// Nobody looks after it any more.
    pub(super) fn unwanted(&self, row: &HeartbeatRow, now: Timestamp) -> OwnAlert {
        let name = &row.name;
        let summary = match self.locale {
            Locale::ZhCn => format!("心跳 {name} 已从配置中删除，不再检查"),
            Locale::En => format!("The heartbeat {name} is not in the configuration any more"),
        };
        Self::alert(row, summary, String::new(), Some(now))
    }

    fn alert(
        row: &HeartbeatRow,
        summary: String,
        description: String,
        ends_at: Option<Timestamp>,
    ) -> OwnAlert {
        OwnAlert {
            name: NAME,
            subject: OwnSubject { label: LABEL, value: row.name.clone() },
            severity: SEVERITY,
            summary,
            description,
            receiver: row.receiver.clone(),
            // The same for every repeat, from whichever worker.
            starts_at: row.missing_since.unwrap_or_default(),
            ends_at,
        }
    }

    fn time(&self, moment: Timestamp) -> String {
        moment.to_zoned(self.timezone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// `90s`, `5m`, `36h`, as the configuration has it.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds % 3_600 == 0 && seconds > 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 && seconds > 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

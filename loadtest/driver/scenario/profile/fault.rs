//! What goes wrong in the middle of a profile, and for how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::range::{OutOfRange, within};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    pub(crate) what: What,
    /// When, counted from the first request.
    pub(crate) at_seconds: f64,
    /// How long; a killed process is started again after it.
    pub(crate) for_seconds: f64,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// The simulator refuses connections.
    FeishuAway,
    /// It answers, a second late at most: answers are let through once a second.
    FeishuSlow,
    /// Every message is refused with 11232, whatever its bot has sent.
    FeishuThrottles,
    /// Every message is refused by the gateway with HTTP 429.
    #[serde(rename = "feishu-429")]
    Feishu429,
    /// Every connection to the broker is closed, and new ones as well.
    BrokerCut,
    /// The same with the database.
    DatabaseCut,
    /// `kill -9` of the first ingest or worker.
    IngestKilled,
    WorkerKilled,
    /// `kill -9` of a broker that is the run's own.
    BrokerKilled,
    /// The same with the database.
    DatabaseKilled,
}

impl Fault {
    pub(crate) fn begins(&self) -> Duration {
        Duration::from_secs_f64(self.at_seconds)
    }

    pub(crate) fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.for_seconds)
    }

    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("fault.at_seconds", self.at_seconds, 0.0..=600.0)?;
        within("fault.for_seconds", self.for_seconds, 0.0..=600.0)
    }
}

impl What {
    /// As the files have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::FeishuAway => "feishu-away",
            Self::FeishuSlow => "feishu-slow",
            Self::FeishuThrottles => "feishu-throttles",
            Self::Feishu429 => "feishu-429",
            Self::BrokerCut => "broker-cut",
            Self::DatabaseCut => "database-cut",
            Self::IngestKilled => "ingest-killed",
            Self::WorkerKilled => "worker-killed",
            Self::BrokerKilled => "broker-killed",
            Self::DatabaseKilled => "database-killed",
        }
    }
}

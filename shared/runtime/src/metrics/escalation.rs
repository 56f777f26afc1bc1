//! Metrics of who is called when nobody takes an alert on.

use super::MetricKind::{Counter, Gauge, Histogram};
use super::{Metric, MetricGroup, label, metric};
use crate::documents::Roles::Worker;
use crate::documents::text;

pub(super) const ESCALATION: MetricGroup = MetricGroup {
    title: text("Escalation", "升级"),
    metrics: &[
        ESCALATIONS,
        ESCALATION_CALLS,
        ESCALATION_UNREACHED,
        ESCALATION_LATENESS,
        ESCALATIONS_WAITING,
        ESCALATIONS_UNWRITTEN,
    ],
};

/// What became of escalations.
pub const ESCALATIONS: Metric = metric(
    "larkfire_escalations_total",
    Counter,
    Worker,
    text(
        "Escalations, one for each card and escalation, that began, and by what ended them.",
        "升级次数（每张卡片、每个升级策略计一次）：开始的，以及按结束原因统计的。",
    ),
)
.labels(&[label("event")])
.advice(
    "`finished`: all steps are done and nobody has taken the alerts on. `lost` must not grow: the database is away for long.",
    "`finished`：所有步骤都已执行，仍无人认领。`lost` 不应增长：数据库长时间不可用。",
);

/// What came of calls.
pub const ESCALATION_CALLS: Metric = metric(
    "larkfire_escalation_calls_total",
    Counter,
    Worker,
    text("Steps of escalations that were due, by how they call and what came of it.", "到期的升级步骤数，按呼叫方式和结果统计。"),
)
.labels(&[label("how"), label("outcome")])
.advice(
    "`together`: one call was for several cards. `refused` and `over_limit` fall through to the next step at once, `failed` is tried again.",
    "`together`：多张卡片合并为一次呼叫。`refused` 和 `over_limit` 立即转入下一步，`failed` 会重试。",
);

/// Who was not reached.
pub const ESCALATION_UNREACHED: Metric = metric(
    "larkfire_escalation_unreached_total",
    Counter,
    Worker,
    text(
        "People who were to be called and whom Feishu does not know, or did not call.",
        "应呼叫而飞书查不到、或未予呼叫的人次。",
    ),
);

/// How late calls are.
pub const ESCALATION_LATENESS: Metric = metric(
    "larkfire_escalation_lateness_seconds",
    Histogram,
    Worker,
    text("From when a step was due until somebody was called.", "从步骤到期到实际呼叫的时间。"),
);

/// What waits.
pub const ESCALATIONS_WAITING: Metric = metric(
    "larkfire_escalations_waiting",
    Gauge,
    Worker,
    text(
        "Escalations in the database that wait for a step, of all workers.",
        "数据库中等待下一步的升级数，所有 worker 合计。",
    ),
);

/// What is not written down.
pub const ESCALATIONS_UNWRITTEN: Metric = metric(
    "larkfire_escalations_unwritten",
    Gauge,
    Worker,
    text(
        "Escalations in this worker's memory that the database has not taken yet.",
        "该 worker 内存中尚未写入数据库的升级数。",
    ),
);

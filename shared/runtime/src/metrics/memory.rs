//! Metrics of what is remembered: dead letters, what was delivered, the database.

use super::MetricKind::{Counter, Gauge};
use super::{Metric, MetricGroup, label, metric};
use crate::documents::Roles::Worker;
use crate::documents::text;

pub(super) const DEAD_LETTERS: MetricGroup = MetricGroup {
    title: text("Dead letters", "死信"),
    metrics: &[DEAD_LETTERS_BY_REASON, DEAD_LETTERS_WAITING, DEAD_LETTERS_KEPT, REPLAYS],
};

pub(super) const DEDUP: MetricGroup = MetricGroup {
    title: text("Database and deduplication", "数据库与去重"),
    metrics: &[
        STORE_UP,
        STORE_FAILURES,
        CACHE_HITS,
        BYPASSED_ALERTS,
        UNRECORDED_ALERTS,
        SUPERSEDED_BY_MORE_THAN_JITTER,
        TIMES_AHEAD,
        CLEANED_ROWS,
        HISTORY_ROWS,
        HISTORY_SKIPPED,
        HISTORY_CLEANED,
        SENT_CARDS_WRITTEN,
        SENT_CARDS_SKIPPED,
    ],
};

pub(super) const WATCH: MetricGroup = MetricGroup {
    title: text("Heartbeats", "心跳"),
    metrics: &[HEARTBEATS, HEARTBEATS_LISTENING, OWN_ALERTS],
};

/// Heartbeats by whether they come.
pub const HEARTBEATS: Metric = metric(
    "larkfire_heartbeats",
    Gauge,
    Worker,
    text("Heartbeats in the configuration, by whether they come.", "已配置的心跳数，按是否按时到来统计。"),
)
.labels(&[label("state")])
.advice(
    "`heard` or `missing`. Every worker shows the same numbers, so take the `max`.",
    "`heard` 为按时到来，`missing` 为缺失。每个 worker 显示相同的数，请取 `max`。",
);

/// Whether what does not come is missing.
pub const HEARTBEATS_LISTENING: Metric = metric(
    "larkfire_heartbeats_listening",
    Gauge,
    Worker,
    text(
        "1 while this worker takes what comes as it comes; the time of heartbeats counts only then.",
        "该 worker 及时取走队列中的消息时为 1；只有这时心跳才计时。",
    ),
)
.advice(
    "0 for long: it works through what has piled up, has no connection to the queue or the database, or ingest's clock is behind its own.",
    "长时间为 0：正在处理积压、与队列或数据库断开，或 ingest 的时钟比它慢。",
);

/// Alerts that Larkfire has raised itself.
pub const OWN_ALERTS: Metric = metric(
    "larkfire_own_alerts_total",
    Counter,
    Worker,
    text(
        "Alerts that this worker has put on the queue itself, repeats included.",
        "该 worker 自己放入队列的告警数，含重复。",
    ),
)
.advice("Outcomes count them, and ingest has not accepted them.", "结局统计包含它们，而 ingest 并未接收过。");

/// What became a dead letter.
pub const DEAD_LETTERS_BY_REASON: Metric = metric(
    "larkfire_dead_letters_total",
    Counter,
    Worker,
    text("Envelopes moved to the dead letters, by reason.", "成为死信的 envelope 数，按原因统计。"),
)
.labels(&[label("reason")])
.advice("**Alert on this one.**", "**请对它设告警。**");

/// What waits for an operator.
pub const DEAD_LETTERS_WAITING: Metric = metric(
    "larkfire_dead_letters_waiting",
    Gauge,
    Worker,
    text("Dead letters in the database that wait for an operator.", "数据库中等待人工处理的死信数。"),
)
.advice(
    "**Alert on this one, too.** Every worker shows the same number, so take the `max`.",
    "**也请对它设告警。** 每个 worker 显示同一个数，请取 `max`。",
);

/// What reached the database.
pub const DEAD_LETTERS_KEPT: Metric = metric(
    "larkfire_dead_letters_kept_total",
    Counter,
    Worker,
    text(
        "Dead letters moved from the queue to the database, repeats included.",
        "从队列移入数据库的死信数，含重复。",
    ),
);

/// What replays came to.
pub const REPLAYS: Metric = metric(
    "larkfire_dead_letter_replays_total",
    Counter,
    Worker,
    text("Replayed dead letters by what came of them.", "重放的死信数，按结果统计。"),
)
.labels(&[label("outcome")])
.advice(
    "Their alerts are counted once more in `larkfire_alerts_total`.",
    "其中的告警在 `larkfire_alerts_total` 中再计一次。",
);

/// Whether the database answers.
pub const STORE_UP: Metric = metric(
    "larkfire_store_up",
    Gauge,
    Worker,
    text(
        "1 while the database answers, 0 while alerts are delivered without it.",
        "数据库可用时为 1；不经数据库送达时为 0。",
    ),
);

/// How often it did not.
pub const STORE_FAILURES: Metric = metric(
    "larkfire_store_failures_total",
    Counter,
    Worker,
    text("Operations on the database that failed or took too long.", "失败或超时的数据库操作数。"),
);

/// Repeats that were recognised in memory.
pub const CACHE_HITS: Metric = metric(
    "larkfire_ledger_cache_hits_total",
    Counter,
    Worker,
    text(
        "Alerts found to be delivered already without asking the database.",
        "未查询数据库即判定为已送达的告警数。",
    ),
);

/// What was decided without the database.
pub const BYPASSED_ALERTS: Metric = metric(
    "larkfire_ledger_bypassed_alerts_total",
    Counter,
    Worker,
    text(
        "Alerts decided about without the database, because it was away.",
        "因数据库不可用而不经它判定的告警数。",
    ),
);

/// What was delivered and is not written down.
pub const UNRECORDED_ALERTS: Metric = metric(
    "larkfire_ledger_unrecorded_alerts_total",
    Counter,
    Worker,
    text(
        "Alerts that were delivered and could not be recorded: they are delivered again if they come again.",
        "已送达但未能记录的告警数：再次送来时会再次送达。",
    ),
);

/// What came too late by more than clocks may differ.
pub const SUPERSEDED_BY_MORE_THAN_JITTER: Metric = metric(
    "larkfire_ledger_superseded_by_more_than_jitter_total",
    Counter,
    Worker,
    text(
        "Alerts superseded by a state newer by more than dedup.jitter: usual after an outage, else a sign of a wrong clock.",
        "因已送达过更新（超过 dedup.jitter）的状态而未送达的告警数：故障恢复后常见，否则说明有时钟不准。",
    ),
);

/// What comes from the future.
pub const TIMES_AHEAD: Metric = metric(
    "larkfire_ledger_times_ahead_total",
    Counter,
    Worker,
    text(
        "Alerts whose start or receipt lies ahead of this worker's clock by more than dedup.jitter: a clock is wrong.",
        "开始或接收时间比本 worker 的时钟超前 dedup.jitter 以上的告警数：有时钟不准。",
    ),
);

/// What was forgotten.
pub const CLEANED_ROWS: Metric = metric(
    "larkfire_ledger_cleaned_rows_total",
    Counter,
    Worker,
    text(
        "Rows removed because nobody had sent their alert for a long time.",
        "因告警长时间没有人再发送而清理的记录数。",
    ),
)
.advice("How long: `dedup.remember`.", "多长时间：`dedup.remember`。");

/// What was written down of what became of alerts.
pub const HISTORY_ROWS: Metric = metric(
    "larkfire_history_rows_total",
    Counter,
    Worker,
    text(
        "Rows of history written; repeats of one alert are one row an hour, written again.",
        "写入的历史行数；同一告警的重复每小时合为一行，该行会多次写入。",
    ),
);

/// What was not.
pub const HISTORY_SKIPPED: Metric = metric(
    "larkfire_history_skipped_total",
    Counter,
    Worker,
    text(
        "Rows of history that were not written: the database was away, or more came than it could take.",
        "未能写入的历史行数：数据库不可用，或来得比它能写的更多。",
    ),
)
.advice("Deliveries do not depend on them.", "不影响送达。");

/// What made room.
pub const HISTORY_CLEANED: Metric = metric(
    "larkfire_history_cleaned_rows_total",
    Counter,
    Worker,
    text("Rows of history removed, by age or to make room.", "因过期或超出上限而删除的历史行数。"),
);

/// Cards for their pages.
pub const SENT_CARDS_WRITTEN: Metric = metric(
    "larkfire_sent_cards_kept_total",
    Counter,
    Worker,
    text(
        "Cards kept as they were sent, so that their pages in the console show them; one that is updated is kept anew.",
        "按发送时的样子保留、供控制台卡片页面显示的卡片数；更新后的卡片会重新保留。",
    ),
);

/// Those that were not.
pub const SENT_CARDS_SKIPPED: Metric = metric(
    "larkfire_sent_cards_skipped_total",
    Counter,
    Worker,
    text(
        "Cards that were sent and not kept for their pages: the database was away, or more came than it could take.",
        "已发送但未能为卡片页面保留的卡片数：数据库不可用，或来得比它能写的更多。",
    ),
)
.advice("Deliveries do not depend on them.", "不影响送达。");

//! Metrics of how alerts come in, of the queue, and of every process.

use super::MetricKind::{Counter, Gauge, Histogram};
use super::{Metric, MetricGroup, label, metric, names};
use crate::documents::Roles::{Both, Ingest};
use crate::documents::text;

pub(super) const INGEST: MetricGroup = MetricGroup {
    title: text("Ingest", "接入"),
    metrics: &[
        REQUESTS,
        REFUSALS,
        CALLBACKS,
        ALERTS_ACCEPTED,
        ACCEPT_DURATION,
        BODIES_IN_MEMORY,
        OPEN_CONNECTIONS,
        DISPLACED_CONNECTIONS,
        FAILED_HANDSHAKES,
        SPOOL_BYTES,
        SPOOL_RECORDS,
        SPOOL_DAMAGED_SEGMENTS,
    ],
};

pub(super) const QUEUE: MetricGroup = MetricGroup {
    title: text("Queue", "队列"),
    metrics: &[PUBLISH_DURATION, PUBLISH_ERRORS, COMMIT_MESSAGES, DELIVERIES, REDELIVERIES, STORED_MESSAGES],
};

pub(super) const PROCESS: MetricGroup = MetricGroup {
    title: text("Configuration and admin port", "配置与管理端口"),
    metrics: &[
        CONFIG_RELOADS,
        CONFIG_RELOAD_OK,
        ADMIN_OPEN_CONNECTIONS,
        ADMIN_DISPLACED_CONNECTIONS,
        CERTIFICATE_ENDS,
        BUILD_INFO,
    ],
};

/// What was answered.
pub const REQUESTS: Metric = metric(
    "larkfire_ingest_requests_total",
    Counter,
    Ingest,
    text("Requests by source and outcome.", "请求数，按来源格式和结果统计。"),
)
.labels(&[label("source"), label("code")])
.advice("`unknown`: answered before the format was known.", "`unknown`：在识别格式之前就已返回。");

/// What the gate refused.
pub const REFUSALS: Metric = metric(
    "larkfire_ingest_refusals_total",
    Counter,
    Ingest,
    text("Requests the gate refused, by reason.", "准入检查拒绝的请求数，按原因统计。"),
)
.labels(&[label("reason")]);

/// Callbacks of Feishu.
pub const CALLBACKS: Metric = metric(
    "larkfire_ingest_callbacks_total",
    Counter,
    Ingest,
    text("Callbacks of Feishu by address and outcome.", "飞书回调数，按地址和结果统计。"),
)
.labels(&[label("address"), label("code")]);

/// Alerts that were answered with 202.
pub const ALERTS_ACCEPTED: Metric = metric(
    "larkfire_ingest_alerts_accepted_total",
    Counter,
    Ingest,
    text(
        "Alerts the queue has confirmed, or the spool has stored.",
        "队列已确认、或已存入本地暂存的告警数。",
    ),
)
.labels(&[label("source")])
.advice("Only these are answered with `202`.", "只有它们会得到 `202`。");

/// How long that took.
pub const ACCEPT_DURATION: Metric = metric(
    "larkfire_ingest_accept_duration_seconds",
    Histogram,
    Ingest,
    text("Time from headers to answer of accepted requests.", "已接受的请求从收到请求头到返回的时间。"),
);

/// What bodies hold of the limit they share.
pub const BODIES_IN_MEMORY: Metric = metric(
    "larkfire_ingest_bodies_in_memory_bytes",
    Gauge,
    Ingest,
    text("Bytes of request bodies in memory.", "内存中请求体的字节数。"),
)
.advice("Its limit is `limits.bodies_bytes`.", "上限为 `limits.bodies_bytes`。");

/// Connections that are open.
pub const OPEN_CONNECTIONS: Metric = metric(
    "larkfire_ingest_open_connections",
    Gauge,
    Ingest,
    text("Connections that are open.", "当前打开的连接数。"),
)
.advice("Their limit is `limits.connections`.", "上限为 `limits.connections`。");

/// Connections closed because others needed their places.
pub const DISPLACED_CONNECTIONS: Metric = metric(
    "larkfire_ingest_displaced_connections_total",
    Counter,
    Ingest,
    text(
        "Connections that waited for their client and were closed because others needed the place.",
        "因其他连接需要位置而被关闭的、正在等待客户端的连接数。",
    ),
)
.advice("Raise `limits.connections`, or look who that is.", "请调大 `limits.connections`，或查一查是谁。");

/// Connections that did not get as far as a request.
pub const FAILED_HANDSHAKES: Metric = metric(
    "larkfire_ingest_handshakes_failed_total",
    Counter,
    Ingest,
    text(
        "Connections closed because their TLS handshake failed or took too long.",
        "TLS 握手失败或超时而关闭的连接数。",
    ),
)
.advice(
    "Clients without a certificate that is taken, ones that speak plain HTTP, and scanners.",
    "没有可接受证书的客户端、以明文 HTTP 连接的客户端，以及扫描器。",
);

/// What waits in the spool.
pub const SPOOL_BYTES: Metric = metric(
    "larkfire_spool_bytes",
    Gauge,
    Ingest,
    text("Bytes on disk that wait for the queue.", "本地暂存中等待进入队列的字节数。"),
)
.advice(
    "Above zero: the spool is in use. Where `spool.dir` is set.",
    "大于零表示本地暂存正在使用。设置了 `spool.dir` 时才有。",
);

/// What became of messages in the spool.
pub const SPOOL_RECORDS: Metric = metric(
    "larkfire_spool_records_total",
    Counter,
    Ingest,
    text("Messages by what became of them in the spool.", "本地暂存中的消息数，按结果统计。"),
)
.labels(&[label("outcome")])
.advice(
    "`refused`: it was full; `failed`: the disk did not take them.",
    "`refused`：已满；`failed`：磁盘写入失败。",
);

/// Files of the spool that were not read to their end.
pub const SPOOL_DAMAGED_SEGMENTS: Metric = metric(
    "larkfire_spool_damaged_segments_total",
    Counter,
    Ingest,
    text("Files of the spool of which a part was not replayed.", "本地暂存中有一部分没有补发的文件数。"),
)
.labels(&[label("kind")])
.advice(
    "`torn`: a crash in the middle of a write; `corrupt`: **look at the file**, it is kept.",
    "`torn`：写到一半时崩溃；`corrupt`：文件损坏，已保留，**请查看**。",
);

/// How long publishes take.
pub const PUBLISH_DURATION: Metric = metric(
    "larkfire_queue_publish_duration_seconds",
    Histogram,
    Both,
    text("Time from a publish to its confirmation.", "从发布消息到收到确认的时间。"),
);

/// Publishes that failed.
pub const PUBLISH_ERRORS: Metric = metric(
    "larkfire_queue_publish_errors_total",
    Counter,
    Both,
    text("Publishes that were not confirmed, by cause.", "未得到确认的发布数，按原因统计。"),
)
.labels(&[label("cause")]);

/// How much of the queue's work is shared.
pub const COMMIT_MESSAGES: Metric = metric(
    "larkfire_queue_commit_messages",
    Histogram,
    Both,
    text(
        "Messages stored together: in one broker message or one transaction.",
        "一起存储的消息数：共用一条队列消息或一个事务。",
    ),
);

/// What consumers were handed.
pub const DELIVERIES: Metric = metric(
    "larkfire_queue_deliveries_total",
    Counter,
    Both,
    text("Messages taken off the queue.", "从队列取出的消息数。"),
);

/// What they were handed again.
pub const REDELIVERIES: Metric = metric(
    "larkfire_queue_redeliveries_total",
    Counter,
    Both,
    text("Messages taken off the queue not for the first time.", "从队列再次取出的消息数。"),
);

/// The depth of the embedded queue.
pub const STORED_MESSAGES: Metric = metric(
    "larkfire_queue_stored_messages",
    Gauge,
    Both,
    text(
        "Messages in the embedded queue; RabbitMQ tells its own depth.",
        "内嵌队列中的消息数；RabbitMQ 的深度见它自己的指标。",
    ),
)
.labels(&[names("queue", "queues of `larkfire`", "`larkfire` 的队列")]);

/// Configurations that were read again.
pub const CONFIG_RELOADS: Metric = metric(
    "larkfire_config_reloads_total",
    Counter,
    Both,
    text("Configurations read again while running, by outcome.", "运行中重新读取配置的次数，按结果统计。"),
)
.labels(&[label("outcome")])
.advice(
    "`refused`: the one before stays in use; the log says what is wrong.",
    "`refused`：继续使用之前的配置；原因见日志。",
);

/// Whether the newest configuration is the one in use.
pub const CONFIG_RELOAD_OK: Metric = metric(
    "larkfire_config_last_reload_successful",
    Gauge,
    Both,
    text(
        "1 while the configuration in use is the newest one, 0 while the newest was refused.",
        "正在使用的就是最新的配置时为 1；最新的配置被拒绝时为 0。",
    ),
);

/// Who is connected to the admin port.
pub const ADMIN_OPEN_CONNECTIONS: Metric = metric(
    "larkfire_admin_open_connections",
    Gauge,
    Both,
    text("Connections of the admin port that are open now.", "管理端口当前打开的连接数。"),
)
.advice("Its limit is 256.", "上限为 256。");

/// Who had to make room there.
pub const ADMIN_DISPLACED_CONNECTIONS: Metric = metric(
    "larkfire_admin_displaced_connections_total",
    Counter,
    Both,
    text(
        "Connections of the admin port closed because others needed their places.",
        "管理端口因其他连接需要位置而关闭的连接数。",
    ),
);

/// When certificates end.
pub const CERTIFICATE_ENDS: Metric = metric(
    "larkfire_tls_certificate_expires_timestamp_seconds",
    Gauge,
    Both,
    text(
        "When what a setting names stops being valid, in Unix time: the first of the certificates that are shown, the last of \
         the CAs that are believed; 0 where the setting is not used.",
        "某个配置项所指证书失效的时间（Unix 时间）：出示的证书链取最早的一张，信任的 CA 取最晚的一张；未使用该配置项时为 0。",
    ),
)
.labels(&[label("setting")])
.advice(
    "Days that are left: `(larkfire_tls_certificate_expires_timestamp_seconds > 0) / 86400 - time() / 86400`.",
    "剩余天数：`(larkfire_tls_certificate_expires_timestamp_seconds > 0) / 86400 - time() / 86400`。",
);

/// What runs.
pub const BUILD_INFO: Metric = metric(
    "larkfire_build_info",
    Gauge,
    Both,
    text(
        "Always 1; the labels say which version runs, and from which commit it was built.",
        "恒为 1；标签为正在运行的版本及其构建所用的提交。",
    ),
)
.labels(&[
    names("version", "the version", "版本号"),
    names(
        "commit",
        "the commit, `unknown` if the build could not tell",
        "提交；构建时无从得知则为 `unknown`",
    ),
]);

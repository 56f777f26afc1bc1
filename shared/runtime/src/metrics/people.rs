//! Metrics of people: who is named on cards, and what people do in Feishu.

use super::MetricKind::{Counter, Gauge};
use super::{Metric, MetricGroup, label, metric};
use crate::documents::Roles::Worker;
use crate::documents::text;

pub(super) const PEOPLE: MetricGroup = MetricGroup {
    title: text("People", "人员与交互"),
    metrics: &[MENTIONS, DIRECTORY_UP, DIRECTORY_FAILURES, INTERACTIONS, INTERACTION_ANSWERS, CONSOLE_LOGINS],
};

/// How people were named.
pub const MENTIONS: Metric = metric(
    "larkfire_mentions_total",
    Counter,
    Worker,
    text(
        "People on cards that were delivered, by how they were named.",
        "已送达卡片上的人数，按呈现方式统计。",
    ),
)
.labels(&[label("outcome")])
.advice(
    "`mentioned`, or only named and [why](owners.md).",
    "`mentioned` 为已 @，其余为只写名字及[原因](owners.md)。",
);

/// Whether people can be looked up.
pub const DIRECTORY_UP: Metric = metric(
    "larkfire_directory_up",
    Gauge,
    Worker,
    text(
        "1 while people can be looked up there, 0 while they are named without.",
        "能在那里查人时为 1；查不了、只写名字时为 0。",
    ),
)
.labels(&[label("source")])
.advice("`table`: the user table; `contacts`: Feishu's.", "`table`：用户表；`contacts`：飞书通讯录。");

/// Look-ups that failed.
pub const DIRECTORY_FAILURES: Metric = metric(
    "larkfire_directory_failures_total",
    Counter,
    Worker,
    text("Look-ups of people that failed or took too long.", "失败或超时的查人次数。"),
)
.labels(&[label("source")]);

/// What people did.
pub const INTERACTIONS: Metric = metric(
    "larkfire_interactions_total",
    Counter,
    Worker,
    text(
        "Button presses, commands and reactions by what became of them.",
        "按钮、命令和表情回复的次数，按结果统计。",
    ),
)
.labels(&[label("kind"), label("outcome")]);

/// What they were answered.
pub const INTERACTION_ANSWERS: Metric = metric(
    "larkfire_interaction_answers_total",
    Counter,
    Worker,
    text("Answers to people by whether Feishu took them.", "回复用户的次数，按飞书是否接受统计。"),
)
.labels(&[label("outcome")])
.advice("`nowhere`: no message to answer under, or no app.", "`nowhere`：没有可回复的消息，或没有配置应用。");

/// Who tried to get into the console.
pub const CONSOLE_LOGINS: Metric = metric(
    "larkfire_console_logins_total",
    Counter,
    Worker,
    text("Attempts to log in to the console, by way and result.", "登录控制台的次数，按登录方式和结果统计。"),
)
.labels(&[label("way"), label("result")])
.advice(
    "`refused` and `slowed` that go on: somebody guesses. `failed`: the database or Feishu does not answer.",
    "`refused` 和 `slowed` 持续增长：有人在猜密码。`failed`：数据库或飞书没有响应。",
);

//! Metrics of what becomes of alerts, of Feishu's answers, and of cards.

use super::MetricKind::{Counter, Gauge, Histogram};
use super::{Metric, MetricGroup, MetricLabel, label, metric, names};
use crate::documents::Roles::Worker;
use crate::documents::text;

pub(super) const ALERTS: MetricGroup = MetricGroup {
    title: text("Alerts", "告警"),
    metrics: &[
        ALERTS_BY_OUTCOME,
        ALERTS_COPIED,
        ALERTS_REDELIVERED,
        ENVELOPES_IN_FLIGHT,
        OUTBOX_ALERTS,
        OUTBOX_OLDEST_AGE,
        ENVELOPES_DEFERRED,
        ALERTS_FALLEN_BACK,
        ENVELOPE_DEFERRAL_FAILURES,
        ENVELOPES_REQUEUED,
        ALERTS_END_TO_END,
    ],
};

pub(super) const FEISHU: MetricGroup = MetricGroup {
    title: text("Feishu", "飞书"),
    metrics: &[
        FEISHU_REQUESTS,
        DELIVERY_DURATION,
        RECEIVER_BROKEN,
        PREVIEWING,
        BUDGET_LEFT,
        BUDGET_RESERVATIONS,
        BUDGET_HOLDS,
        NAMED_CHATS,
    ],
};

pub(super) const CARDS: MetricGroup = MetricGroup {
    title: text("Cards", "卡片"),
    metrics: &[
        CARDS_DELIVERED,
        CARD_ALERTS,
        CARD_REPAIRS,
        CARD_PICTURES,
        CARDS_SENT_AGAIN,
        TEMPLATE_FAILURES,
        CARD_UPDATES,
        CARD_OVER_NEWS,
        CARDS_UNKEPT,
        SUMMARISED_UNKEPT,
        FIRING_UNKEPT,
        UNHEARD_ENDED,
    ],
};

/// How alerts ended.
pub const ALERTS_BY_OUTCOME: Metric = metric(
    "larkfire_alerts_total",
    Counter,
    Worker,
    text("Alerts by what became of them.", "告警数，按结局统计。"),
)
.labels(&[label("outcome")])
.advice(
    "Together they are the alerts accepted and copied, less those under way. `summarised`: a card counts it and had no room to list it; `larkfire cards show` does.",
    "合计等于已接收的加上复制的，减去在途的。`summarised`：卡片只计数、放不下名称；由 `larkfire cards show` 列出。",
);

/// Alerts that ended more often than they came.
pub const ALERTS_COPIED: Metric = metric(
    "larkfire_alerts_copied_total",
    Counter,
    Worker,
    text(
        "Copies of alerts that went to several receivers: for each alert, receivers less one.",
        "因发给多个接收方而复制的告警数：每条计接收方数减一。",
    ),
);

/// Alerts that came again after they had ended.
pub const ALERTS_REDELIVERED: Metric = metric(
    "larkfire_alerts_redelivered_total",
    Counter,
    Worker,
    text(
        "Alerts of envelopes that came more than once: an acknowledgement or a confirm was lost. Not outcomes.",
        "因确认丢失而不止一次送来的 envelope 中的告警数。不是结局。",
    ),
);

/// What the worker has in hand.
pub const ENVELOPES_IN_FLIGHT: Metric = metric(
    "larkfire_envelopes_in_flight",
    Gauge,
    Worker,
    text("Envelopes taken off the queue and not settled yet.", "已从队列取出、尚未了结的 envelope 数。"),
);

/// What waits for a budget.
pub const OUTBOX_ALERTS: Metric = metric(
    "larkfire_outbox_alerts",
    Gauge,
    Worker,
    text("Alerts that wait in memory to be delivered.", "在内存中等待送达的告警数。"),
)
.labels(&[RECEIVER]);

/// What went to another receiver instead.
pub const ALERTS_FALLEN_BACK: Metric = metric(
    "larkfire_alerts_fallen_back_total",
    Counter,
    Worker,
    text(
        "Alerts for a receiver that could not be reached which its fallback receiver is told of.",
        "因接收方无法送达而转给其备用接收方的告警数。",
    ),
)
.labels(&[RECEIVER]);

/// How long the oldest of it waits.
pub const OUTBOX_OLDEST_AGE: Metric = metric(
    "larkfire_outbox_oldest_age_seconds",
    Gauge,
    Worker,
    text(
        "Since when the oldest alert that this worker knows of waits to be delivered; 0 where none does.",
        "该 worker 所知的、等待送达的最早一条告警已等待的时间；没有时为 0。",
    ),
)
.labels(&[RECEIVER])
.advice(
    "What it has deferred counts until that comes back. Over all workers: `max by (receiver)`.",
    "由它延后的告警在回来之前也计入。全部 worker：`max by (receiver)`。",
);

/// What was deferred.
pub const ENVELOPES_DEFERRED: Metric = metric(
    "larkfire_envelopes_deferred_total",
    Counter,
    Worker,
    text("Envelopes deferred, to be tried again later.", "延后、稍后重试的 envelope 数。"),
)
.labels(&[RECEIVER]);

/// What could not be deferred.
pub const ENVELOPE_DEFERRAL_FAILURES: Metric = metric(
    "larkfire_envelopes_deferral_failures_total",
    Counter,
    Worker,
    text(
        "Envelopes that could not be deferred, because the queue did not take them, and stay in hand.",
        "因队列不接收而未能延后、仍留在手中的 envelope 数。",
    ),
);

/// What the queue got back.
pub const ENVELOPES_REQUEUED: Metric = metric(
    "larkfire_envelopes_requeued_total",
    Counter,
    Worker,
    text("Envelopes requeued, unsettled.", "未了结、退回队列的 envelope 数。"),
);

/// How long alerts take.
pub const ALERTS_END_TO_END: Metric = metric(
    "larkfire_alerts_end_to_end_seconds",
    Histogram,
    Worker,
    text("From receiving an alert to having delivered it.", "从收到告警到送达的时间。"),
);

/// What Feishu answered.
pub const FEISHU_REQUESTS: Metric = metric(
    "larkfire_feishu_requests_total",
    Counter,
    Worker,
    text("Requests to Feishu by what the answer means.", "对飞书的请求数，按返回的含义统计。"),
)
.labels(&[RECEIVER, label("verdict")])
.advice("Without a receiver: replies to people.", "没有接收方的：对人的回复。");

/// How fast.
pub const DELIVERY_DURATION: Metric = metric(
    "larkfire_delivery_duration_seconds",
    Histogram,
    Worker,
    text("One request to Feishu, answer included.", "对飞书的一次请求直到返回的时间。"),
);

/// Receivers whose settings are wrong.
pub const RECEIVER_BROKEN: Metric = metric(
    "larkfire_receiver_broken",
    Gauge,
    Worker,
    text("1 while a receiver refuses everything, for its settings.", "接收方因设置有误而拒绝一切时为 1。"),
)
.labels(&[RECEIVER])
.advice("**Alert on this one**: the log says what to change.", "**请对它设告警**：日志会说明要改什么。");

/// Whether cards are shown instead of sent.
pub const PREVIEWING: Metric = metric(
    "larkfire_previewing",
    Gauge,
    Worker,
    text(
        "1 while cards are shown on the admin port and not sent, because there is no receiver.",
        "没有接收方、卡片只显示在管理端口上而不发送时为 1。",
    ),
)
.advice(
    "Anything but 0 in production is a mistake: nobody in Feishu is told.",
    "生产环境中不为 0 就是配置错误：飞书里没有人会收到通知。",
);

/// What may still be sent.
pub const BUDGET_LEFT: Metric = metric(
    "larkfire_budget_left_cards",
    Gauge,
    Worker,
    text(
        "Cards that may go at once now, by all workers together; 0 while the budget is used up, or Feishu said to slow down.",
        "所有 worker 合计此刻还能立即发出的卡片数；额度用完或被飞书限流期间为 0。",
    ),
)
.labels(&[RECEIVER])
.advice(
    "Looked up every 15 s. After a quiet minute 18 of the 100 of a minute; they come back one by one.",
    "每 15 秒查看一次。安静一分钟后为 18（每分钟 100 张时），之后逐张恢复。",
);

/// Who gave the right to send.
pub const BUDGET_RESERVATIONS: Metric = metric(
    "larkfire_budget_reservations_total",
    Counter,
    Worker,
    text(
        "Slots for cards, by who keeps the budget: the fleet, or a worker alone while the database is away; late are slots of the fleet that were not used, as the database answered too late.",
        "发卡片的额度，按由谁分配统计：全体 worker 共同分配（fleet），或数据库不可用时由 worker 自行取用（local）；late 是数据库返回过晚而作废的额度。",
    ),
)
.labels(&[label("by")]);

/// How often Feishu throttled.
pub const BUDGET_HOLDS: Metric = metric(
    "larkfire_budget_holds_total",
    Counter,
    Worker,
    text("How often Feishu said to slow down and a receiver was held.", "飞书限流、接收方因此暂停的次数。"),
);

/// Payloads that named a chat.
pub const NAMED_CHATS: Metric = metric(
    "larkfire_named_chats_total",
    Counter,
    Worker,
    text(
        "Envelopes whose payload named a chat, by what became of that.",
        "请求中指定了群的 envelope 数，按结果统计。",
    ),
)
.labels(&[label("outcome")])
.advice("Which chats may be named: `app.chats_allowed`.", "哪些群可以指定：`app.chats_allowed`。");

/// Cards that Feishu has taken.
pub const CARDS_DELIVERED: Metric = metric(
    "larkfire_cards_delivered_total",
    Counter,
    Worker,
    text("Cards that Feishu accepted, updates not counted.", "飞书接受的卡片数，不含更新。"),
)
.labels(&[RECEIVER]);

/// How much one card holds.
pub const CARD_ALERTS: Metric =
    metric("larkfire_card_alerts", Histogram, Worker, text("Alerts on one card.", "一张卡片上的告警数。"));

/// Cards that were sent again plainer.
pub const CARD_REPAIRS: Metric = metric(
    "larkfire_card_repairs_total",
    Counter,
    Worker,
    text(
        "Messages sent again in a plainer form, by what was wrong with them.",
        "以更朴素的形式重发的消息数，按问题统计。",
    ),
)
.labels(&[label("kind")]);

/// Pictures for cards of an app's bot.
pub const CARD_PICTURES: Metric = metric(
    "larkfire_card_pictures_total",
    Counter,
    Worker,
    text(
        "Pictures of alerts for cards of an app's bot, by what became of them; all but `uploaded` are linked.",
        "应用机器人卡片上的告警图片数，按结果统计；除 `uploaded` 外都只给出链接。",
    ),
)
.labels(&[label("outcome")])
.advice(
    "Where pictures may be fetched from: `images.hosts`. The log says why one is linked.",
    "允许从哪里下载：`images.hosts`。为什么只给出链接，见日志。",
);

/// Cards that may be there twice.
pub const CARDS_SENT_AGAIN: Metric = metric(
    "larkfire_cards_sent_again_total",
    Counter,
    Worker,
    text(
        "Cards sent again although an attempt before may have shown them: each may be a duplicate.",
        "之前的尝试可能已送达却又重发的卡片数：每张都可能重复。",
    ),
);

/// Templates that came to nothing.
pub const TEMPLATE_FAILURES: Metric = metric(
    "larkfire_template_failures_total",
    Counter,
    Worker,
    text(
        "Times a template came to nothing, so that the built-in words were used, by template and part.",
        "模板失败、改用内置文字的次数，按模板和部分统计。",
    ),
)
.labels(&[names("template", "a template", "模板名"), label("part")])
.advice("The log says why.", "原因见日志。");

/// Updates of cards.
pub const CARD_UPDATES: Metric = metric(
    "larkfire_card_updates_total",
    Counter,
    Worker,
    text("Updates of cards in chats of the app, by outcome.", "应用所在群里卡片的更新次数，按结果统计。"),
)
.labels(&[label("outcome")])
.advice(
    "`by_others`: another worker has; `failed`: is tried again; `lost`: said on a new card.",
    "`by_others`：其他 worker 已更新；`failed`：会重试；`lost`：改用新卡片通知。",
);

/// What is said when all of a card is over.
pub const CARD_OVER_NEWS: Metric = metric(
    "larkfire_card_over_news_total",
    Counter,
    Worker,
    text(
        "Messages that all of a card is over, by outcome.",
        "告知卡片上的告警全部恢复的消息数，按结果统计。",
    ),
)
.labels(&[label("outcome")])
.advice("`skipped`: the chat had no room for it.", "`skipped`：群的限额没有余量。");

/// Cards that are not kept.
pub const CARDS_UNKEPT: Metric = metric(
    "larkfire_cards_unkept_total",
    Counter,
    Worker,
    text(
        "Cards to chats of the app that will not be updated, by why they are not kept.",
        "应用所在群里之后不会更新的卡片数，按原因统计。",
    ),
)
.labels(&[label("reason")]);

/// Alerts that a card only counts and that are not kept.
pub const SUMMARISED_UNKEPT: Metric = metric(
    "larkfire_summarised_unkept_total",
    Counter,
    Worker,
    text(
        "Alerts that a card only counts and that `larkfire cards show` will not list, as the database was away.",
        "卡片只计数、且因数据库不可用而无法由 `larkfire cards show` 列出的告警数。",
    ),
);

/// Alerts at custom bots that will not be ended.
pub const FIRING_UNKEPT: Metric = metric(
    "larkfire_firing_unkept_total",
    Counter,
    Worker,
    text(
        "Alerts delivered by custom bots that will not be ended when they are not heard of any more, by why.",
        "经自定义机器人送达、之后即使不再收到也不会被结束的告警数，按原因统计。",
    ),
)
.labels(&[label("reason")]);

/// Ends made up for what nobody ends.
pub const UNHEARD_ENDED: Metric = metric(
    "larkfire_unheard_ended_total",
    Counter,
    Worker,
    text(
        "Ends of alerts at custom bots, published because nothing is heard of them any more.",
        "因不再收到告警而由 worker 发出的结束数（自定义机器人）。",
    ),
)
.advice(
    "They are counted once more in `larkfire_alerts_total`.",
    "这些结束在 `larkfire_alerts_total` 中会再计一次。",
);

const RECEIVER: MetricLabel = names(
    "receiver",
    "a receiver, or one of its bots (`NAME/1`, …)",
    "接收方，或它的多个机器人之一（`NAME/1`……）",
);

//! Settings of where alerts go, how hard that is tried, and what is remembered of it.

use super::{SettingGroup, of};
use runtime::documents::Roles::{Both, Worker};
use runtime::documents::{Bilingual, text};

pub(super) const RECEIVERS: SettingGroup = SettingGroup {
    title: text("Receivers", "接收方"),
    about: text(
        "`NAME` is a name of yours. The settings without a name are those of the receiver `default`. With no receiver at all \
         `larkfire` previews cards, on loopback and in a `data_dir` that never had one; a worker does so only where `preview` \
         says it. Ingest has to know the names only, for `/api/alert/NAME`.",
        "`NAME` 由您命名。不带名称的设置属于接收方 `default`。一个接收方都没有时，`larkfire` 只预览卡片（仅限回环地址，且该 `data_dir` \
         从未配置过接收方）；worker 只有在设置了 `preview` 时才预览。ingest 只需要知道名称，用于 `/api/alert/NAME`。",
    ),
    settings: &[
        of("preview", Worker).variable("LARKFIRE_PREVIEW").values(&["false"]).means(
            "without receivers: show cards on the terminal and the admin port instead of sending them",
            "没有接收方时：在终端和管理端口上显示卡片，不发送",
        ),
        of("feishu_webhook_url", Both)
            .variable("FEISHU_WEBHOOK_URL")
            .secret()
            .means("webhook of `default`'s custom bot", "`default` 的自定义机器人的 webhook 地址"),
        of("feishu_secret", Worker)
            .variable("FEISHU_SECRET")
            .secret()
            .means("its signing secret", "它的签名密钥"),
        of("feishu_chat_id", Both).variable("FEISHU_CHAT_ID").means(
            "instead of a webhook: the chat of the app's bot that `default` is",
            "代替 webhook：应用机器人所在的群，作为 `default`",
        ),
        of("receivers.NAME.webhook_url", Worker)
            .secret()
            .means("webhook of a custom bot", "自定义机器人的 webhook 地址"),
        of("receivers.NAME.secret", Worker).secret().means("its signing secret", "它的签名密钥"),
        of("receivers.NAME.chat_id", Worker).means(
            "instead of a webhook: a chat of the app's bot (`oc_…`)",
            "代替 webhook：应用机器人所在的群（`oc_…`）",
        ),
        of("receivers.NAME.bots[]", Worker).means(
            "or several custom bots, called `NAME/1`, `NAME/2`, …; at most 16",
            "或者多个自定义机器人，称为 `NAME/1`、`NAME/2`……；最多 16 个",
        ),
        of("receivers.NAME.bots[].webhook_url", Worker)
            .secret()
            .means("webhook of one of them", "其中一个的 webhook 地址"),
        of("receivers.NAME.bots[].secret", Worker).secret().means("its signing secret", "它的签名密钥"),
        of("receivers.NAME.mode", Worker).values(&["copy"]).means(
            "what several bots are for: `copy`, each is in a group of its own and is sent every card; `spread`, all are in one \
             group and share its cards",
            "多个机器人的用途：`copy`，各在不同的群，每个都收到每张卡片；`spread`，都在同一个群，分担它的卡片",
        ),
        of("receivers.NAME.cards_per_minute", Worker).values(&["100"]).means(
            "cards a minute, by all workers together; of several bots each",
            "每分钟的卡片数，所有 worker 合计；有多个机器人时各自计算",
        ),
        of("receivers.NAME.cards_per_second", Worker).values(&["5"]).means(
            "cards a second, by all workers together; of several bots each, but with `spread` of all of them",
            "每秒的卡片数，所有 worker 合计；有多个机器人时各自计算，`spread` 时合计",
        ),
        of("receivers.NAME.fallback", Worker).means(
            "owners of alerts there that nobody owns",
            "找不到负责人的告警在那里由谁负责",
        ),
        of("receivers.NAME.allow_mention_all", Worker).values(&["false"]).means(
            "whether `all` mentions everybody there; otherwise it is only written",
            "那里的 `all` 是否真的 @ 所有人；否则只写出文字",
        ),
        of("receivers.NAME.template", Worker)
            .unset("the key `template`", "键 `template` 的值")
            .reloaded()
            .means("template of its cards", "它的卡片使用的模板"),
        of("receivers.NAME.card_format", Worker)
            .unset("the key `cards.format`", "键 `cards.format` 的值")
            .means("format of its cards", "它的卡片的格式"),
        of("receivers.NAME.fallback_receiver", Worker).means(
            "who is told instead while it cannot be reached or refuses everything ([receivers](receivers.md#fallback))",
            "它无法送达或拒绝所有消息期间由谁代收（见[接收方](receivers.md#fallback)）",
        ),
        of("receivers.NAME.unreachable_for", Worker)
            .values(&["10m"])
            .means("after how long", "多久之后"),
        of("receivers.NAME.escalation", Worker)
            .reloaded()
            .means("escalation of what nobody takes on there", "那里无人认领的告警使用的升级策略"),
    ],
};

pub(super) const APP: SettingGroup = SettingGroup {
    title: text("App", "应用"),
    about: text(
        "The self-built app whose bot sends into chats, updates its cards and looks people up.",
        "自建应用：它的机器人向群里发消息、更新卡片、查找用户。",
    ),
    settings: &[
        of("app.id", Worker).variable("FEISHU_APP_ID").means("its id (`cli_…`)", "应用的 App ID（`cli_…`）"),
        of("app.secret", Worker)
            .variable("FEISHU_APP_SECRET")
            .secret()
            .means("its secret", "应用的 App Secret"),
        of("app.base_url", Worker)
            .variable("FEISHU_BASE_URL")
            .values(&["https://open.feishu.cn"])
            .means("the platform; Lark's is `https://open.larksuite.com`", "平台地址；Lark 为 `https://open.larksuite.com`"),
        of("app.chats_allowed", Both).means(
            "chats that payloads of the custom format may name with `chat_id`; each is also a receiver, called by its id",
            "自定义格式可以用 `chat_id` 指定的群；每个群也是一个接收方，以群 ID 为名",
        ),
        of("app.resolved", Worker).values(&["reply"]).means(
            "how people learn that everything on a card is over, besides the card itself: `update` (by it alone), `reply` (by a \
             reply to it, too), `new` (by a message of its own, too)",
            "卡片上的告警全部恢复时，除更新卡片外如何告知：`update` 只更新卡片，`reply` 再回复这张卡片，`new` 再另发一条消息",
        ),
    ],
};

pub(super) const ROUTES: SettingGroup = SettingGroup {
    title: text("Routes", "路由"),
    about: text(
        "Which alerts go to which receivers, as in Alertmanager. What no route takes goes to `default`, or to the only \
         receiver there is. At most 5 000 in all.",
        "哪些告警发给哪些接收方，规则与 Alertmanager 相同。没有路由接下的发给 `default`，或唯一的接收方。总数最多 5000 条。",
    ),
    settings: &[
        of("routes[]", Both).reloaded().means("the routes, asked in their order", "路由列表，按顺序匹配"),
        of("routes[].match", Both).unset("everything", "任何告警").reloaded().means(
            "what an alert's labels have to satisfy, all of it: `severity=\"critical\"`, `team=~\"a|b\"`",
            "告警标签须满足的条件，全部成立才算匹配：`severity=\"critical\"`、`team=~\"a|b\"`",
        ),
        of("routes[].receiver", Worker)
            .unset("that of the route above, else `default`", "上一级路由的，否则为 `default`")
            .reloaded()
            .means("the receiver", "接收方"),
        of("routes[].receivers", Worker)
            .unset("those of the route above, else `default`", "上一级路由的，否则为 `default`")
            .reloaded()
            .means("or several of them", "或多个接收方"),
        of("routes[].escalation", Worker)
            .unset("that of the route above, or of the receiver", "上一层路由的，或接收方的")
            .reloaded()
            .means("escalation of what nobody takes on of it", "由它接收而无人认领的告警使用的升级策略"),
        of("routes[].continue", Worker)
            .values(&["false"])
            .reloaded()
            .means("ask the routes after it, too", "匹配后是否继续匹配之后的路由"),
        of("routes[].routes[]", Both).reloaded().means(
            "routes below it, which take over what they match; at most 6 deep",
            "下一级路由，匹配的告警由它接管；最多 6 级",
        ),
    ],
};

pub(super) const DELIVERY: SettingGroup = SettingGroup {
    title: text("Delivery", "送达"),
    about: Bilingual::EMPTY,
    settings: &[
        of("delivery.attempts_in_place", Worker).values(&["3"]).means(
            "attempts in a row before an envelope is deferred to a retry queue",
            "连续尝试多少次之后延后（转入重试队列）",
        ),
        of("delivery.request_timeout", Worker)
            .values(&["10s"])
            .means("how long one request to Feishu may take", "对飞书的单次请求的超时时间"),
        of("delivery.give_up_after", Worker).values(&["24h"]).means(
            "how long an envelope is tried in all before it becomes a dead letter",
            "总共尝试多久之后成为死信",
        ),
        of("delivery.concurrency", Worker)
            .values(&["64"])
            .means("requests to Feishu at once", "同时向飞书发出的请求数"),
        of("delivery.hold", Worker).values(&["5m"]).means(
            "how long alerts for a receiver that is away wait in a worker's memory before they are deferred",
            "接收方不可达时，告警在 worker 内存中等待多久之后延后",
        ),
        of("delivery.broken_receiver", Worker).values(&["wait"]).means(
            "alerts for a receiver whose settings are wrong: `wait` until `delivery.give_up_after`, or become dead \
             letters at once (`dead_letter`)",
            "接收方设置有误时，其告警等待到 `delivery.give_up_after`（`wait`），或立即成为死信（`dead_letter`）",
        ),
        of("delivery.continuation_cards", Worker).values(&["0"]).means(
            "further cards, at most 3, that list what one card could not, when nothing newer waits",
            "一张卡片列不完时，最多再发几张续卡列出其余告警（最多 3 张；有更新的告警等待时不发）",
        ),
    ],
};

pub(super) const DATABASE: SettingGroup = SettingGroup {
    title: text("Database", "数据库"),
    about: text(
        "What was delivered, budgets, cards, dead letters, the audit trail. Several workers need one they share.",
        "保存送达记录、限额、卡片、死信和审计。多个 worker 必须共用一个。",
    ),
    settings: &[
        of("database.url", Worker)
            .variable("DATABASE_URL")
            .secret()
            .unset("`larkfire.db` in `data_dir`", "`data_dir` 中的 `larkfire.db`")
            .means(
                "`mysql://user:password@host/database` or `postgres://user:password@host/database`, or `sqlite:PATH` for one worker",
                "`mysql://user:password@host/database` 或 `postgres://user:password@host/database`；单个 worker 可用 `sqlite:PATH`",
            ),
        of("database.tls.ca_file", Worker).unset("none: `ssl-mode` of the URL decides", "无：由 URL 的 `ssl-mode` 决定").means(
            "CAs (PEM) that the server's certificate may come from, besides the system's. Certificate and host name are checked \
             then, unless the URL says otherwise (`?ssl-mode=VERIFY_CA`, with PostgreSQL `?sslmode=verify-ca`)",
            "除系统 CA 之外，数据库服务器的证书允许由哪些 CA（PEM）签发。设置后会校验证书和主机名，除非 URL 另有指定\
             （`?ssl-mode=VERIFY_CA`，PostgreSQL 为 `?sslmode=verify-ca`）",
        ),
        of("database.tls.cert_file", Worker)
            .means("certificate to show a server that asks for one", "服务器要求客户端证书时出示的证书"),
        of("database.tls.key_file", Worker).means("the key to it, without a password", "对应的私钥，不带密码"),
        of("database.connections", Worker)
            .values(&["4"])
            .means("connections of one worker", "一个 worker 的连接数"),
        of("database.timeout", Worker).values(&["2s"]).means(
            "how long one round trip may take; then alerts are delivered without the database",
            "一次往返的超时时间；超时后不经数据库照常送达",
        ),
    ],
};

pub(super) const DEDUP: SettingGroup = SettingGroup {
    title: text("Deduplication", "去重"),
    about: Bilingual::EMPTY,
    settings: &[
        of("dedup.repeat_after", Worker).variable("REPEAT_AFTER").values(&["55m"]).means(
            "an alert that still fires this long after its last delivery is delivered again, as a reminder",
            "仍在触发的告警，距上次送达超过这个时间后再次送达，作为提醒",
        ),
        of("dedup.sender_repeats", Worker).values(&["false"]).means(
            "remind also when Alertmanager (0.32 or newer) says that its `repeat_interval` has passed",
            "Alertmanager（0.32 及以上）说明是 `repeat_interval` 到期而重发时，是否也提醒",
        ),
        of("dedup.window", Worker).variable("DEDUP_WINDOW").values(&["5m"]).means(
            "sources without start times: the same message within this time is a duplicate",
            "对没有开始时间的来源：在此时间内的相同消息视为重复",
        ),
        of("dedup.jitter", Worker).variable("JITTER").values(&["60s"]).means(
            "how far apart replicas of Prometheus may stamp the same alert, and clocks may be. What fires again with its old \
             start within this time of its end is delivered two to six times this later, unless the end comes again",
            "Prometheus 各副本给同一告警打的时间戳、以及各机器的时钟最多相差多少。恢复后在此时间内又以原来的开始时间触发的告警，\
             等两到六倍此时间、期间未再次恢复才送达",
        ),
        of("dedup.ignore_labels", Both).values(&["prometheus_replica", "__replica__"]).means(
            "labels that tell replicas apart, and no alerts: left out of the identity and of the cards; `none` for none",
            "只区分副本、不区分告警的标签：不参与告警标识，也不出现在卡片上；`none` 表示没有",
        ),
        of("dedup.remember", Worker).values(&["7d"]).means(
            "once an hour, deletes what is remembered of alerts that nobody has sent for longer than this",
            "每小时清理一次：超过这个时间没有人再发送的告警，其记录被删除",
        ),
        of("dedup.cache_entries", Worker).values(&["100000"]).means(
            "alerts each worker remembers in memory, to recognise repeats without the database",
            "每个 worker 在内存中记住的告警数，识别重复时无需查询数据库",
        ),
    ],
};

pub(super) const HISTORY: SettingGroup = SettingGroup {
    title: text("History", "历史"),
    about: text(
        "What became of each alert, by its name: `trace` reads it. It is written beside the deliveries and never holds one up.",
        "每条告警的去向，可按名称查找，由 `trace` 读取。与送达并行写入，从不拖慢送达。",
    ),
    settings: &[
        of("history.enabled", Worker).values(&["true"]).means("whether it is kept", "是否保留"),
        of("history.keep", Worker)
            .values(&["7d"])
            .means("for how long, up to 90 days", "保留多久，最长 90 天"),
        of("history.rows", Worker).values(&["5000000"]).means(
            "rows kept at most, to about ten minutes' worth; the oldest make room",
            "最多保留的行数（误差约为十分钟的写入量），超出时删除最早的",
        ),
        of("history.bytes", Worker).values(&["2GiB"]).means(
            "bytes of these rows at most, likewise; indexes come on top, about as much again",
            "这些行的总字节数上限，同上；索引另计，大致相当",
        ),
        of("history.cards_bytes", Worker).values(&["256MiB"]).means(
            "bytes of cards at most that are kept as they were sent, packed, for their pages in the console; the oldest make room, 0 keeps none",
            "为控制台的卡片页面保留的已发送卡片（压缩后）总字节数上限；超出时删除最早的，0 表示不保留",
        ),
    ],
};

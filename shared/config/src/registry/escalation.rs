//! Settings of who is called when nobody takes an alert on, and of who is on call.

use super::{SettingGroup, of};
use runtime::documents::Roles::Worker;
use runtime::documents::text;

pub(super) const ESCALATION: SettingGroup = SettingGroup {
    title: text("Escalation and on-call", "升级与值班"),
    about: text(
        "Who is called as long as nobody takes an alert on, and whose turn it is: [escalation](escalation.md). `NAME` is a \
         name of yours.",
        "告警无人认领时依次呼叫谁，以及轮到谁值班，见[升级与值班](escalation.md)。`NAME` 由您命名。",
    ),
    settings: &[
        of("escalations.NAME.match", Worker).reloaded()
            .unset("every alert", "所有告警")
            .means("matchers that an alert has to satisfy, as in routes", "告警须满足的匹配条件，写法同路由"),
        of("escalations.NAME.severities", Worker).reloaded()
            .unset("any", "不限")
            .means("how bad an alert has to be: `critical`, `warning`, `info`", "告警须属于的级别：`critical`、`warning`、`info`"),
        of("escalations.NAME.steps[]", Worker).reloaded().means("the steps, at most 20", "各个步骤，最多 20 步"),
        of("escalations.NAME.steps[].after", Worker).reloaded().means(
            "how long after the card was delivered (`5m`); rises from step to step",
            "卡片送达后多久（`5m`）；逐步递增",
        ),
        of("escalations.NAME.steps[].who", Worker).reloaded().means(
            "who is called: `owners`, or names, mobiles, open ids and names of rotations",
            "呼叫谁：`owners`（负责人），或用户名、手机号、open_id、轮值名",
        ),
        of("escalations.NAME.steps[].rotation", Worker).reloaded()
            .means("and whoever is on call by that rotation", "以及该轮值当前的值班人"),
        of("escalations.NAME.steps[].next", Worker).reloaded()
            .means("and whoever is on call next by that rotation", "以及该轮值的下一位值班人"),
        of("escalations.NAME.steps[].urgent", Worker).reloaded()
            .unset("people are mentioned in another message", "再发一条消息 @ 人")
            .means(
                "call them by Feishu's urgent push: `app`, `sms` or `phone`; chats of the app only",
                "用飞书加急呼叫：`app`、`sms` 或 `phone`；仅限应用所在的群",
            ),
        of("escalations.NAME.steps[].receiver", Worker).reloaded()
            .means("or tell this receiver", "或者通知这个接收方"),
        of("escalations.NAME.steps[].webhook_url", Worker).reloaded()
            .secret()
            .means("or post JSON to this address", "或者向该地址 POST 一段 JSON"),
        of("escalations.NAME.steps[].webhook_secret", Worker).reloaded()
            .secret()
            .unset("nothing is signed", "不签名")
            .means("which is signed with this", "并用该密钥签名"),
        of("escalations.NAME.steps[].quiet_hours", Worker).reloaded().unset("none", "无").means(
            "hours (`22:00-08:00`, by the key `timezone`) at whose end the step comes, unless something critical fires",
            "免打扰时段（`22:00-08:00`，按键 `timezone` 的时区）；除非有 critical 告警，否则推迟到时段结束",
        ),
        of("rotations.NAME.people", Worker).reloaded().means("people who take turns, in their order", "轮流值班的人，按顺序"),
        of("rotations.NAME.shift", Worker).reloaded().values(&["1w"]).means("how long a turn is: `1d` or `1w`", "一班多长：`1d` 或 `1w`"),
        of("rotations.NAME.hand_over", Worker).reloaded().unset("00:00 of the day it starts at", "开始那天的 00:00").means(
            "when one hands over to the next: `Mon 10:00`, or `10:00` where a turn is a day",
            "何时交接：`Mon 10:00`；一班为一天时写 `10:00`",
        ),
        of("rotations.NAME.start", Worker).reloaded()
            .means("a day of the first one's first turn (`2024-01-15`)", "第一个人首次值班期间的某一天（`2024-01-15`）"),
        of("rotations.NAME.timezone", Worker).reloaded()
            .unset("the key `timezone`", "键 `timezone` 的值")
            .means("whose clock turns go by", "按哪个时区的时间"),
        of("rotations.NAME.overrides[]", Worker).reloaded().means("who stands in for somebody, at most 200", "代班，最多 200 项"),
        of("rotations.NAME.overrides[].person", Worker).reloaded().means("who", "谁"),
        of("rotations.NAME.overrides[].from", Worker).reloaded()
            .means("from when, by the rotation's clock (`2024-01-15T10:00`)", "从何时起，按轮值的时区（`2024-01-15T10:00`）"),
        of("rotations.NAME.overrides[].until", Worker).reloaded().means("until before when", "到何时为止（不含）"),
        of("rotations.NAME.calendar_token", Worker).reloaded()
            .secret()
            .unset("only people who are logged in to the console see it", "仅控制台登录用户可见")
            .means(
                "lets `/oncall/NAME.ics?token=…` be read with this on the admin port",
                "允许凭此令牌从管理端口读取 `/oncall/NAME.ics?token=…`",
            ),
        of("app.urgent.per_hour", Worker).values(&["60"]).means(
            "urgent pushes an hour of all kinds, by all workers together",
            "每小时的加急次数，各种方式、所有 worker 合计",
        ),
        of("app.urgent.sms_per_month", Worker)
            .unset("as many as Feishu lets through", "以飞书的额度为限")
            .means("text messages in a calendar month", "每个自然月的短信加急次数"),
        of("app.urgent.phone_per_month", Worker)
            .unset("as many as Feishu lets through", "以飞书的额度为限")
            .means("telephone calls in a calendar month", "每个自然月的电话加急次数"),
        of("interactions.allow.swap", Worker)
            .unset("everybody in the chat", "群里所有人")
            .means("who may change who is on call, by Feishu's ids", "谁可以调班，填飞书用户 ID"),
    ],
};

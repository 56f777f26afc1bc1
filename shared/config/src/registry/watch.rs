//! Settings by which Larkfire notices what does not come.

use super::{SettingGroup, of};
use runtime::documents::Roles::Worker;
use runtime::documents::text;

pub(super) const HEARTBEATS: SettingGroup = SettingGroup {
    title: text("Heartbeats", "心跳"),
    about: text(
        "Alerts that always fire, such as Watchdog: expected instead of delivered, and missed when they do not come \
         ([heartbeats](heartbeats.md)). `NAME` is a name of yours, of at most 64 bytes. At most 10 000 in all.",
        "始终触发的告警（如 Watchdog）：按预期接收、不发送，没有按时到来时告警（见[心跳](heartbeats.md)）。`NAME` 由您命名，最长 64 字节。\
         总数最多 10000 个。",
    ),
    settings: &[
        of("heartbeats.NAME.match", Worker).reloaded().means(
            "which alerts are a sign of it: what their labels have to satisfy, all of it, as in `routes[].match`",
            "哪些告警是它的信号：标签须满足的条件，全部成立才算，写法同 `routes[].match`",
        ),
        of("heartbeats.NAME.every", Worker).reloaded().means("how often it comes", "它多久来一次"),
        of("heartbeats.NAME.grace", Worker)
            .unset("half of `every`", "`every` 的一半")
            .reloaded()
            .means("how much later than that it may be", "允许再晚多久"),
        of("heartbeats.NAME.receiver", Worker)
            .unset("by the routes", "按路由")
            .reloaded()
            .means("who is told when it is missing", "缺失时通知谁"),
    ],
};

pub(super) const TROUBLE: SettingGroup = SettingGroup {
    title: text("Own trouble", "自身故障"),
    about: text(
        "A receiver that refuses everything or cannot be reached, and dead letters that wait, are told through another receiver, \
         once when it begins and once when it is over ([receivers](receivers.md#own-trouble)).",
        "接收方拒绝所有消息或无法送达、有死信等待处理时，通过另一个接收方告知：开始时一次，结束时一次\
         （见[接收方](receivers.md#own-trouble)）。",
    ),
    settings: &[
        of("trouble.receiver", Worker).unset("nobody is told", "不告知").means(
            "who is told; its own trouble is not told",
            "通知谁；它自己的故障不告知",
        ),
        of("trouble.after", Worker).values(&["5m"]).means(
            "how long a receiver may be out of reach before that is told; one that refuses everything is told at once",
            "接收方无法送达多久之后告知；拒绝所有消息的立即告知",
        ),
    ],
};

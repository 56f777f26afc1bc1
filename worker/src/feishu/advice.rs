//! What an operator has to do about a receiver that refuses everything. Pure.

use runtime::documents::{Bilingual, text};

/// In a sentence, by Feishu's code.
pub(crate) const fn advice(code: Option<i64>) -> Bilingual {
    match code {
        Some(19001) => text(
            "the webhook URL is wrong, or the bot was removed: set the receiver's webhook_url anew",
            "Webhook 地址有误，或机器人已被移除：重新设置该接收方的 webhook_url",
        ),
        Some(19007) => text(
            "the bot is switched off: enable it in the group's settings, or set webhook_url to another bot",
            "机器人已停用：在群设置中启用，或把 webhook_url 换成另一个机器人",
        ),
        Some(19021) => text(
            "the signing secret is wrong, or this machine's clock is off by an hour",
            "签名密钥有误，或本机时钟偏差超过一小时",
        ),
        Some(19022) => text(
            "this machine's address is missing in the bot's IP allowlist",
            "本机地址不在机器人的 IP 白名单中",
        ),
        Some(19024) => text(
            "the bot insists on a keyword: remove it from the bot's settings, or use a signature instead",
            "机器人要求包含关键词：在机器人设置中去掉关键词，或改用签名",
        ),
        Some(99_991_401) => text(
            "this machine's address is missing in the app's IP allowlist",
            "本机地址不在应用的 IP 白名单中",
        ),
        Some(11213 | 11231 | 11237) => text(
            "the group is gone: set the receiver's webhook_url to another group's bot",
            "群已不存在：把该接收方的 webhook_url 换成其他群的机器人",
        ),
        Some(10002 | 10030 | 230_002) => text(
            "the bot is not in the group (any more): add it",
            "机器人不在群里（或已被移出）：请将其加入群",
        ),
        Some(10005 | 10012..=10015) => text(
            "the app's id or secret is wrong: set app.id and app.secret anew",
            "应用的 ID 或密钥有误：重新设置 app.id 和 app.secret",
        ),
        Some(99_991_662 | 99_991_673 | 230_006) => text(
            "the app is disabled, or has no bot: enable both and publish a version of the app",
            "应用已停用，或未开启机器人能力：启用二者并发布应用版本",
        ),
        Some(99_991_672 | 230_027) => text(
            "the app lacks a permission: grant it im:message:send_as_bot, for pictures im:resource:upload, and publish a version of it",
            "应用缺少权限：授予 im:message:send_as_bot，显示图片还需 im:resource:upload，并发布版本",
        ),
        Some(234_007) => text(
            "the app has no bot: enable it and publish a version of the app",
            "应用没有机器人：开启机器人能力并发布应用版本",
        ),
        Some(234_042) => text(
            "the tenant has no room for pictures left: see the admin console",
            "企业的图片存储空间已用完：请查看管理后台",
        ),
        Some(99_991_403) => text("the month's quota of API calls is used up", "本月 API 调用额度已用完"),
        Some(230_001 | 230_034 | 232_006) => text(
            "there is no such chat: set the receiver's chat_id anew",
            "没有这个群：重新设置该接收方的 chat_id",
        ),
        Some(232_009) => text(
            "the group is gone: set the receiver's chat_id to another group",
            "群已解散：把该接收方的 chat_id 换成其他群",
        ),
        Some(11242 | 230_018 | 230_035) => text(
            "the group does not let the bot speak: change the group's settings",
            "群设置不允许机器人发言：请修改群设置",
        ),
        _ => urgent_advice(code),
    }
}

/// The same about urgent pushes.
const fn urgent_advice(code: Option<i64>) -> Bilingual {
    match code {
        Some(230_023) => text(
            "somebody has more than 200 unread urgent messages: they have to read them in Feishu",
            "此人未读的加急消息超过 200 条：请先在飞书中阅读",
        ),
        Some(230_024) => text(
            "the tenant's quota of urgent messages by sms or phone is used up: buy more in the admin console, or set app.urgent",
            "企业的短信或电话加急额度已用完：请在管理后台购买，或设置 app.urgent",
        ),
        Some(230_052) => text(
            "the group does not let the bot send urgent messages: make the bot an administrator of the group",
            "群设置不允许机器人加急：请把机器人设为群管理员",
        ),
        _ => text("look the code up in Feishu's list of error codes", "请在飞书的错误码列表中查找该错误码"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bot_that_is_switched_off_is_to_be_enabled_and_an_unknown_code_to_be_looked_up() {
        assert!(advice(Some(19007)).en.contains("enable it"), "{:?}", advice(Some(19007)));
        for code in [None, Some(777_777)] {
            assert!(advice(code).en.contains("error codes"), "{code:?}");
        }
    }
}

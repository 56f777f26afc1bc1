//! Settings of who gets into the console.

use super::{SettingGroup, of};
use runtime::documents::Roles::Worker;
use runtime::documents::text;

pub(super) const CONSOLE: SettingGroup = SettingGroup {
    title: text("Who gets into the console", "控制台的访问控制"),
    about: text(
        "Without any of these ways to log in the console is open on a loopback address and off elsewhere: \
         [who gets in](console-access.md).",
        "以下登录方式都不配置时，控制台在回环地址上无需登录，在其他地址上关闭：[访问控制](console-access.md)。",
    ),
    settings: &[
        of("console.url", Worker).variable("LARKFIRE_CONSOLE_URL").means(
            "address of the console as browsers see it, prefix included; its host is the one that is answered, and `https` makes cookies `Secure`",
            "浏览器访问控制台的地址，含路径前缀；只接受其中的域名，`https` 时 Cookie 带 `Secure`",
        ),
        of("console.users[]", Worker).means("users with passwords", "使用密码登录的用户"),
        of("console.users[].name", Worker)
            .means("name to log in with, and in the audit trail", "登录名，也是审计记录中的名字"),
        of("console.users[].password_hash", Worker).secret().means(
            "what `larkfire-worker console hash-password` makes of the password (argon2id)",
            "`larkfire-worker console hash-password` 由密码生成的哈希（argon2id）",
        ),
        of("console.users[].role", Worker)
            .values(&["viewer"])
            .means("`viewer` looks, `operator` acts as well", "`viewer` 只能查看，`operator` 还可以操作"),
        of("console.feishu.tenant_key", Worker).unset("nobody gets in with Feishu", "无人可用飞书登录").means(
            "key of the company whose people may log in with Feishu; whoever is refused for it is shown theirs",
            "允许用飞书登录的企业的 key；因此被拒绝时，页面会显示本人企业的 key",
        ),
        of("console.feishu.operators", Worker)
            .means("who may act, by the app's `open_id`", "可以操作的人，填应用下的 `open_id`"),
        of("console.feishu.viewers", Worker)
            .means("who may look, by `open_id`", "可以查看的人，填 `open_id`"),
        of("console.feishu.operator_chats", Worker).means(
            "chats (`oc_…`) with the app's bot whose members may act",
            "群（`oc_…`）的成员可以操作；应用机器人须在群里",
        ),
        of("console.feishu.viewer_chats", Worker)
            .means("and those whose members may look", "群的成员可以查看"),
        of("console.trusted_header.name", Worker).means(
            "header in which a proxy in front says who somebody is, such as `X-Forwarded-User`",
            "前置代理用来告知用户身份的请求头，例如 `X-Forwarded-User`",
        ),
        of("console.trusted_header.from", Worker).means(
            "addresses the proxy connects from; from others the header counts for nothing",
            "代理的来源地址；来自其他地址的这个请求头不起作用",
        ),
        of("console.trusted_header.operators", Worker)
            .means("who of them may act; everybody else looks", "其中可以操作的人；其余只能查看"),
        of("console.trusted_proxies", Worker).means(
            "proxies whose `X-Forwarded-For` says where an attempt to log in comes from",
            "信任其 `X-Forwarded-For` 的代理，用来判断登录请求来自哪里",
        ),
        of("console.session.idle", Worker)
            .values(&["8h"])
            .means("a session that is not used for so long is over", "会话多久不用就结束"),
        of("console.session.longest", Worker)
            .values(&["24h"])
            .means("a session is over after so long anyhow", "会话最长持续多久"),
    ],
};

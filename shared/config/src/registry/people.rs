//! Settings of who is named on cards, and of what people may do from Feishu.

use super::{SettingGroup, of};
use runtime::documents::Roles::{Both, Worker};
use runtime::documents::text;

pub(super) const OWNERS: SettingGroup = SettingGroup {
    title: text("Owners", "负责人"),
    about: text(
        "Whose an alert is, and where people's Feishu ids come from: [owners](owners.md).",
        "告警由谁负责，飞书 ID 从哪里来，见[负责人](owners.md)。",
    ),
    settings: &[
        of("owners.labels", Both).values(&["owner", "at_name", "feishu_user"]).means(
            "annotations, or else labels, that name an alert's owners",
            "写着负责人的注解；没有注解则看标签",
        ),
        of("owners.services.NAME", Worker).variable("SERVICE_TO_USER").means(
            "owners of a service: a name, or a pattern with `*` and `?`. The variable is the whole map in JSON, YAML or Python",
            "服务的负责人：键是服务名，或带 `*`、`?` 的模式。环境变量是整个映射，JSON、YAML 或 Python 写法均可",
        ),
        of("owners.service_labels", Both).values(&["service", "app", "job"]).means(
            "labels that name the service; the first whose value is in `owners.services`",
            "写着服务名的标签；取第一个值在 `owners.services` 里的",
        ),
        of("owners.by_label.LABEL.VALUE", Both)
            .means("owners by the value of a further label", "按其他标签的值指定负责人"),
        of("owners.namespaces.NAME", Worker).means("owners of a namespace", "命名空间的负责人"),
        of("owners.always_mention", Worker).means("people named on every card", "每张卡片都提到的人"),
        of("owners.mention_resolved", Worker)
            .values(&["false"])
            .means("whether a card also mentions people for what is over", "已恢复的告警是否也 @ 人"),
        of("owners.mention_user_ids", Worker).values(&["false"]).means(
            "whether custom bots mention a `user_id` as well; Feishu's guide promises it for an `open_id` only",
            "自定义机器人是否也 @ `user_id`；飞书文档只保证 `open_id` 有效",
        ),
        of("owners.mentions_max", Worker)
            .values(&["10"])
            .means("people on one card; the others are counted", "一张卡片上的人数；其余只计数"),
        of("owners.deadline", Worker)
            .values(&["300ms"])
            .means("how long a card waits for people to be looked up", "一张卡片最多为查人等多久"),
        of("owners.remember", Worker)
            .values(&["1h"])
            .means("how long somebody who was found is remembered", "查到的人缓存多久"),
        of("owners.remember_unknown", Worker)
            .values(&["5m"])
            .means("how long it is remembered that somebody was not found", "查不到的人缓存多久"),
        of("owners.table.host", Worker)
            .variable("MYSQL_HOST")
            .unset("the database of `database.url`", "`database.url` 的数据库")
            .means("MySQL server of the user table, perhaps with a port", "用户表所在的 MySQL 服务器，可带端口"),
        of("owners.table.database", Worker).variable("MYSQL_DB").means("its database", "数据库名"),
        of("owners.table.user", Worker).variable("MYSQL_USER").means("who logs in there", "登录用户"),
        of("owners.table.password", Worker)
            .variable("MYSQL_PSWD")
            .secret()
            .means("with this password", "登录密码"),
        of("owners.table.tls.ca_file", Worker).unset("its certificate is not checked", "不校验其证书").means(
            "CAs (PEM) to believe besides the system's; certificate and host name are checked then",
            "除系统 CA 之外还信任的 CA（PEM）；设置后校验证书和主机名",
        ),
        of("owners.table.tls.cert_file", Worker)
            .means("certificate shown to a server that asks for one", "服务器要求时出示的客户端证书"),
        of("owners.table.tls.key_file", Worker).means("the key to it, without a password", "对应的私钥，不带密码"),
        of("owners.table.name", Worker).values(&["users"]).means("name of the user table", "用户表的表名"),
        of("owners.table.columns.username", Worker)
            .values(&["username"])
            .means("column with what alerts call people", "用户名所在的列，即告警里的写法"),
        of("owners.table.columns.nickname", Worker)
            .values(&["nickname"])
            .means("column with what people call them", "昵称所在的列"),
        of("owners.table.columns.mobile", Worker)
            .values(&["mobile"])
            .means("column with their mobile number", "手机号所在的列"),
        of("owners.table.columns.source_user_id", Worker)
            .values(&["source_user_id"])
            .means("column with their id in Feishu", "飞书用户 ID 所在的列"),
        of("owners.table.id_prefix", Worker).values(&["feishu_"]).means(
            "what ids in that column begin with that is not part of Feishu's",
            "该列的 ID 前面不属于飞书 ID 的部分",
        ),
    ],
};

pub(super) const INTERACTIONS: SettingGroup = SettingGroup {
    title: text("Interactions", "交互"),
    about: text(
        "What people do from Feishu, and the Alertmanagers in which alerts are silenced: [interactions](interactions.md).",
        "用户在飞书里的操作，以及用来静默告警的 Alertmanager，见[交互](interactions.md)。",
    ),
    settings: &[
        of("interactions.buttons", Worker)
            .variable("INTERACTION_BUTTONS")
            .unset("where `lark.*` is set", "设置了 `lark.*` 时有")
            .means("whether cards in chats of the app have buttons", "应用所在群的卡片是否带按钮"),
        of("interactions.signing_keys", Worker)
            .variable("INTERACTION_SIGNING_KEYS")
            .secret()
            .unset("made from `app.secret`", "由 `app.secret` 生成")
            .means(
                "keys that buttons are signed with: the first signs, all are taken",
                "按钮的签名密钥：用第一个签名，校验时全部有效",
            ),
        of("interactions.allow.acknowledge", Worker)
            .unset("everybody in the chat", "群里所有人")
            .means("who may acknowledge, by Feishu's ids", "谁可以认领，填飞书用户 ID"),
        of("interactions.allow.silence", Worker)
            .unset("everybody in the chat", "群里所有人")
            .means("who may silence, by Feishu's ids", "谁可以静默，填飞书用户 ID"),
        of("interactions.reactions", Worker)
            .variable("INTERACTION_REACTIONS")
            .values(&["DONE", "OK", "THUMBSUP"])
            .means("emojis that acknowledge what is on a card", "哪些表情回复表示认领卡片上的告警"),
        of("alertmanager_url", Worker)
            .variable("ALERTMANAGER_URL")
            .means("the Alertmanager called `default`", "名为 `default` 的 Alertmanager 的地址"),
        of("alertmanagers.NAME.url", Worker).means(
            "one of several, such as `http://alertmanager:9093`",
            "多个中的一个，例如 `http://alertmanager:9093`",
        ),
        of("alertmanagers.NAME.external_url", Worker)
            .unset("its `url`", "它的 `url`")
            .means("its address as its alerts name it", "它发出的告警里写的它自己的地址"),
        of("alertmanagers.NAME.basic_auth", Worker)
            .secret()
            .means("`user:password` it asks for", "它要求的 `user:password`"),
        of("alertmanagers.NAME.bearer_token", Worker)
            .secret()
            .means("or the token it asks for", "或它要求的 Bearer 令牌"),
    ],
};

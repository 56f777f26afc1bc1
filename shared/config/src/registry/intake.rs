//! Settings of how alerts come in, and of the queue they go to.

use super::{SettingGroup, of};
use runtime::documents::Roles::{Both, Ingest, Worker};
use runtime::documents::text;

pub(super) const GATE: SettingGroup = SettingGroup {
    title: text("Gate", "准入"),
    about: text(
        "What a request has to show before its body is believed. Any one of the credentials that are set is enough.",
        "请求体被采信之前，请求要通过的检查。已设置的凭证中满足任意一种即可。",
    ),
    settings: &[
        of("gate.api_keys", Ingest).variable("API_KEYS").secret().reloaded().means(
            "keys, as bearer tokens or in `X-API-Key`; several, so that they can be rotated. In a file: one a line",
            "密钥，作为 Bearer 令牌或放在 `X-API-Key` 中；可以有多个，便于轮换。写在文件里时每行一个",
        ),
        of("gate.key_in_url", Ingest).values(&["false"]).reloaded().means(
            "take a key from the address as well (`?key=…`), for senders that can set no header. Proxies write addresses into their logs",
            "也接受地址中的密钥（`?key=…`），用于不能设置请求头的发送方。代理会把地址写进日志",
        ),
        of("gate.basic_auth", Ingest).variable("BASIC_AUTH").secret().reloaded().means(
            "`user:password` pairs. In a file: one a line",
            "`user:password`，可以有多个。写在文件里时每行一个",
        ),
        of("gate.hmac_secrets", Ingest).variable("HMAC_SECRETS").secret().reloaded().means(
            "keys that senders sign bodies with (HMAC-SHA256); several, so that they can be rotated",
            "发送方给请求体签名（HMAC-SHA256）所用的密钥；可以有多个，便于轮换",
        ),
        of("gate.hmac_header", Ingest)
            .values(&["X-Grafana-Alerting-Signature"])
            .reloaded()
            .means("header with Grafana's signature", "Grafana 的签名所在的请求头"),
        of("gate.hmac_timestamp_header", Ingest).values(&["X-Grafana-Alerting-Timestamp"]).reloaded().means(
            "header with the time Grafana has signed, if it signs one",
            "Grafana 签名时间所在的请求头（如果有）",
        ),
        of("gate.hmac_require_timestamp", Ingest).values(&["false"]).reloaded().means(
            "refuse Grafana's signatures without a time: whoever saw one could send it again",
            "拒绝不带时间的 Grafana 签名：这种签名被人看到后可以重放",
        ),
        of("gate.allowed_ips", Ingest).variable("ALLOWED_IPS").unset("any", "不限").reloaded().means(
            "addresses and ranges that may send, such as `10.0.0.0/8` or `fd00::/8`",
            "允许发送的地址和网段，例如 `10.0.0.0/8`、`fd00::/8`",
        ),
        of("gate.trusted_proxies", Ingest).variable("TRUSTED_PROXIES").reloaded().means(
            "proxies whose word about a client's address is taken (`X-Forwarded-For`, `Forwarded`)",
            "可信代理：采信它们给出的客户端地址（`X-Forwarded-For`、`Forwarded`）",
        ),
        of("gate.proxy_protocol", Ingest).values(&["false"]).reloaded().means(
            "connections of the trusted proxies begin with a PROXY protocol header, version 1 or 2",
            "可信代理的连接以 PROXY protocol 头（v1 或 v2）开始",
        ),
        of("gate.paths.PATH.accept", Ingest).unset("all that are set", "所有已设置的凭证").reloaded().means(
            "which credentials this path takes: `bearer`, `basic`, `hmac`",
            "该路径接受哪些凭证：`bearer`、`basic`、`hmac`",
        ),
        of("gate.alert_bot_ids", Ingest)
            .variable("ALERT_BOT_IDS")
            .unset("any", "不限")
            .reloaded()
            .means("`sender_id`s that the custom format may carry", "自定义格式中允许的 `sender_id`"),
        of("gate.accept_text", Ingest).values(&["false"]).reloaded().means(
            "take a body of the type `text/plain` that is no JSON for a message; its `sender_id` is what `?origin=` says, else `text`",
            "把类型为 `text/plain`、又不是 JSON 的请求体当作消息；其 `sender_id` 是 `?origin=` 的值，没有时为 `text`",
        ),
        of("gate.allow_unauthenticated", Ingest).values(&["false"]).reloaded().means(
            "start without any credential although `listen` is not a loopback address",
            "即使 `listen` 不是回环地址，也允许在没有任何凭证的情况下启动",
        ),
    ],
};

pub(super) const LIMITS: SettingGroup = SettingGroup {
    title: text("Limits", "上限"),
    about: text("Of one ingest process.", "以单个 ingest 进程计。"),
    settings: &[
        of("limits.connections", Ingest).values(&["4096"]).means(
            "open connections; beyond it the one that has waited longest for its client is closed",
            "同时打开的连接数；超出时关闭等待客户端最久的那一个",
        ),
        of("limits.header_bytes", Ingest)
            .values(&["32KiB"])
            .means("headers of one request", "单个请求的请求头大小"),
        of("limits.body_bytes", Ingest).values(&["32MiB"]).means(
            "one body, else `413` (a group of 20 000 alerts is 24 MB)",
            "单个请求体的大小，超出返回 `413`（20 000 条告警的一组约 24 MB）",
        ),
        of("limits.bodies_bytes", Ingest)
            .values(&["128MiB"])
            .means("all bodies in memory together, else `503`", "内存中所有请求体的总大小，超出返回 `503`"),
        of("limits.header_timeout", Ingest).values(&["30s"]).means(
            "time for the headers of a connection's first request",
            "等待连接上第一个请求的请求头的时间",
        ),
        of("limits.keep_alive", Ingest).values(&["90s"]).means(
            "how long a connection is kept for its next request; longer than load balancers keep theirs (60 s)",
            "空闲连接为下一个请求保留多久；应长于负载均衡的空闲时间（60 s）",
        ),
        of("limits.body_timeout", Ingest)
            .values(&["30s"])
            .means("time for one request's body, else `408`", "等待请求体的时间，超时返回 `408`"),
    ],
};

pub(super) const CALLBACKS: SettingGroup = SettingGroup {
    title: text("Feishu's callbacks", "飞书回调"),
    about: text(
        "With neither of the two, `/lark/event` and `/lark/card/action` answer `404`. The worker looks at them only to know \
         whether anybody would hear that a button is pressed.",
        "两项都不设置时，`/lark/event` 和 `/lark/card/action` 返回 `404`。worker 只用它们判断按下按钮是否有人处理。",
    ),
    settings: &[
        of("lark.encrypt_key", Both).variable("LARK_ENCRYPT_KEY").secret().means(
            "the app's Encrypt Key: decrypts events and checks their signature",
            "应用的 Encrypt Key：解密事件并校验签名",
        ),
        of("lark.verification_token", Both).variable("LARK_VERIFICATION_TOKEN").secret().means(
            "the app's Verification Token: in every event, and in the signature of old card callbacks",
            "应用的 Verification Token：每个事件都带有它，旧版卡片回调用它签名",
        ),
    ],
};

pub(super) const QUEUE: SettingGroup = SettingGroup {
    title: text("Queue", "队列"),
    about: text(
        "RabbitMQ. `larkfire` without `queue.url` uses a queue of its own in `data_dir`; the roles cannot do without.",
        "RabbitMQ。`larkfire` 未设置 `queue.url` 时使用 `data_dir` 中的内嵌队列；分角色运行时必须设置。",
    ),
    settings: &[
        of("queue.url", Both).variable("AMQP_URL").secret().unset("none: embedded", "无：内嵌队列").means(
            "`amqp://user:password@host:5672/vhost`, or `amqps://…` with TLS (port 5671)",
            "`amqp://user:password@host:5672/vhost`；TLS 用 `amqps://…`（端口 5671）",
        ),
        of("queue.tls.ca_file", Both).unset("the system's CAs", "系统 CA").means(
            "the CAs (PEM) that the broker's certificate may come from, instead of the system's",
            "broker 证书允许由哪些 CA（PEM）签发，代替系统 CA",
        ),
        of("queue.tls.cert_file", Both)
            .means("certificate to show a broker that asks for one", "broker 要求客户端证书时出示的证书"),
        of("queue.tls.key_file", Both).means("the key to it, without a password", "对应的私钥，不带密码"),
        of("queue.tls.server_name", Both).unset("the host of `queue.url`", "`queue.url` 中的主机名").means(
            "the name that the broker's certificate has to be for",
            "broker 证书必须匹配的名称",
        ),
        of("queue.prefix", Both)
            .variable("LARKFIRE_QUEUE_PREFIX")
            .values(&["larkfire"])
            .means("what the names of queues and exchanges begin with", "队列和交换机名称的前缀"),
        of("queue.shards", Both).values(&["1"]).means(
            "queues that alerts are spread over; the same in every process. Queues left from a larger number are still \
             read, with a warning",
            "告警分布到几个队列；所有进程必须一致。调小之后遗留的队列仍会被消费，并记录一条警告",
        ),
        of("queue.publish_connections", Both)
            .values(&["2"])
            .means("connections a process publishes through", "一个进程用几条连接发布消息"),
        of("queue.publish_window", Both).values(&["100"]).means(
            "unconfirmed messages on each of them; what has to wait is sent together",
            "每条连接上未确认的消息数；需要等待的内容会合并发送",
        ),
        of("queue.publish_timeout", Both).values(&["2s"]).means(
            "how long a publish waits for the broker's confirm; then a sender gets `503`",
            "发布消息时等待 broker 确认的时间；超时后发送方收到 `503`",
        ),
        of("queue.prefetch", Worker)
            .values(&["2000"])
            .means("unacknowledged messages one worker holds", "一个 worker 持有的未确认消息数"),
    ],
};

pub(super) const SPOOL: SettingGroup = SettingGroup {
    title: text("Spool", "本地暂存"),
    about: text(
        "Keeps alerts on ingest's own disk while RabbitMQ does not take them. The embedded queue needs none.",
        "RabbitMQ 不可用时，ingest 把告警写到本地磁盘，恢复后补发。内嵌队列不需要它。",
    ),
    settings: &[
        of("spool.dir", Ingest)
            .variable("LARKFIRE_SPOOL_DIR")
            .unset("none: off", "无：关闭")
            .means("its directory; one for each process", "目录；每个进程一个"),
        of("spool.max_bytes", Ingest).values(&["256MiB"]).means(
            "all files in it together; when it is full, senders get `503` as without it",
            "目录中所有文件的总大小；写满后与没有本地暂存一样返回 `503`",
        ),
    ],
};

pub(super) const SOURCES: SettingGroup = SettingGroup {
    title: text("Formats of one's own", "自定义格式"),
    about: text(
        "For senders whose JSON is none of the known formats. A part is a JSON pointer (`/alert/name`), or a text in which `{/alert/name}` stands for what is there; of several the first that says something counts. \
         [An example](senders.md#formats-of-ones-own).",
        "用于 JSON 不属于任何已知格式的发送方。每一项写 JSON 指针（`/alert/name`），或一段文字，其中 `{/alert/name}` 代表该处的内容；写多个时取第一个有内容的。[示例](senders.md#自定义格式)。",
    ),
    settings: &[
        of("sources.NAME.when[]", Ingest).unset("only by `?source=NAME`", "只能由 `?source=NAME` 指定").means(
            "what a body has to have to be of this format: pointers, each also with a value (`/type=problem`)",
            "请求体要有哪些内容才算这种格式：JSON 指针，可带值（`/type=problem`）",
        ),
        of("sources.NAME.items", Ingest).unset("the body is one alert", "请求体就是一条告警").means(
            "the array in which the alerts stand; what is not in an alert is looked for around it",
            "告警所在的数组；告警里没有的，到它外面找",
        ),
        of("sources.NAME.name[]", Ingest).means("what an alert is called; needed", "告警名称；必填"),
        of("sources.NAME.status[]", Ingest).unset("it fires", "视为触发").means(
            "whether it fires: [the usual words](identity.md#a-key-of-ones-own) end it, everything else fires",
            "是否触发：[常见的恢复用词](identity.md#自定义-key)表示恢复，其他都算触发",
        ),
        of("sources.NAME.resolved", Ingest)
            .means("further words that end it, in any case", "另外哪些词表示恢复，不分大小写"),
        of("sources.NAME.severity[]", Ingest).means("how bad it is", "严重程度"),
        of("sources.NAME.summary[]", Ingest).means("one line that says what is wrong", "一句话说明"),
        of("sources.NAME.description[]", Ingest).means("more lines", "详细说明"),
        of("sources.NAME.link[]", Ingest).means("where its sender shows it", "发送方展示该告警的地址"),
        of("sources.NAME.starts_at[]", Ingest)
            .means("when it began; the same in its end", "开始时间；恢复消息里也应是同一时间"),
        of("sources.NAME.ends_at[]", Ingest).means("when it ended", "结束时间"),
        of("sources.NAME.owners[]", Ingest).means(
            "whom it names: user names, mobiles, `open_id`s, with commas between them",
            "负责人：用户名、手机号、`open_id`，用逗号分隔",
        ),
        of("sources.NAME.identity[]", Ingest)
            .unset("its name, its texts and its labels", "名称、说明和标签")
            .means(
                "what tells one alert from another, all of these together; the same in its end",
                "区分不同告警的依据，全部合在一起；恢复消息里应相同",
            ),
        of("sources.NAME.labels.LABEL", Ingest).means("the value of this label", "该标签的值"),
        of("sources.NAME.labels_from[]", Ingest)
            .means("objects whose texts are labels", "其中每一项都作为标签的对象"),
        of("sources.NAME.answer", Ingest).values(&["202"]).means(
            "`200` for senders that take nothing else for a success",
            "只认 `200` 的发送方写 `200`",
        ),
    ],
};

//! Settings of every process.

use super::{SettingGroup, of};
use runtime::documents::Roles::{Both, Ingest, Worker};
use runtime::documents::{Bilingual, text};

pub(super) const PROCESS: SettingGroup = SettingGroup {
    title: text("The process", "进程"),
    about: Bilingual::EMPTY,
    settings: &[
        of("listen", Ingest)
            .variable("LARKFIRE_LISTEN")
            .values(&["127.0.0.1:8080"])
            .means("address and port where alerts come in", "接收告警的地址和端口"),
        of("admin_listen", Both).variable("LARKFIRE_ADMIN_LISTEN").values(&["127.0.0.1:9095"]).means(
            "admin port: `/metrics`, `/healthz`, `/readyz`, the console and the preview page",
            "管理端口：`/metrics`、`/healthz`、`/readyz`、控制台和预览页",
        ),
        of("probes_listen", Both)
            .variable("LARKFIRE_PROBES_LISTEN")
            .unset("none: on `admin_listen` only", "无：只在 `admin_listen` 上")
            .means(
                "a port for `/healthz` and `/readyz` alone, in plain HTTP, which no client of the admin port can keep busy; they are on both then",
                "只提供 `/healthz` 和 `/readyz` 的端口（明文 HTTP），不受管理端口上其他客户端的影响；设置后两个端口都提供",
            ),
        of("admin_hosts", Both)
            .variable("LARKFIRE_ADMIN_HOSTS")
            .unset("none but the host of `console.url`", "仅 `console.url` 中的主机名")
            .means(
                "names by which the admin port is asked, such as `mon1.example.com`; addresses, names without a dot and names of a private kind (`.internal`, `.local`, `.svc`) need not be named. Any other `Host` gets a `421`",
                "访问管理端口所用的名称，例如 `mon1.example.com`；IP 地址、不带点的名称以及私有名称（`.internal`、`.local`、`.svc`）无需列出。其他 `Host` 返回 `421`",
            ),
        of("console.path_prefix", Worker)
            .variable("LARKFIRE_CONSOLE_PATH_PREFIX")
            .unset("none: the console is at `/`", "无：控制台在 `/`")
            .means(
                "path before every page of the console, such as `/larkfire`, for a proxy that serves other things beside it",
                "控制台所有页面的路径前缀，例如 `/larkfire`；用于与其他服务共用反向代理的情况",
            ),
        of("tls.cert_file", Ingest).reloaded().unset("none: plain HTTP", "无：明文 HTTP").means(
            "certificate that `listen` shows (PEM, its own first, then those between it and the CA): HTTPS, with HTTP/2 for \
             clients that ask for it",
            "`listen` 使用的证书（PEM，自身证书在前，随后是中间证书）：启用 HTTPS，客户端可协商 HTTP/2",
        ),
        of("tls.key_file", Ingest).reloaded().means("the key to it, without a password", "对应的私钥，不带密码"),
        of("tls.client_ca_file", Ingest).reloaded().unset("none: anybody connects", "无：任何客户端都能连接").means(
            "clients have to show a certificate of one of these CAs; Feishu's callbacks cannot",
            "客户端必须出示由这些 CA 签发的证书；飞书回调无法出示",
        ),
        of("admin_tls.cert_file", Both)
            .reloaded()
            .unset("none: plain HTTP", "无：明文 HTTP")
            .means("certificate that `admin_listen` shows", "`admin_listen` 使用的证书"),
        of("admin_tls.key_file", Both).reloaded().means("the key to it", "对应的私钥"),
        of("https.ca_file", Worker).means(
            "CAs (PEM) to believe besides the system's, of what is asked over HTTPS: Feishu or a proxy in front of it, \
             Alertmanagers, Grafana",
            "除系统 CA 之外还信任的 CA（PEM），用于所有 HTTPS 请求：飞书或其前面的代理、Alertmanager、Grafana",
        ),
        of("data_dir", Worker).variable("LARKFIRE_DATA_DIR").values(&["./data"]).means(
            "directory of the embedded queue, and of `larkfire.db` where `database.url` is not set",
            "内嵌队列的目录；未设置 `database.url` 时，`larkfire.db` 也在这里",
        ),
        of("timezone", Both).variable("TIMEZONE").values(&["Asia/Shanghai"]).means(
            "time zone (IANA) of the times on cards, and of times in payloads that name none",
            "卡片上显示时间所用的时区（IANA 名称）；请求里不带时区的时间也按它解释",
        ),
        of("locale", Both).variable("LOCALE").values(&["zh-CN"]).means(
            "language of cards and of answers to people whose own is not known: `zh-CN` or `en`",
            "卡片的语言，也用于回复语言未知的用户：`zh-CN` 或 `en`",
        ),
        of("log_format", Both).variable("LARKFIRE_LOG_FORMAT").values(&["pretty"]).means(
            "`pretty` for a terminal, `json` for a log store; the variable `RUST_LOG` sets the level",
            "`pretty` 适合终端，`json` 适合日志平台；日志级别由环境变量 `RUST_LOG` 控制",
        ),
        of("shutdown_delay", Both).variable("LARKFIRE_SHUTDOWN_DELAY").values(&["0s"]).means(
            "how long a process that was told to stop takes alerts as before, while `/readyz` says that it is not ready: as \
             long as load balancers may take to see that",
            "收到停止信号后照常接收告警多久，其间 `/readyz` 已是未就绪；应不短于负载均衡摘除它所需的时间",
        ),
        of("shutdown_grace", Both).values(&["20s"]).means(
            "how long a shutdown may take after that to finish what is in hand; the rest stays on the queue",
            "此后最多等多久处理完手上的工作；其余留在队列里",
        ),
    ],
};

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
        of("console.path_prefix", Worker)
            .variable("LARKFIRE_CONSOLE_PATH_PREFIX")
            .unset("none: the console is at `/`", "无：控制台在 `/`")
            .means(
                "path before every page of the console, such as `/larkfire`, for a proxy that serves other things beside it",
                "控制台所有页面的路径前缀，例如 `/larkfire`；用于与其他服务共用反向代理的情况",
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
        of("shutdown_grace", Both).values(&["20s"]).means(
            "how long a shutdown may take to finish what is in hand; the rest stays on the queue",
            "停止时最多等多久处理完手上的工作；其余留在队列里",
        ),
    ],
};

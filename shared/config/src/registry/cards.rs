//! Settings of what stands on cards.

use super::{SettingGroup, of};
use runtime::documents::Roles::{Both, Worker};
use runtime::documents::text;

pub(super) const TEMPLATES: SettingGroup = SettingGroup {
    title: text("Cards", "卡片"),
    about: text(
        "What a format shows: [cards](receivers.md#card-format). Words of your own: [templates](templates.md).",
        "各格式的效果见[卡片格式](receivers.md#card-format)；自定义文字见[模板](templates.md)。",
    ),
    settings: &[
        of("cards.format", Worker).variable("CARD_FORMAT").values(&["1.0"]).means(
            "format of cards: `1.0`, which every client shows; `2.0`, with tags, tables and panels, for Feishu 7.20 and newer",
            "卡片格式：`1.0`，所有客户端都能显示；`2.0`，带标签、表格和折叠面板，需要飞书 7.20 及以上",
        ),
        of("images.hosts", Worker).unset("none: pictures are linked", "无：只给出图片链接").means(
            "hosts that pictures of alerts are fetched from, to be shown on the cards of an app's bot: `grafana.example.com`, `grafana.monitoring:3000`, or `*.example.com` for all below it that are at public addresses",
            "应用机器人的卡片要直接显示告警图片时，允许从哪些主机下载：`grafana.example.com`、`grafana.monitoring:3000`，或 `*.example.com`（其下所有解析到公网地址的主机）",
        ),
        of("template", Worker).unset("none: the built-in words", "无：内置文字").reloaded().means(
            "template of receivers that name none, and of the preview",
            "没有指定模板的接收方以及预览使用的模板",
        ),
        of("templates.NAME.title", Worker)
            .unset("the built-in words", "内置文字")
            .reloaded()
            .means("words of the title; 8 KiB at most", "标题的文字；不超过 8 KiB"),
        of("templates.NAME.body", Worker).unset("the built-in words", "内置文字").reloaded().means(
            "words for each alert that is listed in detail; 8 KiB at most",
            "每条详细列出的告警的文字；不超过 8 KiB",
        ),
        of("severities.WORD", Worker)
            .unset("[the built-in words](senders.md#severity)", "[内置的词](senders.md#severity)")
            .means(
                "how bad a sender's word for severity is: `critical`, `warning` or `info`; before the built-in words",
                "发送方用的严重程度词对应哪一级：`critical`、`warning` 或 `info`；优先于内置的词",
            ),
    ],
};

pub(super) const LINKS: SettingGroup = SettingGroup {
    title: text("Links", "链接"),
    about: text(
        "How queries are made and where links lead: [links to logs](loki-links.md).",
        "查询如何生成、链接指向哪里，见[日志链接](loki-links.md)。",
    ),
    settings: &[
        of("links.grafana_url", Worker)
            .variable("GRAFANA_URL")
            .unset("none: no links to logs", "无：没有日志链接")
            .means("Grafana as people reach it, a path included", "用户访问 Grafana 的地址，可以带路径"),
        of("links.loki.datasource_uid", Worker).variable("LOKI_DATASOURCE_UID").means(
            "uid of the Loki data source, as Grafana's address bar shows it",
            "Loki 数据源的 uid，见 Grafana 的地址栏",
        ),
        of("links.loki.datasources.NAMESPACE", Worker)
            .unset("`links.loki.datasource_uid`", "`links.loki.datasource_uid`")
            .means("uid for alerts of this namespace", "该命名空间的告警用哪个 uid"),
        of("links.loki.labels.LABEL", Both)
            .unset("`namespace`, `app`, `pod`", "`namespace`、`app`、`pod`")
            .means(
                "a label in Loki, and the alert's labels it is read from: the first that is there",
                "Loki 的标签，以及从告警的哪些标签取值：取第一个存在的",
            ),
        of("links.loki.logs", Worker).values(&["%{selector}"]).means(
            "LogQL for logs; several: the first of which the alert has every value",
            "查日志的 LogQL；多个时取第一个告警能填满的",
        ),
        of("links.loki.errors", Worker)
            .values(&["%{selector} |= %{endpoint} %{errors}", "%{selector} %{errors}"])
            .means("the same for errors", "查错误的 LogQL，规则同上"),
        of("links.loki.error_words", Worker).values(&["error", "exception", "fatal", "panic"]).means(
            "what errors are known by where the alert names no keyword",
            "告警没有给出关键词时，凭哪些词识别错误",
        ),
        of("links.loki.before", Worker)
            .values(&["5m"])
            .means("how long before the alert's start logs begin", "日志从告警开始前多久起"),
        of("links.loki.after", Worker)
            .values(&["5m"])
            .means("how long after its start or end they end", "日志到告警开始（或结束）后多久止"),
        of("links.org_id", Worker)
            .unset("the reader's own", "读者当前的组织")
            .means("organisation that links to Grafana name", "Grafana 链接里的组织（org）"),
        of("links.explore", Worker).values(&["left"]).means(
            "form of these links: `left` for every Grafana, `panes` for 10.2 and newer",
            "链接的写法：`left` 适用于所有 Grafana，`panes` 适用于 10.2 及以上",
        ),
        of("links.rewrite.URL", Worker).means(
            "an address in alerts that people cannot reach, and the one to show instead",
            "告警里用户访问不到的地址，以及代替它显示的地址",
        ),
    ],
};

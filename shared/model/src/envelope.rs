//! The queue's unit: what one accepted HTTP request becomes. The wire format is one JSON object per line,
//! a message body is one or more such lines (docs/ARCHITECTURE.md, "On the queue"). Pure.

mod decode;
mod encode;
mod id;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::hash::Hasher;

use fnv::FnvHasher;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Labels, owned};

pub use decode::{EnvelopeDecodeError, decode, lines};
pub use encode::{ENVELOPE_ALERTS_MAX, ENVELOPE_BYTES_MAX, EncodeError, Line, encode, json_text};
pub use id::EnvelopeId;

/// The version of the wire format this build writes, and the only one it reads.
pub const WIRE_VERSION: u32 = 1;

/// The alerts of one request: one source, one receiver, one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Names this envelope in answers, logs and dead letters.
    pub id: EnvelopeId,
    /// When ingest had read the whole request.
    pub received_at: Timestamp,
    /// The format it came in.
    pub source: Source,
    /// Who the sender meant: Alertmanager's receiver, or the one named in path or query. May name none of ours.
    pub receiver: Cow<'a, str>,
    /// The sender's name for the group. Opaque; with the receiver it decides the shard.
    pub group_key: Cow<'a, str>,
    /// The labels the group was made by.
    pub group_labels: Labels<'a>,
    /// The sending system's own address; empty when unknown. Untrusted.
    pub external_url: Cow<'a, str>,
    /// How many alerts the sender cut off before sending.
    pub truncated: u64,
    /// What a template of the sender's own says of all of it.
    pub notice: Notice<'a>,
    /// Whether the sender says that nothing is new, and that it sends this because it wants people to be reminded.
    pub is_repeat: bool,
    /// Whether nobody has said that these are over: a worker says so, because they are not heard of any more. Their
    /// `ends_at` is when they were last.
    pub is_unheard: bool,
    /// The receiver that these are for, where `receiver` is another that is told instead; else empty.
    pub instead_of: Cow<'a, str>,
    /// The alerts; never empty on the wire.
    pub alerts: Vec<Alert<'a>>,
}

impl Envelope<'_> {
    /// Copies whatever is still borrowed, so that the envelope may outlive its message.
    pub fn into_owned(self) -> Envelope<'static> {
        Envelope {
            id: self.id,
            received_at: self.received_at,
            source: self.source,
            receiver: owned(self.receiver),
            group_key: owned(self.group_key),
            group_labels: self.group_labels.into_owned(),
            external_url: owned(self.external_url),
            truncated: self.truncated,
            notice: self.notice.into_owned(),
            is_repeat: self.is_repeat,
            is_unheard: self.is_unheard,
            instead_of: owned(self.instead_of),
            alerts: self.alerts.into_iter().map(Alert::into_owned).collect(),
        }
    }

    /// The same with these of its alerts only, by their places.
    #[must_use]
    pub fn of_alerts(&self, places: &[usize]) -> Self {
        Self {
            id: self.id,
            received_at: self.received_at,
            source: self.source,
            receiver: self.receiver.clone(),
            group_key: self.group_key.clone(),
            group_labels: self.group_labels.clone(),
            external_url: self.external_url.clone(),
            truncated: self.truncated,
            notice: self.notice.clone(),
            is_repeat: self.is_repeat,
            is_unheard: self.is_unheard,
            instead_of: self.instead_of.clone(),
            alerts: places.iter().filter_map(|place| self.alerts.get(*place).cloned()).collect(),
        }
    }

    /// What decides the shard: one group of one receiver always goes the same way.
    pub fn shard_key(&self) -> u64 {
        let mut hasher = FnvHasher::default();
        hasher.write(self.receiver.as_bytes());
        hasher.write_u8(0xff);
        hasher.write(self.group_key.as_bytes());
        hasher.finish()
    }
}

/// What a sender's own template says of a whole notification: title and message of Grafana's contact point. Each is
/// empty where the sender has none. Untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice<'a> {
    /// One line.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub title: Cow<'a, str>,
    /// A text of several lines.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub message: Cow<'a, str>,
}

impl Notice<'_> {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.message.is_empty()
    }

    fn into_owned(self) -> Notice<'static> {
        Notice { title: owned(self.title), message: owned(self.message) }
    }
}

/// A format alerts arrive in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Prometheus Alertmanager's webhook, version 4.
    Alertmanager,
    /// Grafana unified alerting.
    Grafana,
    /// Grafana's alerting up to version 8.
    GrafanaLegacy,
    /// `{message, sender_id, chat_id, timestamp, metadata}`.
    Custom,
    /// `{message, status, at_name, at_phone}`.
    LokiFeishu,
    /// What Prometheus and vmalert push to an Alertmanager's API.
    Prometheus,
    /// What is sent to a custom bot of Feishu or Lark.
    FeishuBot,
    /// What is sent to a robot of DingTalk.
    DingtalkBot,
    /// What is sent to a robot of WeCom.
    WecomBot,
    /// Events of Nightingale.
    Nightingale,
    /// Zabbix, by our media type or by a usual one.
    Zabbix,
    /// Alibaba Cloud's CloudMonitor, 1.0 and 2.0.
    AliyunCms,
    /// Alibaba Cloud's Simple Log Service.
    AliyunSls,
    /// Tencent Cloud's monitoring.
    TencentCloud,
    /// Huawei Cloud's Simple Message Notification.
    HuaweiSmn,
    /// Amazon's Simple Notification Service, and CloudWatch in it.
    AwsSns,
    /// Azure Monitor's common schema.
    AzureMonitor,
    /// Google Cloud's monitoring.
    GcpMonitoring,
    /// Datadog, by a payload template.
    Datadog,
    /// Sentry, by an integration or its old plugin.
    Sentry,
    /// Uptime Kuma.
    UptimeKuma,
    /// Events of Kubernetes, by kubernetes-event-exporter.
    KubernetesEvent,
    /// Argo CD's notifications.
    ArgoCd,
    /// Falco, by falcosidekick.
    Falco,
    /// What a mapping of the configuration reads.
    Mapped,
    /// What Larkfire says of itself: a heartbeat that is missing. Nothing that comes in is of it.
    Larkfire,
}

impl Source {
    /// Every source, in the order of the documentation.
    pub const ALL: [Self; 26] = [
        Self::Alertmanager,
        Self::Grafana,
        Self::GrafanaLegacy,
        Self::Custom,
        Self::LokiFeishu,
        Self::Prometheus,
        Self::FeishuBot,
        Self::DingtalkBot,
        Self::WecomBot,
        Self::Nightingale,
        Self::Zabbix,
        Self::AliyunCms,
        Self::AliyunSls,
        Self::TencentCloud,
        Self::HuaweiSmn,
        Self::AwsSns,
        Self::AzureMonitor,
        Self::GcpMonitoring,
        Self::Datadog,
        Self::Sentry,
        Self::UptimeKuma,
        Self::KubernetesEvent,
        Self::ArgoCd,
        Self::Falco,
        Self::Mapped,
        Self::Larkfire,
    ];

    /// The word used on the wire, in logs and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::GrafanaLegacy => "grafana_legacy",
            Self::Custom => "custom",
            Self::LokiFeishu => "loki_feishu",
            Self::Prometheus => "prometheus",
            Self::FeishuBot => "feishu_bot",
            Self::DingtalkBot => "dingtalk_bot",
            Self::WecomBot => "wecom_bot",
            Self::Nightingale => "nightingale",
            Self::Zabbix => "zabbix",
            Self::AliyunCms => "aliyun_cms",
            Self::AliyunSls => "aliyun_sls",
            Self::TencentCloud => "tencent_cloud",
            Self::HuaweiSmn => "huawei_smn",
            Self::AwsSns => "aws_sns",
            Self::AzureMonitor => "azure_monitor",
            Self::GcpMonitoring => "gcp_monitoring",
            Self::Datadog => "datadog",
            Self::Sentry => "sentry",
            Self::UptimeKuma => "uptime_kuma",
            Self::KubernetesEvent => "kubernetes_event",
            Self::ArgoCd => "argo_cd",
            Self::Falco => "falco",
            Self::Mapped => "mapped",
            Self::Larkfire => "larkfire",
        }
    }

    /// Whether what it brings are messages and events, which have a title and a text and no end, rather than alerts.
    pub const fn is_of_messages(self) -> bool {
        match self {
            Self::Custom
            | Self::LokiFeishu
            | Self::FeishuBot
            | Self::DingtalkBot
            | Self::WecomBot
            | Self::KubernetesEvent
            | Self::Falco => true,
            Self::Alertmanager
            | Self::Grafana
            | Self::GrafanaLegacy
            | Self::Prometheus
            | Self::Nightingale
            | Self::Zabbix
            | Self::AliyunCms
            | Self::AliyunSls
            | Self::TencentCloud
            | Self::HuaweiSmn
            | Self::AwsSns
            | Self::AzureMonitor
            | Self::GcpMonitoring
            | Self::Datadog
            | Self::Sentry
            | Self::UptimeKuma
            | Self::ArgoCd
            | Self::Mapped
            | Self::Larkfire => false,
        }
    }
}

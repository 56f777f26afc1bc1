//! The real Alertmanager, told to send to a Larkfire under test.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

/// When every alert began.
const STARTED_AT: &str = "2026-01-15T10:30:00Z";
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running Alertmanager with a group interval of a second.
pub(crate) struct Alertmanager {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one whose only receiver posts to `url`.
    pub(crate) async fn start(url: &str) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let config = format!(
            "route: {{ receiver: larkfire, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h }}\n\
             receivers: [{{ name: larkfire, webhook_configs: [{{ url: '{url}', send_resolved: true }}] }}]\n"
        );
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let process = Launch::program("prometheus-alertmanager")
            .argument(format!("--config.file={}", file.display()))
            .argument(format!("--storage.path={}", folder.path().display()))
            .argument(format!("--web.listen-address={address}"))
            .argument("--cluster.listen-address=")
            .start();
        let alertmanager = Self { address, _process: process, _folder: folder };
        let ready = alertmanager.url("/-/ready");
        wait_until(START_PATIENCE, "Alertmanager to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        alertmanager
    }

    /// Posts an alert as Prometheus does: it fires as long as `ends_at` is not set.
    pub(crate) async fn post(&self, labels: Value, annotations: Value, ends_at: Option<&str>) {
        // With its beginning, as Prometheus does: without, Alertmanager makes one up from the end.
        let mut alert = json!({ "labels": labels, "annotations": annotations, "startsAt": STARTED_AT });
        if let Some(ends_at) = ends_at {
            alert["endsAt"] = json!(ends_at);
        }
        let answer = http::post_json(&self.url("/api/v2/alerts"), &json!([alert])).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

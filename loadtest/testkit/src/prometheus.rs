//! The real Prometheus, which evaluates one rule and pushes its alert to a Larkfire under test, without an Alertmanager.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use tempfile::TempDir;

use crate::http;
use crate::ports::free_address;
use crate::process::{Launch, Process};
use crate::wait_until::wait_until;

const START_PATIENCE: Duration = Duration::from_secs(30);

/// Whether the rule's condition holds.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// Its alert fires.
    Holds,
    /// It is over.
    IsOver,
}

/// A running Prometheus that evaluates each second, and pushes again each second what fires.
pub struct Prometheus {
    address: SocketAddr,
    rules: PathBuf,
    _process: Process,
    _folder: TempDir,
}

impl Prometheus {
    /// One whose rule `PushedAlert` holds; pushes to `host`, below `path_prefix`. `replica` is a label of its own.
    pub async fn pushing_to(host: SocketAddr, path_prefix: &str, replica: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let rules = folder.path().join("rules.yml");
        let config = format!(
            "global: {{ evaluation_interval: 1s, external_labels: {{ prometheus_replica: {replica} }} }}\n\
             rule_files: ['{}']\n\
             alerting: {{ alertmanagers: [{{ path_prefix: {path_prefix}, static_configs: [{{ targets: ['{host}'] }}] }}] }}\n",
            rules.display()
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).expect("a file in a folder of our own");
        write_rule(&rules, Condition::Holds);
        let launch = Launch::program("prometheus")
            .argument(format!("--config.file={}", file.display()))
            .argument(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .argument(format!("--web.listen-address={address}"))
            .argument("--web.enable-lifecycle")
            .argument("--rules.alert.resend-delay=1s");
        let prometheus = Self { address, rules, _process: launch.start(), _folder: folder };
        let ready = format!("http://{address}/-/ready");
        wait_until(START_PATIENCE, "Prometheus to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        prometheus
    }

    /// Makes the rule's condition hold, or not.
    pub async fn set(&self, condition: Condition) {
        write_rule(&self.rules, condition);
        let reload = format!("http://{}/-/reload", self.address);
        let answer = http::send(Method::POST, &reload, &[], Bytes::new()).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// A changed expression would be another rule, whose alert is not ended but gone; so what changes is a rule that it reads.
fn write_rule(file: &std::path::Path, condition: Condition) {
    let value = match condition {
        Condition::Holds => 1,
        Condition::IsOver => 0,
    };
    let rules = format!(
        "groups:\n- name: larkfire\n  rules:\n  - {{ record: larkfire_condition, expr: vector({value}) }}\n  \
         - {{ alert: PushedAlert, expr: larkfire_condition > 0, labels: {{ severity: critical }}, annotations: {{ summary: pushed by Prometheus }} }}\n"
    );
    std::fs::write(file, rules).expect("a file in a folder of our own");
}

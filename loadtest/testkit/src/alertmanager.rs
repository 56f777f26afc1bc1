//! The real Alertmanager, alone or as one of a pair, told to send to a Larkfire under test.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::http;
use crate::ports::free_address;
use crate::process::{Launch, Process};
use crate::wait_until::wait_until;

const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running Alertmanager with a group for each name of an alert, and a group interval of a second.
pub struct Alertmanager {
    address: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

/// What its gossip with a peer needs.
struct Cluster {
    own: SocketAddr,
    peer: SocketAddr,
}

impl Alertmanager {
    /// One whose only receiver posts to `url`, and says again after `repeat_interval` what has not changed.
    pub async fn alone(url: &str, repeat_interval: &str) -> Self {
        let alertmanager = Self::start(url, repeat_interval, None);
        alertmanager.wait_until_ready().await;
        alertmanager
    }

    /// Two that know of each other: what one has sent the other does not, unless it hears of that too late.
    pub async fn pair(urls: [&str; 2], repeat_interval: &str) -> [Self; 2] {
        let [one, other] = [free_address(), free_address()];
        let clusters = [Cluster { own: one, peer: other }, Cluster { own: other, peer: one }];
        let mut of_url = urls.into_iter().zip(clusters);
        let pair = [(); 2].map(|()| {
            let (url, cluster) = of_url.next().expect("two of each");
            Self::start(url, repeat_interval, Some(&cluster))
        });
        for alertmanager in &pair {
            alertmanager.wait_until_ready().await;
            alertmanager.wait_for_its_peer().await;
        }
        pair
    }

    fn start(url: &str, repeat_interval: &str, cluster: Option<&Cluster>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        // Nobody posts an alert again here: without this it would be over by itself after five minutes.
        let config = format!(
            "global: {{ resolve_timeout: 24h }}\n\
             route: {{ receiver: larkfire, group_by: [alertname], group_wait: 0s, group_interval: 1s, \
             repeat_interval: {repeat_interval} }}\n\
             receivers: [{{ name: larkfire, webhook_configs: [{{ url: '{url}', send_resolved: true }}] }}]\n"
        );
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config).expect("a file in a folder of our own");
        let launch = Launch::program("prometheus-alertmanager")
            .argument(format!("--config.file={}", file.display()))
            .argument(format!("--storage.path={}", folder.path().display()))
            .argument(format!("--web.listen-address={address}"));
        let launch = match cluster {
            None => launch.argument("--cluster.listen-address="),
            // Quick gossip, and a short wait for the other one: a test has no minutes for that.
            Some(Cluster { own, peer }) => launch
                .argument(format!("--cluster.listen-address={own}"))
                .argument(format!("--cluster.advertise-address={own}"))
                .argument(format!("--cluster.peer={peer}"))
                .argument("--cluster.gossip-interval=50ms")
                .argument("--cluster.reconnect-interval=1s")
                .argument("--cluster.peer-timeout=2s"),
        };
        Self { address, _process: launch.start(), _folder: folder }
    }

    /// Posts alerts as Prometheus does: one fires as long as its `endsAt` is not set, or lies ahead. Without its
    /// beginning Alertmanager would make one up from the end.
    pub async fn post(&self, alerts: &Value) {
        let answer = http::post_json(&self.url("/api/v2/alerts"), alerts).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    async fn wait_until_ready(&self) {
        let ready = self.url("/-/ready");
        wait_until(START_PATIENCE, "Alertmanager to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }

    async fn wait_for_its_peer(&self) {
        let status = self.url("/api/v2/status");
        wait_until(START_PATIENCE, "Alertmanager to have settled with its peer", async || {
            let cluster =
                http::get(&status).await.map_err(|error| error.to_string())?.json()["cluster"].take();
            let peers = cluster["peers"].as_array().map_or(0, Vec::len);
            if cluster["status"] == "ready" && peers == 2 { Ok(()) } else { Err(cluster.to_string()) }
        })
        .await;
    }

    /// The silences that are active now.
    pub async fn silences(&self) -> Vec<Value> {
        let answer = http::get(&self.url("/api/v2/silences")).await.expect("an answer");
        let all = answer.json().as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|silence| silence["status"]["state"] == "active").collect()
    }

    /// Ends a silence, as somebody does on its page.
    pub async fn end(&self, silence: &Value) {
        let path = format!("/api/v2/silence/{}", silence["id"].as_str().expect("an id"));
        let answer = http::send(Method::DELETE, &self.url(&path), &[], Bytes::new()).await;
        assert_eq!(answer.expect("an answer").status, 200);
    }

    /// The state of the alert of this name: `active`, or `suppressed` while it is silenced.
    pub async fn state(&self, alertname: &str) -> String {
        let filter = format!("/api/v2/alerts?filter=alertname%3D%22{alertname}%22");
        let answer = http::get(&self.url(&filter)).await.expect("an answer");
        answer.json()[0]["status"]["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where something of it is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

//! Feishu from within a company's network: by a proxy that is asked to `CONNECT`, and with a certificate that comes from no
//! public CA, as where such a proxy looks into what passes it.

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use queue::rabbitmq::topology::Names;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::Launch;
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::tls::{ConnectProxy, TestCa, TestCertificate, TlsFront};
use testkit::wait_until::wait_until;

use super::harness::{Harness, WITHIN};

/// A name that no resolver knows: whoever reaches it has gone by the proxy.
const HOST: &str = "open.feishu.invalid";
const TOKEN: &str = "token-of-default";

/// Feishu behind a certificate, and the proxy that leads there.
struct Network {
    sim: FeishuSim,
    proxy: ConnectProxy,
    _front: TlsFront,
}

impl Network {
    async fn with(certificate: &TestCertificate) -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN)])).await.unwrap();
        let front = TlsFront::start(certificate, sim.address()).await;
        let proxy = ConnectProxy::start(front.address()).await;
        Self { sim, proxy, _front: front }
    }

    /// What a check says, started with these variables as well.
    async fn checked(&self, ca: Option<&TestCa>, variables: &[(&str, &str)]) -> String {
        let harness = configured(ca, "");
        let launch = harness.prepared(&["check", "--online"]).variable("HTTPS_PROXY", self.proxy.url());
        let launch =
            variables.iter().fold(launch, |launch: Launch, (name, value)| launch.variable(name, value));
        launch.start().finish(WITHIN).await.1
    }
}

fn configured(ca: Option<&TestCa>, further: &str) -> Harness {
    let https = ca.map(|ca| format!("https: {{ ca_file: '{}' }}\n", ca.file().display())).unwrap_or_default();
    let hook = format!("https://{HOST}/open-apis/bot/v2/hook/{TOKEN}");
    let text = format!("receivers: {{ default: {{ webhook_url: '{hook}' }} }}\n{https}{further}");
    let queue = if further.contains("queue:") {
        String::new()
    } else {
        format!("queue: {{ url: '{}' }}\n", amqp_url())
    };
    Harness::with(&format!("{queue}{text}"), &[TOKEN])
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_a_private_ca_is_believed_where_it_is_named() {
    let ca = TestCa::new();
    let network = Network::with(&ca.issue(&[HOST])).await;
    let answers = format!("ok: https://{HOST}: answers (HTTP 200)");
    let printed = network.checked(Some(&ca), &[]).await;
    assert!(printed.contains(&answers), "{printed}");
    assert_eq!(network.proxy.asked(), [format!("CONNECT {HOST}:443 HTTP/1.1")]);

    let file = ca.file().display().to_string();
    let printed = network.checked(None, &[("SSL_CERT_FILE", &file)]).await;
    assert!(printed.contains(&answers), "{printed}");

    let printed = network.checked(Some(&ca), &[("NO_PROXY", HOST)]).await;
    assert!(printed.contains("unless NO_PROXY lists the host") && !printed.contains(&answers), "{printed}");
    assert_eq!(network.proxy.asked().len(), 2, "nobody asked it a third time");
}

#[tokio::test]
async fn who_is_not_feishu_is_refused_with_a_sentence() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    for (certificate, believed, says) in [
        (ca.issue(&[HOST]), &stranger, "the certificate comes from a CA that is not believed here"),
        (
            ca.issue(&["elsewhere.example"]),
            &ca,
            "the certificate is for elsewhere.example, and not for open.",
        ),
        (ca.issue_expired(&[HOST]), &ca, "the certificate expired at 2021-01-01T00:00:00Z"),
    ] {
        let network = Network::with(&certificate).await;
        let printed = network.checked(Some(believed), &[]).await;
        assert!(printed.contains(&format!("FAILED: https://{HOST}: {says}")), "{printed}");
        assert!(printed.contains("go into https.ca_file"), "{printed}");
    }
}

#[tokio::test]
async fn a_card_arrives_by_the_proxy() {
    let ca = TestCa::new();
    let network = Network::with(&ca.issue(&[HOST])).await;
    let prefix = unique_prefix();
    let admin = free_address();
    let database = TestDatabase::create().await;
    let topology = Names::new(prefix.clone(), 1).topology();
    let _leftovers = Leftovers::new()
        .queues(topology.queues.iter().map(|queue| queue.name.clone()))
        .exchanges(topology.exchanges.iter().map(|exchange| exchange.name.clone()));
    let further = format!(
        "admin_listen: {admin}\nqueue: {{ url: '{}', prefix: {prefix} }}\ndatabase: {{ url: '{}' }}\n",
        amqp_url(),
        database.url()
    );
    let harness = configured(Some(&ca), &further);
    let _worker = harness.prepared(&[]).variable("HTTPS_PROXY", network.proxy.url()).start();
    wait_until(WITHIN, "readiness", async || match http::get(&format!("http://{admin}/readyz")).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let (code, printed) = harness.command(&["send-test", "default"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(network.sim.totals().accepted, 1);
    assert_eq!(network.proxy.asked()[0], format!("CONNECT {HOST}:443 HTTP/1.1"));
}

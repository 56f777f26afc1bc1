//! TLS with a broker of the test's own: what goes through it, and what is said of whoever is not the broker.

use std::path::Path;

use config::check::probe::Outcome;
use config::{ClientTls, Config, Environment, IdentityFiles, parse};
use queue::Subscription;
use queue::rabbitmq::probe::broker;
use testkit::broker_node::BrokerNode;
use testkit::prefix::unique_prefix;
use testkit::queue_conformance::{Session, close, publish_all, take};
use testkit::tls::{TestCa, TestCertificate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::engine::RabbitSession;

const HOST: &str = "localhost";
/// A record of TLS 1.0 with a fatal alert: the protocol's version (RFC 8446, 6), as a server answers that knows no newer one.
const TOO_NEW: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// A broker with TLS, and what it knows its clients by.
struct TlsBroker {
    node: BrokerNode,
    ca: TestCa,
    certificate: TestCertificate,
    client: TestCertificate,
}

impl TlsBroker {
    async fn start() -> Self {
        let ca = TestCa::new();
        let certificate = ca.issue(&[HOST]);
        let client = ca.issue(&["larkfire"]);
        let node = BrokerNode::start_with_tls(&ca, &certificate).await;
        Self { node, ca, certificate, client }
    }

    /// What a client is told that is let in.
    fn tls(&self) -> ClientTls {
        let TestCertificate { cert_file, key_file } = self.client.clone();
        ClientTls {
            ca_file: Some(self.ca.file().to_owned()),
            identity: Some(IdentityFiles { cert_file, key_file }),
            server_name: None,
        }
    }

    fn config(&self, tls: &ClientTls) -> Config {
        config_at(&self.node.tls_url(HOST), tls)
    }

    async fn said(&self, tls: &ClientTls) -> String {
        said_of(&self.config(tls)).await
    }
}

fn config_at(url: &str, tls: &ClientTls) -> Config {
    let line = |key: &str, value: Option<&Path>| {
        value.map(|value| format!("    {key}: '{}'\n", value.display())).unwrap_or_default()
    };
    let identity = tls.identity.as_ref();
    let text = format!(
        "queue:\n  url: '{url}'\n  prefix: {}\n  tls:\n{}{}{}{}",
        unique_prefix(),
        line("ca_file", tls.ca_file.as_deref()),
        line("cert_file", identity.map(|identity| &*identity.cert_file)),
        line("key_file", identity.map(|identity| &*identity.key_file)),
        line("server_name", tls.server_name.as_deref().map(Path::new)),
    );
    parse("larkfire.yaml", &text, Environment::default()).expect("a valid configuration")
}

/// What `check --online` says first of the broker.
async fn said_of(config: &Config) -> String {
    let outcomes = broker(config).await;
    let outcome = outcomes.into_iter().next().expect("an outcome").outcome;
    match outcome {
        Outcome::Fine(said) => format!("ok: {said}"),
        Outcome::Doubtful(said) => format!("warning: {said}"),
        Outcome::Failed(said) => format!("FAILED: {said}"),
    }
}

/// One test, because a node takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn messages_go_through_tls_and_what_is_not_the_broker_is_refused_with_a_sentence() {
    let broker = TlsBroker::start().await;
    let right = broker.tls();
    let said = broker.said(&right).await;
    assert!(said.starts_with("ok: lets us in, version "), "{said}");
    goes_through(&broker.config(&right)).await;

    let elsewhere = ClientTls { server_name: Some("rabbit.example".to_owned()), ..right.clone() };
    let stranger = TestCa::new();
    let unknown = ClientTls { ca_file: Some(stranger.file().to_owned()), ..right.clone() };
    let nobody = ClientTls { identity: None, ..right.clone() };
    for (tls, says) in [
        (&elsewhere, "the certificate is for localhost, and not for rabbit.example"),
        (&unknown, "the certificate comes from a CA that is not believed here"),
        (&nobody, "wants a client certificate"),
    ] {
        let said = broker.said(tls).await;
        assert!(
            said.starts_with("FAILED: ") && said.contains(says) && said.ends_with("see queue.tls"),
            "{said}"
        );
    }
    let plain = broker.node.url().replace("amqp:", "amqps:");
    let said = said_of(&config_at(&plain, &right)).await;
    assert!(said.contains("does not speak TLS: is this the port for TLS?"), "{said}");

    broker.certificate.replace_by(&broker.ca.issue_expired(&[HOST]));
    broker.node.read_certificate_again().await;
    let said = broker.said(&right).await;
    assert!(said.contains("the certificate expired at 2021-01-01T00:00:00Z"), "{said}");
}

async fn goes_through(config: &Config) {
    let session = RabbitSession::of(config.queue.as_ref().expect("a broker"));
    publish_all(&session.publisher(), [1, 2, 3]).await;
    let mut consumer = session.consumer(Subscription::Alerts);
    let taken = take(&mut consumer, 3).await;
    let numbers: Vec<usize> = taken.iter().flat_map(|(numbers, _)| numbers.clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    for (_, delivery) in taken {
        assert!(delivery.settle());
    }
    close(session).await;
}

#[tokio::test]
async fn a_server_that_speaks_only_old_versions_is_refused_with_a_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    TaskTracker::new().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 16];
            let _greeted = stream.read_exact(&mut hello).await;
            let _gone = stream.write_all(&TOO_NEW).await;
        }
    });
    let ca = TestCa::new();
    let tls = ClientTls { ca_file: Some(ca.file().to_owned()), ..ClientTls::default() };
    let said = said_of(&config_at(&format!("amqps://guest:guest@{HOST}:{port}/%2f"), &tls)).await;
    assert!(said.contains("speaks only versions of TLS that are too old: 1.2 or 1.3 is needed"), "{said}");
}

//! Both roles with TLS on every connection there is: a sender's, the broker's, the database's, the user table's, Feishu's and the
//! admin port's, with client certificates where there are any.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use runtime::tls::ClientTls;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::broker_node::BrokerNode;
use testkit::database_node::DatabaseNode;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::tls::{TestCa, TestCertificate, TlsFront};
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_mins(1);
const HOST: &str = "localhost";
const TOKEN: &str = "token-of-tls";
/// A user of the database who has to show a certificate.
const USER: &str = "shown";
const CERTIFICATE_ENDS: &str = "larkfire_tls_certificate_expires_timestamp_seconds";

/// A folder with the configuration of both roles, and everything they talk to.
struct Harness {
    ca: TestCa,
    shown: TestCertificate,
    own: TestCertificate,
    sim: FeishuSim,
    feishu: TlsFront,
    broker: BrokerNode,
    server: DatabaseNode,
    database: TestDatabase,
    folder: tempfile::TempDir,
}

impl Harness {
    async fn start() -> Self {
        let ca = TestCa::new();
        let sim =
            FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).known_id("ou_ann").no_limits()]));
        let sim = sim.await.unwrap();
        let certificate = ca.issue(&[HOST]);
        let feishu = TlsFront::start(&certificate, sim.address()).await;
        let broker = BrokerNode::start_with_tls(&ca, &certificate).await;
        let server = DatabaseNode::start_with_tls(&ca, &certificate).await;
        let database = TestDatabase::create_on(server.url()).await;
        let mut operator = MySqlConnection::connect(&database.url()).await.unwrap();
        let mut statements = vec![
            "CREATE TABLE users (username VARCHAR(64), nickname VARCHAR(64), mobile VARCHAR(64), source_user_id VARCHAR(64))"
                .to_owned(),
            "INSERT INTO users VALUES ('ann', NULL, NULL, 'feishu_ou_ann')".to_owned(),
        ];
        for host in [HOST, "127.0.0.1"] {
            statements.push(format!("CREATE USER {USER}@'{host}' REQUIRE X509"));
            statements.push(format!("GRANT ALL ON {}.* TO {USER}@'{host}'", database.name()));
        }
        for statement in statements {
            operator.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        let shown = ca.issue(&["larkfire"]);
        let own = ca.issue_until(&[HOST], 2031);
        let folder = tempfile::tempdir().unwrap();
        Self { ca, shown, own, sim, feishu, broker, server, database, folder }
    }

    /// The configuration of both roles, less where they listen.
    fn write(&self) {
        let ca = self.ca.file().display();
        let files = |certificate: &TestCertificate| {
            format!(
                "cert_file: '{}', key_file: '{}'",
                certificate.cert_file.display(),
                certificate.key_file.display()
            )
        };
        let shown = files(&self.shown);
        let own = files(&self.own);
        let name = self.database.name();
        let port = self.server.address().port();
        let text = format!(
            "tls: {{ {own}, client_ca_file: '{ca}' }}
admin_tls: {{ {own} }}
gate: {{ api_keys: [key] }}
queue: {{ url: '{queue}', tls: {{ ca_file: '{ca}', {shown} }} }}
database: {{ url: 'mysql://{USER}@{HOST}:{port}/{name}', tls: {{ ca_file: '{ca}', {shown} }} }}
https: {{ ca_file: '{ca}' }}
owners: {{ services: {{ db: ann }}, deadline: 5s,
           table: {{ host: '{HOST}:{port}', database: {name}, user: {USER}, tls: {{ ca_file: '{ca}', {shown} }} }} }}
receivers: {{ default: {{ webhook_url: 'https://{HOST}:{feishu}/open-apis/bot/v2/hook/{TOKEN}' }} }}
",
            queue = self.broker.tls_url(HOST),
            feishu = self.feishu.address().port(),
        );
        fs::write(self.folder.path().join("larkfire.yaml"), text).unwrap();
    }

    fn launch(&self, role: &str, listen: &str, admin: &str) -> Launch {
        Launch::binary(role)
            .directory(self.folder.path())
            .variable("LARKFIRE_CONFIG", self.folder.path().join("larkfire.yaml"))
            .variable("LARKFIRE_LISTEN", listen)
            .variable("LARKFIRE_ADMIN_LISTEN", admin)
    }
}

async fn is_ready(health: &Launch) {
    wait_until(PATIENCE, "readiness, asked over TLS", async || {
        let (status, printed) =
            health.clone().argument("health").argument("--ready").start().finish(PATIENCE).await;
        if status.success() { Ok(()) } else { Err(printed) }
    })
    .await;
}

/// The value of a metric on a page that is read over TLS.
async fn metric(tls: &ClientTls, admin: &str, line: &str) -> Option<String> {
    let port = admin.rsplit(':').next().unwrap();
    let answer = http::get_over_tls(tls, &format!("https://{HOST}:{port}/metrics")).await.unwrap();
    answer.text().lines().find_map(|found| found.strip_prefix(line)).map(|value| value.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_goes_its_whole_way_over_tls_and_a_renewed_certificate_is_seen() {
    let harness = Harness::start().await;
    harness.write();
    let [listen, admin, worker_admin] =
        [free_address(), free_address(), free_address()].map(|one| one.to_string());
    let ingest = harness.launch("larkfire-ingest", &listen, &admin);
    let worker = harness.launch("larkfire-worker", &listen, &worker_admin);
    let _running: [Process; 2] = [ingest.start(), worker.start()];
    is_ready(&ingest).await;
    is_ready(&worker).await;

    let sender = ClientTls {
        ca_file: Some(harness.ca.file().to_owned()),
        identity: Some(config::IdentityFiles {
            cert_file: harness.shown.cert_file.clone(),
            key_file: harness.shown.key_file.clone(),
        }),
        server_name: None,
    };
    let url = format!("https://{HOST}:{}/api/alert", listen.rsplit(':').next().unwrap());
    let alert = r#"{"version":"4","status":"firing","receiver":"default","groupKey":"g","alerts":[{"status":"firing",
        "labels":{"alertname":"DiskFull","service":"db"},"startsAt":"2026-01-15T10:30:00Z"}]}"#;
    let nobody = ClientTls { identity: None, ..sender.clone() };
    let headers = [("authorization", "Bearer key"), ("content-type", "application/json")];
    assert!(http::post_over_tls(&nobody, &url, &headers, alert).await.is_err(), "senders show a certificate");
    assert_eq!(http::post_over_tls(&sender, &url, &headers, alert).await.unwrap().status, 202);
    wait_until(PATIENCE, "a card that mentions its owner", async || {
        let records = harness.sim.records(TOKEN);
        let told = records.iter().find(|record| record.mentioned == ["ou_ann"]);
        told.filter(|record| record.message().unwrap().to_string().contains("DiskFull"))
            .map(drop)
            .ok_or(records.len())
    })
    .await;

    let line = |setting: &str| format!("{CERTIFICATE_ENDS}{{setting=\"{setting}\"}}");
    let own = line("tls.cert_file");
    assert_eq!(metric(&sender, &admin, &own).await.as_deref(), Some("1924992000"), "2031");
    for setting in
        ["queue.tls.cert_file", "database.tls.ca_file", "owners.table.tls.cert_file", "https.ca_file"]
    {
        let end = metric(&sender, &worker_admin, &line(setting)).await;
        assert_eq!(end.as_deref(), Some("3786912000"), "{setting}: 2090");
    }
    harness.own.replace_by(&harness.ca.issue_until(&[HOST], 2032));
    wait_until(PATIENCE, "the end of the renewed certificate", async || {
        let end = metric(&sender, &admin, &own).await;
        if end.as_deref() == Some("1956528000") { Ok(()) } else { Err(end) }
    })
    .await;
    is_ready(&ingest).await;
    assert!(!Path::new(harness.folder.path()).join("data").exists(), "nothing is kept in a file");
}

//! A MariaDB with TLS, and what is said where it is not who it should be, or does not know us.

use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, IdentityFiles, Secret};
use prometheus::Registry;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testkit::database_node::DatabaseNode;
use testkit::mariadb::TestDatabase;
use testkit::tls::{TestCa, TestCertificate};
use worker::store::inspection::inspect;
use worker::store::sql::rows;
use worker::store::{Store, StoreError};

const PATIENCE: Duration = Duration::from_secs(30);
const HOST: &str = "localhost";
/// A user who has to show a certificate.
const USER: &str = "shown";

fn identity(certificate: &TestCertificate) -> IdentityFiles {
    let TestCertificate { cert_file, key_file } = certificate.clone();
    IdentityFiles { cert_file, key_file }
}

fn believing(ca: &TestCa) -> ClientTls {
    ClientTls { ca_file: Some(ca.file().to_owned()), ..ClientTls::default() }
}

fn open(url: &str, tls: &ClientTls) -> Store {
    let config =
        DatabaseConfig { url: Some(Secret::new(url)), tls: tls.clone(), connections: 1, timeout: PATIENCE };
    Store::open(&config, Path::new("."), &Registry::new()).unwrap()
}

/// What one query comes to: the cipher of its connection.
async fn cipher(store: &Store) -> Result<String, StoreError> {
    let query = "SELECT CAST(VARIABLE_VALUE AS CHAR) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER'";
    let found = store.within(|| rows::<(String,)>(store.pool(), query, &[])).await?;
    Ok(found.into_iter().next().map(|(cipher,)| cipher).unwrap_or_default())
}

struct TlsDatabase {
    node: DatabaseNode,
    database: TestDatabase,
}

impl TlsDatabase {
    async fn start(ca: &TestCa, certificate: &TestCertificate) -> Self {
        let node = DatabaseNode::start_with_tls(ca, certificate).await;
        let database = TestDatabase::create_on(node.url()).await;
        Self { node, database }
    }

    fn url(&self, user: &str, host: &str, query: &str) -> String {
        format!("mysql://{user}@{host}:{}/{}{query}", self.node.address().port(), self.database.name())
    }
}

/// One test, because a server takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_talked_to_by_tls_and_one_that_is_another_is_refused_with_a_sentence() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let server = TlsDatabase::start(&ca, &ca.issue(&[HOST])).await;
    let url = server.url("root", HOST, "");
    let store = open(&url, &believing(&ca));
    assert!(!cipher(&store).await.unwrap().is_empty(), "it has TLS");
    assert!(inspect(store.pool()).await.unwrap().contains("takes what a worker writes"));

    // By its address it is not the one its certificate is for; nor is anybody with a certificate of another CA.
    let by_address = server.url("root", "127.0.0.1", "");
    for (url, tls, says) in [
        (&by_address, believing(&ca), "the certificate is for localhost, and not for 127.0.0.1"),
        (&url, believing(&stranger), "the certificate comes from a CA that is not believed here"),
    ] {
        let store = open(url, &tls);
        let said = cipher(&store).await.unwrap_err().to_string();
        assert!(
            said.contains(says) && said.contains("see database.tls, and ssl-mode in database.url"),
            "{said}"
        );
        assert!(!store.usable().holds(), "nobody but an operator mends that");
        let probed = inspect(store.pool()).await.unwrap_err().to_string();
        assert!(probed.contains(says), "{probed}");
    }
    let name_unchecked = open(&server.url("root", "127.0.0.1", "?ssl-mode=VERIFY_CA"), &believing(&ca));
    assert!(!cipher(&name_unchecked).await.unwrap().is_empty());
    let by_url = format!("?ssl-ca={}", ca.file().display());
    assert!(
        !cipher(&open(&server.url("root", HOST, &by_url), &ClientTls::default())).await.unwrap().is_empty()
    );
    let unknown_by_url = format!("?ssl-ca={}", stranger.file().display());
    let said = cipher(&open(&server.url("root", HOST, &unknown_by_url), &ClientTls::default())).await;
    assert!(said.unwrap_err().to_string().contains("not believed here"), "naming a CA is wanting it checked");
    knows_its_clients(&server, &ca).await;
}

async fn knows_its_clients(server: &TlsDatabase, ca: &TestCa) {
    let mut operator = MySqlConnection::connect(&server.node.url()).await.unwrap();
    for statement in [
        format!("CREATE USER {USER}@'%' REQUIRE X509"),
        format!("CREATE USER {USER}@localhost REQUIRE X509"),
        format!("GRANT ALL ON {}.* TO {USER}@'%'", server.database.name()),
        format!("GRANT ALL ON {}.* TO {USER}@localhost", server.database.name()),
    ] {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let url = server.url(USER, HOST, "");
    let shown = ClientTls { identity: Some(identity(&ca.issue(&["larkfire"]))), ..believing(ca) };
    assert!(!cipher(&open(&url, &shown)).await.unwrap().is_empty());
    let said = cipher(&open(&url, &believing(ca))).await.unwrap_err().to_string();
    assert!(said.contains("Access denied for user"), "{said}");
    let stranger = TestCa::new();
    let strangers = ClientTls { identity: Some(identity(&stranger.issue(&["larkfire"]))), ..believing(ca) };
    let said = cipher(&open(&url, &strangers)).await.unwrap_err().to_string();
    assert!(said.contains("does not take our client certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_certificate_has_expired_is_refused_with_a_sentence() {
    let ca = TestCa::new();
    let server = TlsDatabase::start(&ca, &ca.issue_expired(&[HOST])).await;
    let said = cipher(&open(&server.url("root", HOST, ""), &believing(&ca))).await.unwrap_err().to_string();
    assert!(said.contains("the certificate expired at 2021-01-01T00:00:00Z"), "{said}");
}

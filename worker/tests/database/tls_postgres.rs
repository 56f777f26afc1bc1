//! A `PostgreSQL` with TLS, and what is said where it is not who it should be, or does not know us.

use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, IdentityFiles, Secret};
use prometheus::Registry;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testkit::postgres::TestSchema;
use testkit::postgres_node::PostgresNode;
use testkit::tls::{TestCa, TestCertificate};
use worker::store::inspection::inspect;
use worker::store::sql::rows;
use worker::store::{Store, StoreError};

const PATIENCE: Duration = Duration::from_secs(30);
const HOST: &str = "localhost";
/// A user who has to show a certificate.
const USER: &str = "shown";

fn believing(ca: &TestCa) -> ClientTls {
    ClientTls { ca_file: Some(ca.file().to_owned()), ..ClientTls::default() }
}

fn showing(certificate: TestCertificate, tls: ClientTls) -> ClientTls {
    let TestCertificate { cert_file, key_file } = certificate;
    ClientTls { identity: Some(IdentityFiles { cert_file, key_file }), ..tls }
}

fn open(url: &str, tls: &ClientTls) -> Store {
    let config =
        DatabaseConfig { url: Some(Secret::new(url)), tls: tls.clone(), connections: 1, timeout: PATIENCE };
    Store::open(&config, Path::new("."), &Registry::new()).unwrap()
}

/// What one query comes to: the cipher of its connection.
async fn cipher(store: &Store) -> Result<String, StoreError> {
    let query = "SELECT COALESCE(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let found = store.within(|| rows::<(String,)>(store.pool(), query, &[])).await?;
    Ok(found.into_iter().next().map(|(cipher,)| cipher).unwrap_or_default())
}

/// The URL with another user and host, and more parameters.
fn url(schema: &TestSchema, user: &str, host: &str, more: &str) -> String {
    schema.url().replace("postgres@127.0.0.1", &format!("{user}@{host}")) + more
}

/// One test, because a server takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_talked_to_by_tls_and_one_that_is_another_is_refused_with_a_sentence() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let node = PostgresNode::start_with_tls(&ca, &ca.issue(&[HOST]), USER).await;
    let schema = TestSchema::create_on(node.url()).await;
    let by_name = url(&schema, "postgres", HOST, "");
    let store = open(&by_name, &believing(&ca));
    assert!(!cipher(&store).await.unwrap().is_empty(), "it has TLS");
    assert!(inspect(store.pool()).await.unwrap().contains("takes what a worker writes"));

    // By its address it is not the one its certificate is for; nor is anybody with a certificate of another CA.
    let by_address = url(&schema, "postgres", "127.0.0.1", "");
    for (url, tls, says) in [
        (&by_address, believing(&ca), "the certificate is for localhost, and not for 127.0.0.1"),
        (&by_name, believing(&stranger), "the certificate comes from a CA that is not believed here"),
    ] {
        let store = open(url, &tls);
        let said = cipher(&store).await.unwrap_err().to_string();
        assert!(
            said.contains(says) && said.contains("see database.tls, and sslmode in database.url"),
            "{said}"
        );
        assert!(!store.usable().holds(), "nobody but an operator mends that");
        let probed = inspect(store.pool()).await.unwrap_err().to_string();
        assert!(probed.contains(says), "{probed}");
    }
    let name_unchecked = url(&schema, "postgres", "127.0.0.1", "&sslmode=verify-ca");
    assert!(!cipher(&open(&name_unchecked, &believing(&ca))).await.unwrap().is_empty());
    let by_url =
        |ca: &TestCa| open(&format!("{by_name}&sslrootcert={}", ca.file().display()), &ClientTls::default());
    assert!(!cipher(&by_url(&ca)).await.unwrap().is_empty());
    let said = cipher(&by_url(&stranger)).await.unwrap_err().to_string();
    assert!(said.contains("not believed here"), "naming a CA is wanting it checked: {said}");
    knows_its_clients(&schema, &ca).await;
}

async fn knows_its_clients(schema: &TestSchema, ca: &TestCa) {
    let mut operator = PgConnection::connect(&schema.url()).await.unwrap();
    for statement in
        [format!("CREATE ROLE {USER} LOGIN"), format!("GRANT ALL ON SCHEMA {} TO {USER}", schema.name())]
    {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    // Its tables are there by now, and another's.
    operator
        .execute(AssertSqlSafe(format!("GRANT ALL ON ALL TABLES IN SCHEMA {} TO {USER}", schema.name())))
        .await
        .unwrap();
    let url = url(schema, USER, HOST, "");
    let shown = showing(ca.issue(&["larkfire"]), believing(ca));
    assert!(!cipher(&open(&url, &shown)).await.unwrap().is_empty());
    let said = cipher(&open(&url, &believing(ca))).await.unwrap_err().to_string();
    assert!(said.contains("requires a valid client certificate"), "{said}");
    let stranger = TestCa::new();
    let strangers = showing(stranger.issue(&["larkfire"]), believing(ca));
    let said = cipher(&open(&url, &strangers)).await.unwrap_err().to_string();
    assert!(said.contains("does not take our client certificate"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_that_is_to_have_it_is_refused_with_a_sentence() {
    let node = PostgresNode::start().await;
    let schema = TestSchema::create_on(node.url()).await;
    let store = open(&(schema.url() + "&sslmode=require"), &ClientTls::default());
    let said = cipher(&store).await.unwrap_err().to_string();
    assert!(said.contains("the server has no TLS"), "{said}");
    assert!(!store.usable().holds(), "nobody but an operator mends that");
    assert_eq!(cipher(&open(&schema.url(), &ClientTls::default())).await.unwrap(), "", "and is fine without");
}

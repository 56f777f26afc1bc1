//! `check --online` of a user table on a server with TLS, which lets in whoever shows a certificate.

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::database_node::DatabaseNode;
use testkit::mariadb::TestDatabase;
use testkit::rabbitmq::amqp_url;
use testkit::tls::TestCa;

use super::harness::Harness;

const HOST: &str = "localhost";
/// A user who has to show a certificate.
const USER: &str = "shown";

/// What the user table's section says of TLS.
fn tls(ca: &TestCa, shown: Option<&TestCa>) -> String {
    let identity = shown.map(|ca| ca.issue(&["larkfire"])).map(|shown| {
        format!(", cert_file: '{}', key_file: '{}'", shown.cert_file.display(), shown.key_file.display())
    });
    format!("{{ ca_file: '{}'{} }}", ca.file().display(), identity.unwrap_or_default())
}

/// One test, because a server takes seconds to start.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_table_is_reached_by_tls_and_what_is_wrong_names_its_own_settings() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let node = DatabaseNode::start_with_tls(&ca, &ca.issue(&[HOST])).await;
    let database = TestDatabase::create_on(node.url()).await;
    let name = database.name();
    let mut operator = MySqlConnection::connect(&database.url()).await.unwrap();
    for statement in [
        "CREATE TABLE users (username VARCHAR(64), nickname VARCHAR(64), mobile VARCHAR(64), source_user_id VARCHAR(64))"
            .to_owned(),
        "INSERT INTO users VALUES ('ann', NULL, NULL, 'feishu_ou_ann')".to_owned(),
        format!("CREATE USER {USER}@localhost REQUIRE X509"),
        format!("CREATE USER {USER}@'127.0.0.1' REQUIRE X509"),
        format!("GRANT SELECT ON {name}.* TO {USER}@localhost"),
        format!("GRANT SELECT ON {name}.* TO {USER}@'127.0.0.1'"),
    ] {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let port = node.address().port();
    for (host, tls, exit_code, says) in [
        (HOST, tls(&ca, Some(&ca)), 0, "ok: user table: answers, rows: 1; with a user name: 1"),
        (HOST, tls(&stranger, Some(&ca)), 1, "a CA that is not believed here; see owners.table.tls\n"),
        ("127.0.0.1", tls(&ca, Some(&ca)), 1, "for localhost, and not for 127.0.0.1; see owners.table.tls\n"),
        (HOST, tls(&ca, Some(&stranger)), 1, "does not take our client certificate"),
        (HOST, tls(&ca, None), 1, "Access denied for user"),
    ] {
        let text = format!(
            "preview: true\nqueue: {{ url: '{}' }}\nowners: {{ table: {{ host: '{host}:{port}', database: {name}, \
             user: {USER}, tls: {tls} }} }}",
            amqp_url()
        );
        let (code, printed) = Harness::with(&text, &["ou_ann"]).command(&["check", "--online"]).await;
        assert_eq!(code, Some(exit_code), "{printed}");
        assert!(printed.contains(says), "{says:?} is missing in:\n{printed}");
    }
}

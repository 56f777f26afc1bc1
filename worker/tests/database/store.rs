//! The store on real databases that are cut, restarted, dropped, and that take no writes.

mod harness;
mod lost_answers;
mod on_postgres;

use std::path::Path;

use config::{ClientTls, DatabaseConfig, Secret};
use prometheus::Registry;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testkit::database_node::DatabaseNode;
use testkit::mariadb::{TestDatabase, address_of};
use testkit::ports::free_address;
use testkit::wait_until::wait_until;

use worker::store::inspection::inspect;
use worker::store::sql::{execute, rows};
use worker::store::{Store, StoreFault};

pub(crate) use harness::Harness;
use harness::{PATIENCE, store_at, write};

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_in_a_calm_minute_cost_nothing() {
    let harness = Harness::start().await;
    for round in 0..3 {
        harness.proxy.cut();
        harness.proxy.restore();
        for done in futures_util::future::join_all((0..8).map(|_| harness.writes())).await {
            done.unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
    }
    assert_eq!(harness.failures(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_connections_is_said_to_refuse_them_when_time_is_up() {
    let server = format!("mysql://root@{}/none", free_address());
    let config = DatabaseConfig {
        url: Some(Secret::new(server)),
        tls: ClientTls::default(),
        connections: 1,
        timeout: std::time::Duration::from_millis(200),
    };
    let store = Store::open(&config, Path::new("."), &Registry::new()).unwrap();
    let said = store.within(|| async { Ok(()) }).await.unwrap_err().to_string();
    assert!(said.contains("did not answer within 200 ms: ") && said.contains("refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_a_firewall_has_forgotten_are_found_out_before_they_are_used() {
    let harness = Harness::start().await;
    let mut operator = harness.operator().await;
    wait_until(PATIENCE, "connections that were idle for some seconds", async || {
        let busy: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
             AND id <> CONNECTION_ID() AND time < 4",
        )
        .fetch_one(&mut operator)
        .await
        .unwrap();
        if busy == 0 { Ok(()) } else { Err(busy) }
    })
    .await;
    harness.proxy.forget();
    for done in futures_util::future::join_all((0..8).map(|_| harness.writes())).await {
        done.unwrap();
    }
    assert_eq!(harness.failures(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_and_is_back_is_asked_on_new_connections() {
    let mut node = DatabaseNode::start().await;
    let database = TestDatabase::create_on(node.url()).await;
    let harness = Harness::on(database, address_of(&node.url()), "root").await;
    harness.writes().await.unwrap();
    node.kill().await;
    node.start_unready();
    wait_until(PATIENCE, "a server that is back", async || {
        MySqlConnection::connect(&node.url()).await.map(drop)
    })
    .await;
    harness.writes().await.unwrap();
    assert_eq!(harness.failures(), 0);
}

/// A server with this database, and a user on it that read-only servers refuse.
async fn server_with(node: &DatabaseNode, database: &str) -> MySqlConnection {
    let mut operator = MySqlConnection::connect(&node.url()).await.unwrap();
    for statement in [
        format!("CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4"),
        "CREATE USER plain@'%'".to_owned(),
        format!("GRANT ALL ON {database}.* TO plain@'%'"),
    ] {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    operator
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_became_a_replica_is_left_for_the_one_its_address_leads_to_now() {
    let old = DatabaseNode::start().await;
    let new = DatabaseNode::start().await;
    let database = TestDatabase::create_on(old.url()).await;
    let mut on_old = server_with(&old, database.name()).await;
    let mut on_new = server_with(&new, database.name()).await;
    let harness = Harness::on(database, address_of(&old.url()), "plain").await;
    on_old.execute("SET GLOBAL read_only = 1").await.unwrap();
    harness.proxy.lead_to(address_of(&new.url()));
    // The new one is empty, as a replica would not be: it gets its tables as well.
    harness.writes().await.unwrap();
    assert_eq!(harness.failures(), 0);
    let select = format!("SELECT COUNT(*) FROM {}.larkfire_silences", harness.database.name());
    let kept: i64 = sqlx::query_scalar(AssertSqlSafe(select)).fetch_one(&mut on_new).await.unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_lets_read_is_away_until_it_takes_writes() {
    let node = DatabaseNode::start().await;
    let database = TestDatabase::create_on(node.url()).await;
    let mut operator = server_with(&node, database.name()).await;
    let harness = Harness::on(database, address_of(&node.url()), "plain").await;
    operator.execute("SET GLOBAL read_only = 1").await.unwrap();
    let reads = async || harness.store.within(|| rows::<(i64,)>(harness.store.pool(), "SELECT 1", &[])).await;
    reads().await.expect("nobody has written yet");
    harness.writes().await.unwrap_err();
    wait_until(PATIENCE, "some who find out that it is not back", async || {
        assert!(reads().await.is_err(), "what it lets read proves nothing");
        assert!(!harness.is_up());
        if harness.failures() > 3 { Ok(()) } else { Err(harness.failures()) }
    })
    .await;
    operator.execute("SET GLOBAL read_only = 0").await.unwrap();
    wait_until(PATIENCE, "a write", async || harness.writes().await).await;
    assert!(harness.is_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_dropped_and_made_anew_gets_its_tables_while_everything_runs() {
    let harness = Harness::start().await;
    let mut operator = harness.operator().await;
    let name = harness.database.name();
    for statement in
        [format!("DROP DATABASE {name}"), format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")]
    {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    for done in futures_util::future::join_all((0..8).map(|_| harness.writes())).await {
        done.unwrap();
    }
    assert_eq!(harness.failures(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_is_made_again_while_everything_runs_and_at_a_start() {
    let harness = Harness::start().await;
    let mut operator = harness.operator().await;
    harness.writes().await.unwrap();
    operator.execute("DROP TABLE larkfire_silences").await.unwrap();
    harness.writes().await.unwrap();
    assert_eq!(harness.failures(), 0);
    for table in ["larkfire_silences", "larkfire_budget", "larkfire_audit", "larkfire_schema"] {
        operator.execute(AssertSqlSafe(format!("DROP TABLE {table}"))).await.unwrap();
        let restarted = store_at(&harness.database.url(), &Registry::new());
        write(&restarted).await.unwrap();
        operator.execute(AssertSqlSafe(format!("SELECT * FROM {table}"))).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_lost_a_table_or_was_removed_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("larkfire.db");
    let store = store_at(&format!("sqlite:{}", file.display()), &Registry::new());
    write(&store).await.unwrap();
    for table in ["larkfire_silences", "larkfire_audit", "larkfire_budget"] {
        let drop = format!("DROP TABLE {table}");
        store.within(|| execute(store.pool(), &drop, &[])).await.unwrap();
        write(&store).await.unwrap();
        let select = format!("SELECT COUNT(*) FROM {table}");
        store.within(|| rows::<(i64,)>(store.pool(), &select, &[])).await.unwrap();
    }
    for left in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::remove_file(left.unwrap().path()).unwrap();
    }
    write(&store).await.unwrap();
    assert!(file.exists(), "what is written is at its path");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_the_database_is_there() {
    let harness = Harness::start().await;
    let long = "x".repeat(100);
    let text = "INSERT INTO larkfire_interactions (dedup_key, begun_ms, is_done) VALUES (?, 1, 0)";
    let values = [long.as_str().into()];
    let refused = harness.store.within(|| execute(harness.store.pool(), text, &values)).await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    harness.writes().await.expect("it is not away for that");
    assert!(harness.is_up());
    assert_eq!(harness.failures(), 1, "counted all the same");
}

/// A user of its own, with these rights on the database.
async fn user_with(operator: &mut MySqlConnection, database: &str, rights: &str) -> String {
    let user = format!("u_{database}");
    for statement in [
        format!("DROP USER IF EXISTS {user}@'%'"),
        format!("CREATE USER {user}@'%'"),
        format!("GRANT {rights} ON {database}.* TO {user}@'%'"),
    ] {
        operator.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_its_tables_is_of_no_use_until_it_takes_them_and_check_says_so() {
    let node = DatabaseNode::start().await;
    let database = TestDatabase::create_on(node.url()).await;
    let mut operator = MySqlConnection::connect(&node.url()).await.unwrap();
    let user = user_with(&mut operator, database.name(), "SELECT, INSERT").await;
    let store = store_at(&database.url().replace("root", &user), &Registry::new());
    let flaw = inspect(store.pool()).await.unwrap_err().to_string();
    assert!(flaw.contains("denied") && flaw.contains("GRANT ALL"), "{flaw}");
    assert!(store.usable().holds(), "nobody has asked yet");
    write(&store).await.unwrap_err();
    assert!(!store.usable().holds());
    let grant = format!("GRANT ALL ON {}.* TO {user}@'%'", database.name());
    operator.execute(AssertSqlSafe(grant)).await.unwrap();
    wait_until(PATIENCE, "a write", async || write(&store).await).await;
    assert!(store.usable().holds());
    let said = inspect(store.pool()).await.unwrap();
    assert!(said.contains("takes what a worker writes; tables: 29 of 29"), "{said}");
    operator.execute(AssertSqlSafe(format!("DROP TABLE {}.larkfire_cards", database.name()))).await.unwrap();
    let said = inspect(store.pool()).await.unwrap();
    assert!(said.contains("tables: 28 of 29"), "{said}");
    operator.execute("SET GLOBAL read_only = 1").await.unwrap();
    let flaw = inspect(store.pool()).await.unwrap_err().to_string();
    assert!(flaw.contains("must lead to the primary"), "{flaw}");
    let tables =
        format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{}'", database.name());
    let left: i64 = sqlx::query_scalar(AssertSqlSafe(tables)).fetch_one(&mut operator).await.unwrap();
    assert_eq!(left, 29, "all but the one that is gone, and the schema's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_or_lets_nobody_in_is_told_apart() {
    let node = DatabaseNode::start().await;
    let database = TestDatabase::create_on(node.url()).await;
    let stranger = store_at(&database.url().replace("root", "nobody_here"), &Registry::new());
    write(&stranger).await.unwrap_err();
    assert!(!stranger.usable().holds(), "a wrong password does not pass");
    let harness = Harness::on(database, address_of(&node.url()), "root").await;
    harness.proxy.cut();
    harness.writes().await.unwrap_err();
    assert!(harness.store.usable().holds(), "it comes back");
}

#[tokio::test]
async fn a_file_is_asked_as_well_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        store_at(&format!("sqlite:{}", folder.path().join("larkfire.db").display()), &Registry::new());
    write(&store).await.unwrap();
    for _ in 0..2 {
        let said = inspect(store.pool()).await.unwrap();
        assert!(said.contains("takes what a worker writes"), "{said}");
    }
}

/// What the error of a statement is about.
fn fault<T: std::fmt::Debug>(done: sqlx::Result<T>) -> StoreFault {
    StoreFault::of(&done.unwrap_err())
}

#[tokio::test]
async fn a_server_that_takes_nothing_more_is_no_refusal_of_a_statement() {
    let database = TestDatabase::create().await;
    let mut server = MySqlConnection::connect(&database.url()).await.unwrap();
    server.execute("CREATE TABLE kept (number INT PRIMARY KEY)").await.unwrap();
    server.execute("INSERT INTO kept VALUES (1)").await.unwrap();
    assert_eq!(fault(server.execute("INSERT INTO kept VALUES (1)").await), StoreFault::Data, "there is one");
    assert_eq!(fault(server.execute("INSERT INTO nowhere VALUES (1)").await), StoreFault::Missing);
    assert_eq!(fault(server.execute("SELECT lost FROM kept").await), StoreFault::Missing);
    assert_eq!(fault(server.execute("SELECT no_such_function()").await), StoreFault::Other);
    server.execute("START TRANSACTION READ ONLY").await.unwrap();
    assert_eq!(fault(server.execute("INSERT INTO kept VALUES (2)").await), StoreFault::ReadOnly);
}

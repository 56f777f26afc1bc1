//! The store on `PostgreSQL`: what its servers say when they are cut, restarted, full, or let nobody write.

use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, DedupConfig, Secret};
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;
use prometheus::Registry;
use runtime::clock::Clock;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::address_of;
use testkit::postgres::{TestSchema, postgres_url};
use testkit::postgres_node::PostgresNode;
use testkit::wait_until::wait_until;
use worker::ledger::{Decision, Event, Ledger, Occasion};
use worker::store::inspection::inspect;
use worker::store::sql::{execute, rows};
use worker::store::{Store, StoreError, StoreFault};

use super::harness::{PATIENCE, counted, store_at};

/// A store behind a proxy, and a way round it.
struct Behind {
    store: Store,
    registry: Registry,
    proxy: ChaosProxy,
    schema: TestSchema,
}

impl Behind {
    async fn of(schema: TestSchema, server: &str) -> Self {
        let proxy = ChaosProxy::start(address_of(server)).await;
        let registry = Registry::new();
        let store = store_at(&schema.url_at(proxy.address()), &registry);
        write(&store).await.unwrap();
        Self { store, registry, proxy, schema }
    }

    async fn start() -> Self {
        Self::of(TestSchema::create().await, &postgres_url()).await
    }

    async fn operator(&self) -> PgConnection {
        PgConnection::connect(&self.schema.url()).await.unwrap()
    }

    fn failures(&self) -> u64 {
        counted(&self.registry, "larkfire_store_failures_total")
    }

    async fn writes(&self) {
        for done in futures_util::future::join_all((0..8).map(|_| write(&self.store))).await {
            done.unwrap();
        }
    }
}

/// Writes a row of one of the tables.
async fn write(store: &Store) -> Result<u64, StoreError> {
    let text = "INSERT INTO larkfire_silences (silence, alertmanager, receiver, fingerprint, until_ms) \
         VALUES ('s', 'a', 'r', 'f', 1) ON CONFLICT (silence, alertmanager) DO UPDATE SET until_ms = 1";
    store.within(|| execute(store.pool(), text, &[])).await
}

async fn done(operator: &mut PgConnection, statements: &[String]) {
    for statement in statements {
        operator.execute(AssertSqlSafe(statement.clone())).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_died_or_were_ended_in_a_calm_minute_cost_nothing() {
    let behind = Behind::start().await;
    for _ in 0..3 {
        behind.writes().await;
        behind.proxy.cut();
        behind.proxy.restore();
        behind.writes().await;
    }
    let select = "SELECT CAST(pg_backend_pid() AS BIGINT) FROM pg_sleep(0.1)";
    let asked = (0..4).map(|_| behind.store.within(|| rows::<(i64,)>(behind.store.pool(), select, &[])));
    let ids = futures_util::future::try_join_all(asked).await.unwrap().concat();
    let end = |(id,)| format!("SELECT pg_terminate_backend({id})");
    done(&mut behind.operator().await, &ids.into_iter().map(end).collect::<Vec<_>>()).await;
    behind.writes().await;
    assert_eq!(behind.failures(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_gone_are_made_again_while_everything_runs_and_at_a_start() {
    let behind = Behind::start().await;
    let mut operator = behind.operator().await;
    let name = behind.schema.name();
    for statements in [
        vec!["DROP TABLE larkfire_silences".to_owned()],
        vec![format!("DROP SCHEMA {name} CASCADE"), format!("CREATE SCHEMA {name}")],
    ] {
        done(&mut operator, &statements).await;
        behind.writes().await;
        assert_eq!(behind.failures(), 0);
    }
    for table in ["larkfire_silences", "larkfire_budget", "larkfire_audit", "larkfire_schema"] {
        done(&mut operator, &[format!("DROP TABLE {table}")]).await;
        write(&store_at(&behind.schema.url(), &Registry::new())).await.unwrap();
        done(&mut operator, &[format!("SELECT * FROM {table}")]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_and_starts_again_is_waited_for() {
    let mut node = PostgresNode::start().await;
    let schema = TestSchema::create_on(node.url()).await;
    let registry = Registry::new();
    let store = store_at(&schema.url(), &registry);
    write(&store).await.unwrap();
    node.kill().await;
    node.start_unready();
    // It refuses connections, then takes them before it can do something with them, and says so.
    write(&store).await.unwrap();
    assert_eq!(counted(&registry, "larkfire_store_failures_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_without_an_answer_is_claimed_by_whoever_asked() {
    let behind = Behind::start().await;
    let ledger =
        Ledger::new(behind.store.clone(), DedupConfig::default(), Clock::system(), &Registry::new()).unwrap();
    let now = Clock::system().now();
    let event = |number| Event {
        receiver: "ops",
        fingerprint: "f",
        status: Status::Firing,
        starts_at: Some(now),
        ends_at: None,
        received_at: now,
        is_repeat: false,
        envelope: EnvelopeId::new(Timestamp::UNIX_EPOCH, [number; 10]),
        forced: false,
    };
    let events = [event(1)];
    let claimed = "SELECT 1 FROM larkfire_ledger";
    let decisions = losing_the_answer(&behind, "INSERT", claimed, ledger.observe(&events)).await;
    assert_eq!(decisions, [Decision::Deliver(Occasion::New)], "it is nobody else's");
    let delivered = "SELECT 1 FROM larkfire_ledger WHERE told_at IS NOT NULL";
    losing_the_answer(&behind, "UPDATE", delivered, ledger.delivered(&events)).await;
    assert_eq!(ledger.observe(&[event(2)]).await, [Decision::Duplicate]);
    assert_eq!(behind.failures(), 0, "it was done once more");
}

/// Does something of which the answer is lost after the database has done it: the statement waits in a trigger until no
/// answers come through, and `sign` finds a row when it is done.
async fn losing_the_answer<T>(
    behind: &Behind,
    verb: &str,
    sign: &str,
    operation: impl Future<Output = T>,
) -> T {
    let mut operator = behind.operator().await;
    let lock = "hashtext(current_schema())";
    done(
        &mut operator,
        &[
            format!(
                "CREATE OR REPLACE FUNCTION gate() RETURNS TRIGGER LANGUAGE plpgsql AS \
                 $$ BEGIN PERFORM pg_advisory_xact_lock({lock}); RETURN NEW; END $$"
            ),
            format!(
                "CREATE TRIGGER gate BEFORE {verb} ON larkfire_ledger FOR EACH ROW EXECUTE FUNCTION gate()"
            ),
            format!("SELECT pg_advisory_lock({lock})"),
        ],
    )
    .await;
    let losing = async {
        let waiting = format!(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = CAST(CAST({lock} AS BIT(32)) AS BIGINT)"
        );
        finds(&mut operator, &waiting).await;
        behind.proxy.stall(Direction::ToClient);
        done(&mut operator, &[format!("SELECT pg_advisory_unlock({lock})")]).await;
        finds(&mut operator, sign).await;
        behind.proxy.cut();
        behind.proxy.restore();
    };
    let (outcome, ()) = tokio::join!(Box::pin(operation), Box::pin(losing));
    done(&mut operator, &["DROP TRIGGER gate ON larkfire_ledger".to_owned()]).await;
    outcome
}

/// Waits until a query finds something.
async fn finds(operator: &mut PgConnection, query: &str) {
    wait_until(PATIENCE, query, async || {
        let found = operator.fetch_all(AssertSqlSafe(query.to_owned())).await.unwrap();
        if found.is_empty() { Err("not yet") } else { Ok(()) }
    })
    .await;
}

/// What the error of a statement is about.
fn fault<T: std::fmt::Debug>(done: sqlx::Result<T>) -> StoreFault {
    StoreFault::of(&done.unwrap_err())
}

#[tokio::test]
async fn what_a_server_refuses_is_told_apart() {
    let schema = TestSchema::create().await;
    let mut server = PgConnection::connect(&schema.url()).await.unwrap();
    server.execute("CREATE TABLE kept (number BIGINT PRIMARY KEY)").await.unwrap();
    server.execute("INSERT INTO kept VALUES (1)").await.unwrap();
    assert_eq!(fault(server.execute("INSERT INTO kept VALUES (1)").await), StoreFault::Data, "there is one");
    assert_eq!(fault(server.execute("INSERT INTO nowhere VALUES (1)").await), StoreFault::Missing);
    assert_eq!(fault(server.execute("SELECT lost FROM kept").await), StoreFault::Missing);
    assert_eq!(fault(server.execute("SELECT no_such_function()").await), StoreFault::Other);
    server.execute("SET statement_timeout = 50").await.unwrap();
    assert_eq!(fault(server.execute("SELECT pg_sleep(30)").await), StoreFault::Contended);
    server.execute("SET default_transaction_read_only = on").await.unwrap();
    assert_eq!(fault(server.execute("INSERT INTO kept VALUES (2)").await), StoreFault::ReadOnly);
    assert_eq!(
        fault(server.execute("SELECT pg_terminate_backend(pg_backend_pid())").await),
        StoreFault::Lost
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_do_not_wait_for_any_more_the_server_ends_as_well() {
    let schema = TestSchema::create().await;
    let url = schema.url();
    let timeout = Duration::from_millis(500);
    let config =
        DatabaseConfig { url: Some(Secret::new(url)), tls: ClientTls::default(), connections: 1, timeout };
    let store = Store::open(&config, Path::new("."), &Registry::new()).unwrap();
    wait_until(PATIENCE, "tables", async || store.migrate().await).await;
    let mut operator = PgConnection::connect(&schema.url()).await.unwrap();
    done(&mut operator, &["BEGIN".to_owned(), "LOCK TABLE larkfire_silences".to_owned()]).await;
    let waited = write(&store).await.unwrap_err();
    assert!(matches!(waited, StoreError::TimedOut { .. }), "{waited}");
    let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'larkfire_silences'::regclass";
    wait_until(PATIENCE, "nobody who waits", async || {
        let found = operator.fetch_all(waiting).await.unwrap();
        if found.is_empty() { Ok(()) } else { Err("somebody does") }
    })
    .await;
}

/// A server of its own, because users are everybody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_refuses_its_tables_or_only_lets_read_is_said_to() {
    let node = PostgresNode::start().await;
    let schema = TestSchema::create_on(node.url()).await;
    let mut operator = PgConnection::connect(&schema.url()).await.unwrap();
    let name = schema.name();
    done(
        &mut operator,
        &["CREATE ROLE plain LOGIN".to_owned(), format!("GRANT USAGE ON SCHEMA {name} TO plain")],
    )
    .await;
    let registry = Registry::new();
    let store = store_at(&schema.url().replace("postgres@", "plain@"), &registry);
    let flaw = inspect(store.pool()).await.unwrap_err().to_string();
    assert!(flaw.contains("permission denied") && flaw.contains("GRANT ALL"), "{flaw}");
    assert!(store.usable().holds(), "nobody has asked yet");
    write(&store).await.unwrap_err();
    assert!(!store.usable().holds());
    done(&mut operator, &[format!("GRANT CREATE ON SCHEMA {name} TO plain")]).await;
    wait_until(PATIENCE, "a write", async || write(&store).await).await;
    assert!(store.usable().holds());
    let said = inspect(store.pool()).await.unwrap();
    assert!(said.contains("takes what a worker writes; tables: 29 of 29"), "{said}");
    done(&mut operator, &["DROP TABLE larkfire_cards".to_owned()]).await;
    let said = inspect(store.pool()).await.unwrap();
    assert!(said.contains("tables: 28 of 29"), "{said}");

    done(
        &mut operator,
        &[
            "ALTER ROLE plain SET default_transaction_read_only = on".to_owned(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plain'".to_owned(),
        ],
    )
    .await;
    let flaw = inspect(store.pool()).await.unwrap_err();
    let flaw =
        if flaw.to_string().contains("primary") { flaw } else { inspect(store.pool()).await.unwrap_err() };
    assert!(flaw.to_string().contains("must lead to the primary"), "{flaw}");
    write(&store).await.unwrap_err();
    wait_until(PATIENCE, "some who find out that it is not back", async || {
        let read =
            store.within(|| rows::<(i64,)>(store.pool(), "SELECT COUNT(*) FROM larkfire_budget", &[])).await;
        assert!(read.is_err(), "what it lets read proves nothing");
        let failures = counted(&registry, "larkfire_store_failures_total");
        if failures > 3 { Ok(()) } else { Err(failures) }
    })
    .await;
    done(&mut operator, &["ALTER ROLE plain RESET default_transaction_read_only".to_owned()]).await;
    wait_until(PATIENCE, "a write", async || write(&store).await).await;

    // No place for it passes, a user who is not there does not.
    done(
        &mut operator,
        &[
            "ALTER ROLE plain CONNECTION LIMIT 0".to_owned(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'plain'".to_owned(),
        ],
    )
    .await;
    let full = write(&store).await.unwrap_err();
    assert!(full.to_string().contains("too many connections") && !full.is_refusal(), "{full}");
    assert!(store.usable().holds());
    let stranger = store_at(&schema.url().replace("postgres@", "nobody_here@"), &Registry::new());
    write(&stranger).await.unwrap_err();
    assert!(!stranger.usable().holds(), "it does not come to be by waiting");
}

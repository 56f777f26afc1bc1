//! A store on a database of a test's own, behind a proxy that breaks.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use futures_util::future::join_all;
use prometheus::Registry;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::{TestDatabase, mysql_address};
use testkit::wait_until::wait_until;

use worker::store::sql::{execute, rows};
use worker::store::{Store, StoreError};

/// How long a test waits, and a store for one operation.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How many connections a store has here.
const CONNECTIONS: u32 = 4;

/// A store behind a proxy, and a way round it.
pub(crate) struct Harness {
    pub(crate) store: Store,
    pub(crate) proxy: ChaosProxy,
    pub(crate) database: TestDatabase,
    registry: Registry,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::on(TestDatabase::create().await, mysql_address(), "root").await
    }

    pub(super) async fn on(database: TestDatabase, server: SocketAddr, user: &str) -> Self {
        let proxy = ChaosProxy::start(server).await;
        let registry = Registry::new();
        let url = database.url_at(proxy.address()).replace("root", user);
        let store = store_at(&url, &registry);
        let harness = Self { store, proxy, database, registry };
        harness.warm_up().await;
        harness
    }

    /// Opens all connections, and uses them.
    pub(crate) async fn warm_up(&self) {
        let slow = || rows::<(i64,)>(self.store.pool(), "SELECT CAST(SLEEP(0.2) AS SIGNED)", &[]);
        let all = (0..CONNECTIONS).map(|_| self.store.within(slow));
        for done in join_all(all).await {
            done.unwrap();
        }
    }

    /// A connection of the test's own.
    pub(crate) async fn operator(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.database.url()).await.unwrap()
    }

    /// Does something of which the answer is lost after the database has done it: the statement that does
    /// `on` (`UPDATE ON` a table) waits in a trigger until no answers come through, and `sign` finds a row when
    /// it is done.
    pub(crate) async fn losing_the_answer<T>(
        &self,
        on: &str,
        sign: &str,
        operation: impl Future<Output = T>,
    ) -> T {
        let mut operator = self.operator().await;
        let trigger = format!(
            "CREATE TRIGGER gate BEFORE {on} FOR EACH ROW DO GET_LOCK(DATABASE(), 30), RELEASE_LOCK(DATABASE())"
        );
        for statement in [trigger.as_str(), "DO GET_LOCK(DATABASE(), 0)"] {
            operator.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
        let losing = async {
            let waiting =
                "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User lock'";
            finds(&mut operator, waiting).await;
            self.proxy.stall(Direction::ToClient);
            operator.execute("DO RELEASE_LOCK(DATABASE())").await.unwrap();
            finds(&mut operator, sign).await;
            self.proxy.cut();
            self.proxy.restore();
        };
        let (done, ()) = tokio::join!(Box::pin(operation), Box::pin(losing));
        operator.execute("DROP TRIGGER gate").await.unwrap();
        assert_eq!(self.failures(), 0, "it was done once more");
        done
    }

    pub(super) async fn writes(&self) -> Result<u64, StoreError> {
        write(&self.store).await
    }

    pub(super) fn failures(&self) -> u64 {
        self.metric("larkfire_store_failures_total")
    }

    pub(super) fn is_up(&self) -> bool {
        self.metric("larkfire_store_up") == 1
    }

    fn metric(&self, name: &str) -> u64 {
        counted(&self.registry, name)
    }
}

/// What a counter or a gauge shows.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few, and none is negative")]
pub(super) fn counted(registry: &Registry, name: &str) -> u64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).unwrap();
    let metric = &family.get_metric()[0];
    (metric.get_counter().get_value() + metric.get_gauge().get_value()) as u64
}

/// Waits until a query finds something.
async fn finds(operator: &mut MySqlConnection, query: &str) {
    wait_until(PATIENCE, query, async || {
        let found: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(&mut *operator).await.unwrap();
        if found.is_empty() { Err("not yet") } else { Ok(()) }
    })
    .await;
}

/// Writes a row of one of the tables.
pub(super) async fn write(store: &Store) -> Result<u64, StoreError> {
    let text = "REPLACE INTO larkfire_silences (silence, alertmanager, receiver, fingerprint, until_ms) \
         VALUES ('s', 'a', X'72', X'66', 1)";
    store.within(|| execute(store.pool(), text, &[])).await
}

/// A store by its URL.
pub(super) fn store_at(url: &str, registry: &Registry) -> Store {
    let config = DatabaseConfig {
        url: Some(Secret::new(url)),
        tls: ClientTls::default(),
        connections: CONNECTIONS,
        timeout: PATIENCE,
    };
    Store::open(&config, Path::new("."), registry).unwrap()
}

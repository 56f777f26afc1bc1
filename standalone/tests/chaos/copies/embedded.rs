//! The same of the one process on its embedded queue, whose disk is slow once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};

use super::scene::{Verdict, calm, counts, send};
use crate::fleet::{GRACE, counted, wait_until_ready};
use crate::{cards, turn};

const TOKEN: &str = "chaos-token";
/// How many alerts are deferred in a commit that takes longer than whoever publishes waits.
const ALERTS: usize = 50;
/// How long the commit takes on a machine without other work: twice the two seconds that a publish waits.
const SLOW: Duration = Duration::from_secs(4);
/// Rows that are joined with themselves to see how fast the machine is, and how often: the fastest time is that of a
/// machine without other work.
const SAMPLE_ROWS: f64 = 500.0;
const SAMPLES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deferred_by_a_commit_that_takes_too_long_is_delivered() {
    let _turn = turn::shared().await;
    let one = One::start("delivery:\n  hold: 7s\n").await;
    one.sim.away().await.unwrap();
    slow_down(&one.folder.path().join("data/queue.db")).await;
    let promised = send(one.listen, ALERTS, 0).await;
    counts(one.admin, "larkfire_envelopes_deferral_failures_total", ALERTS as u64).await;
    // Both copies are in hand, and are put off again.
    counts(one.admin, "larkfire_envelopes_deferred_total", ALERTS as u64).await;
    one.sim.back().await.unwrap();
    one.account("embedded, slow commit", &promised).await;
}

/// Makes the next commit that defers something take as long as a slow disk would.
///
/// A disk cannot be slowed down without mounting one. A trigger can make SQLite work for as long, inside of the same
/// transaction.
async fn slow_down(queue: &Path) {
    let mut connection = SqliteConnectOptions::new().filename(queue).connect().await.unwrap();
    let work = "SELECT SUM(a.number * b.number) FROM slow_work a, slow_work b";
    let filled = |rows: f64| {
        format!(
            "DELETE FROM slow_work; INSERT INTO slow_work WITH RECURSIVE numbers(number) AS
             (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {rows:.0}) SELECT number FROM numbers;"
        )
    };
    execute(&mut connection, format!("CREATE TABLE slow_work (number REAL); {}", filled(SAMPLE_ROWS))).await;
    let mut fastest = SLOW;
    for _ in 0..SAMPLES {
        let begun = Instant::now();
        execute(&mut connection, work.to_owned()).await;
        fastest = fastest.min(begun.elapsed());
    }
    // The work grows with the square of the rows.
    let rows = SAMPLE_ROWS * (SLOW.as_secs_f64() / fastest.as_secs_f64()).sqrt();
    let trigger = format!(
        "CREATE TABLE slow_commits (number INTEGER); INSERT INTO slow_commits VALUES (1); {}
         CREATE TRIGGER slow BEFORE INSERT ON parked WHEN (SELECT number FROM slow_commits) > 0
         BEGIN UPDATE slow_commits SET number = number - 1; {work}; END;",
        filled(rows)
    );
    execute(&mut connection, trigger).await;
}

async fn execute(connection: &mut SqliteConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// Fingerprints in the file of the process.
async fn written_down(folder: &TempDir, query: &'static str) -> BTreeSet<String> {
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("data/larkfire.db")).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let found: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    BTreeSet::from_iter(found)
}

/// `larkfire` alone.
struct One {
    sim: FeishuSim,
    listen: SocketAddr,
    admin: SocketAddr,
    process: Process,
    folder: TempDir,
}

impl One {
    /// With this configuration file, ready.
    async fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = free_address();
        let admin = free_address();
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN)])).await.unwrap();
        let file = folder.path().join("larkfire.yaml");
        std::fs::write(&file, config).unwrap();
        let launch = Launch::binary("larkfire")
            .directory(folder.path())
            .variable("LARKFIRE_CONFIG", &file)
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            .variable("FEISHU_WEBHOOK_URL", sim.webhook_url(TOKEN))
            .variable("LOCALE", "en");
        let one = Self { sim, listen, admin, process: launch.start(), folder };
        wait_until_ready(admin, "larkfire").await;
        one
    }

    /// Waits until nothing is under way any more, then counts; prints what it found, and fails if anything is lost.
    async fn account(mut self, row: &str, promised: &BTreeSet<usize>) {
        let under_way = ["larkfire_queue_stored_messages{", "larkfire_envelopes_in_flight"];
        calm(async || counted(self.admin, under_way[0]).await + counted(self.admin, under_way[1]).await)
            .await;
        let delivered = "SELECT CAST(fingerprint AS TEXT) FROM larkfire_ledger WHERE told_at IS NOT NULL";
        let delivered = written_down(&self.folder, delivered).await;
        let dead = written_down(&self.folder, "SELECT fingerprint FROM larkfire_dead_alerts").await;
        let accepted = counted(self.admin, "larkfire_ingest_alerts_accepted_total{").await;
        let ended = counted(self.admin, "larkfire_alerts_total{").await;
        let verdict = Verdict::of(
            promised,
            |name| delivered.contains(name),
            |name| dead.contains(name),
            &cards::all(&self.sim),
            Some((accepted, ended)),
        );
        println!("{row}: {verdict}");
        self.process.terminate();
        assert!(self.process.wait(GRACE).await.success());
        verdict.hold();
    }
}

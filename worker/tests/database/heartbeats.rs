//! Heartbeats, as several workers look after them in one database: missed once, told by one, back once, and never missed for the
//! time in which nobody listened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, HeartbeatConfig, Locale, Reloads, Secret};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Status;
use model::envelope::{Source, decode, lines};
use model::matcher::Matcher;
use prometheus::Registry;
use queue::{Message, PublishError, Publisher, Publishing};
use runtime::clock::Clock;
use runtime::lifecycle::{Condition, Lifecycle};
use testkit::chaos_proxy::ChaosProxy;
use testkit::wait_until::wait_until;
use worker::heartbeats::ListeningPart::{Hears, IsAway, IsBehind};
use worker::heartbeats::{
    HeartbeatMetrics, HeartbeatTable, HeartbeatWatch, HeartbeatWords, Heartbeats, ListeningPart,
};
use worker::own_alerts::OwnAlerts;
use worker::store::Store;

use crate::databases::{Database, on_each_database, on_each_server};

on_each_database! {
    what_does_not_come_is_told_once_by_one_of_the_workers_and_its_return_once
    time_in_which_nobody_listened_or_somebody_was_behind_does_not_count
    what_one_worker_could_not_put_on_the_queue_is_told_by_another
    what_is_not_configured_any_more_ends_and_what_is_new_has_its_whole_time
    as_many_as_there_may_be_are_told_together
}

on_each_server! {
    a_database_that_is_away_makes_nothing_missing_and_what_was_heard_of_meanwhile_is_not_forgotten
}

/// How long a database that is back may be taken for away.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);
const BEGUN_S: i64 = 1_700_000_000;
const MINUTE: i64 = 60;

/// The queue: what was put there, unless it is away.
#[derive(Debug, Default)]
struct TestQueue {
    published: Mutex<Vec<Message>>,
    is_away: AtomicBool,
}

impl Publisher for TestQueue {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        let outcome = if self.is_away.load(Ordering::SeqCst) {
            Err(PublishError::Unreachable)
        } else {
            self.published.lock().unwrap().extend(messages);
            Ok(())
        };
        Box::pin(std::future::ready(outcome))
    }
}

/// What all workers of a test share.
struct Fleet {
    database: DatabaseConfig,
    now: Arc<AtomicI64>,
    queue: Arc<TestQueue>,
    lifecycle: Lifecycle,
}

/// One of them.
struct FleetWorker {
    heartbeats: Heartbeats,
    watch: HeartbeatWatch,
}

impl Fleet {
    fn on(own: &Database) -> Self {
        Self::at_url(own.url())
    }

    fn at_url(url: String) -> Self {
        let database = DatabaseConfig {
            url: Some(Secret::new(url)),
            tls: ClientTls::default(),
            connections: 2,
            timeout: Duration::from_secs(20),
        };
        Self {
            database,
            now: Arc::new(AtomicI64::new(BEGUN_S)),
            queue: Arc::default(),
            lifecycle: Lifecycle::default(),
        }
    }

    fn store(&self) -> Store {
        Store::open(&self.database, Path::new("."), &Registry::new()).unwrap()
    }

    /// A worker with these in its configuration.
    fn member(&self, configured: &[HeartbeatConfig]) -> FleetWorker {
        let registry = Registry::new();
        let time = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::SeqCst)).unwrap());
        let heartbeats =
            Heartbeats::follow(configured, Reloads::none(), self.store(), clock, &self.lifecycle);
        let queue: Arc<dyn Publisher> = Arc::clone(&self.queue) as _;
        let words = HeartbeatWords { locale: Locale::En, timezone: TimeZone::UTC };
        let watch = HeartbeatWatch::new(
            heartbeats.clone(),
            OwnAlerts::new(queue, &registry).unwrap(),
            words,
            HeartbeatMetrics::register(&registry).unwrap(),
            Condition::default(),
        );
        FleetWorker { heartbeats, watch }
    }

    fn at(&self, second: i64) -> Timestamp {
        self.now.store(BEGUN_S + second, Ordering::SeqCst);
        Timestamp::from_second(BEGUN_S + second).unwrap()
    }

    /// What was put on the queue since the last time: name, status and receiver, in order.
    fn told(&self) -> Vec<String> {
        let messages = std::mem::take(&mut *self.queue.published.lock().unwrap());
        let mut told = Vec::new();
        for message in messages {
            for line in lines(&message.body) {
                let envelope = decode(line).unwrap();
                assert_eq!(envelope.source, Source::Larkfire);
                for alert in &envelope.alerts {
                    assert_eq!(alert.labels.get("alertname"), Some("HeartbeatMissing"));
                    assert_eq!(alert.ends_at.is_some(), alert.status == Status::Resolved);
                    let name = alert.labels.get("heartbeat").unwrap_or_default();
                    told.push(format!("{name} {} {}", alert.status.as_str(), envelope.receiver));
                }
            }
        }
        told.sort_unstable();
        told
    }
}

impl FleetWorker {
    async fn look(&mut self, part: ListeningPart) {
        self.watch.look(part).await.unwrap();
    }

    async fn hear(&self, name: &str, at: Timestamp) {
        self.heartbeats.heard(BTreeMap::from([(name.to_owned(), at)])).await;
    }
}

/// Every minute, and half a minute later at most.
fn heartbeat(name: &str) -> HeartbeatConfig {
    HeartbeatConfig {
        name: name.to_owned(),
        matchers: Matcher::all("alertname=Watchdog").unwrap(),
        every: Duration::from_mins(1),
        grace: Duration::from_secs(30),
        receiver: Some("ops".to_owned()),
    }
}

/// Both look every ten seconds, from one second to another.
async fn both_look(fleet: &Fleet, members: &mut [FleetWorker; 2], seconds: std::ops::RangeInclusive<i64>) {
    for second in seconds.step_by(10) {
        fleet.at(second);
        for member in &mut *members {
            member.look(Hears).await;
        }
    }
}

async fn what_does_not_come_is_told_once_by_one_of_the_workers_and_its_return_once(own: Database) {
    let fleet = Fleet::on(&own);
    fleet.store().migrate().await.unwrap();
    let configured = [heartbeat("eu"), heartbeat("us")];
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    // One comes, by either worker; the other never does.
    for minute in 0..3 {
        let at = fleet.at(minute * MINUTE);
        members[usize::try_from(minute % 2).unwrap()].hear("eu", at).await;
        both_look(&fleet, &mut members, minute * MINUTE..=minute * MINUTE + 50).await;
    }
    assert_eq!(fleet.told(), ["us firing ops"], "after its whole time, and by one of them");
    // It stops.
    both_look(&fleet, &mut members, 180..=210).await;
    assert!(fleet.told().is_empty(), "120 and 90 are not over");
    both_look(&fleet, &mut members, 220..=290).await;
    assert_eq!(fleet.told(), ["eu firing ops"]);
    // Said again for reminders, and no oftener.
    both_look(&fleet, &mut members, 300..=440).await;
    assert_eq!(fleet.told(), ["us firing ops"]);
    // A restart forgets nothing.
    drop(members);
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    members[1].hear("eu", fleet.at(450)).await;
    both_look(&fleet, &mut members, 450..=490).await;
    assert_eq!(fleet.told(), ["eu resolved ops"]);
    let all = HeartbeatTable::new(fleet.store()).all(10).await.unwrap();
    let missing: Vec<_> = all.iter().map(|row| (row.name.as_str(), row.missing_since.is_some())).collect();
    assert_eq!(missing, [("eu", false), ("us", true)]);
}

async fn time_in_which_nobody_listened_or_somebody_was_behind_does_not_count(own: Database) {
    let fleet = Fleet::on(&own);
    fleet.store().migrate().await.unwrap();
    let configured = [heartbeat("eu")];
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    members[0].hear("eu", fleet.at(0)).await;
    both_look(&fleet, &mut members, 0..=60).await;
    // All are stopped, or have no connection, for an hour.
    for second in (70..3_600).step_by(10) {
        fleet.at(second);
        members[0].look(IsAway).await;
    }
    both_look(&fleet, &mut members, 3_600..=3_690).await;
    assert!(fleet.told().is_empty(), "it has its whole time from the return on");
    // What has piled up is worked through by one of them, whatever the other hears.
    for second in (3_700..3_900).step_by(10) {
        fleet.at(second);
        members[0].look(IsBehind).await;
        members[1].look(Hears).await;
    }
    assert!(fleet.told().is_empty(), "it may be among what is still to be taken");
    both_look(&fleet, &mut members, 3_900..=3_970).await;
    assert!(fleet.told().is_empty());
    both_look(&fleet, &mut members, 3_980..=4_010).await;
    assert_eq!(fleet.told(), ["eu firing ops"]);
}

async fn a_database_that_is_away_makes_nothing_missing_and_what_was_heard_of_meanwhile_is_not_forgotten(
    own: Database,
) {
    let proxy = ChaosProxy::start(own.server()).await;
    let fleet = Fleet::at_url(own.url_at(proxy.address()));
    fleet.store().migrate().await.unwrap();
    let configured = [heartbeat("eu"), heartbeat("us")];
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    for name in ["eu", "us"] {
        members[0].hear(name, fleet.at(0)).await;
    }
    both_look(&fleet, &mut members, 0..=60).await;
    // For ten minutes nobody can look, and one of them comes all the same.
    proxy.cut();
    for minute in 2..=10 {
        let at = fleet.at(minute * MINUTE);
        members[1].hear("eu", at).await;
        for member in &mut members {
            assert!(member.watch.look(Hears).await.is_err(), "minute {minute}");
        }
    }
    proxy.restore();
    fleet.at(605);
    for member in &mut members {
        wait_until(NOTICED_WITHIN, "the database", async || member.watch.look(Hears).await).await;
    }
    let all = HeartbeatTable::new(fleet.store()).all(10).await.unwrap();
    let heard = all.iter().map(|row| row.heard_at.map_or(0, |at| at.as_second() - BEGUN_S));
    assert_eq!(heard.collect::<Vec<_>>(), [10 * MINUTE, 0], "what was kept meanwhile is written down");
    both_look(&fleet, &mut members, 610..=690).await;
    assert!(fleet.told().is_empty(), "each has its whole time again");
    members[0].hear("eu", fleet.at(690)).await;
    both_look(&fleet, &mut members, 700..=720).await;
    assert_eq!(fleet.told(), ["us firing ops"]);
}

async fn what_one_worker_could_not_put_on_the_queue_is_told_by_another(own: Database) {
    let fleet = Fleet::on(&own);
    fleet.store().migrate().await.unwrap();
    let configured = [heartbeat("eu")];
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    both_look(&fleet, &mut members, 0..=90).await;
    // The one that takes it upon itself dies before the queue has it.
    fleet.queue.is_away.store(true, Ordering::SeqCst);
    fleet.at(100);
    members[0].look(Hears).await;
    let [_dead, mut other] = members;
    fleet.queue.is_away.store(false, Ordering::SeqCst);
    for second in [101, 110, 120, 130] {
        fleet.at(second);
        other.look(Hears).await;
        assert!(fleet.told().is_empty(), "it may be on its way, at {second}");
    }
    fleet.at(131);
    other.look(Hears).await;
    assert_eq!(fleet.told(), ["eu firing ops"]);
    // It was heard of in time, and that was written down late.
    other.hear("eu", Timestamp::from_second(BEGUN_S + 99).unwrap()).await;
    fleet.at(140);
    other.look(Hears).await;
    assert_eq!(fleet.told(), ["eu resolved ops"]);
}

async fn what_is_not_configured_any_more_ends_and_what_is_new_has_its_whole_time(own: Database) {
    let fleet = Fleet::on(&own);
    fleet.store().migrate().await.unwrap();
    let mut both = [fleet.member(&[heartbeat("eu")]), fleet.member(&[heartbeat("eu")])];
    both_look(&fleet, &mut both, 0..=100).await;
    assert_eq!(fleet.told(), ["eu firing ops"]);
    // Another configuration from here on, in which it has another name, and comes less often.
    let slow = HeartbeatConfig { every: Duration::from_mins(30), ..heartbeat("eu-1") };
    let mut both = [fleet.member(std::slice::from_ref(&slow)), fleet.member(std::slice::from_ref(&slow))];
    both_look(&fleet, &mut both, 110..=1_000).await;
    let told = fleet.told();
    let ends = told.iter().filter(|told| *told == "eu resolved ops").count();
    assert!(ends == 1 && told.iter().all(|told| told.starts_with("eu ")), "{told:?}");
    let all = HeartbeatTable::new(fleet.store()).all(10).await.unwrap();
    assert_eq!(all.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["eu-1"]);
    // The time it has changes: it begins anew.
    let mut both = [fleet.member(&[heartbeat("eu-1")]), fleet.member(&[heartbeat("eu-1")])];
    both_look(&fleet, &mut both, 1_010..=1_100).await;
    assert!(fleet.told().is_empty());
    both_look(&fleet, &mut both, 1_110..=1_120).await;
    assert_eq!(fleet.told(), ["eu-1 firing ops"]);
}

async fn as_many_as_there_may_be_are_told_together(own: Database) {
    let fleet = Fleet::on(&own);
    fleet.store().migrate().await.unwrap();
    let configured: Vec<_> = (0..10_000).map(|number| heartbeat(&format!("cluster-{number:05}"))).collect();
    let mut members = [fleet.member(&configured), fleet.member(&configured)];
    both_look(&fleet, &mut members, 0..=0).await;
    let at = fleet.at(10);
    let most = configured.iter().skip(7).map(|heartbeat| (heartbeat.name.clone(), at));
    members[0].heartbeats.heard(most.collect()).await;
    both_look(&fleet, &mut members, 10..=100).await;
    assert_eq!(fleet.told().len(), 7);
    both_look(&fleet, &mut members, 110..=120).await;
    let told = fleet.told();
    assert_eq!(told.len(), 9_993);
    assert_eq!(told.first().map(String::as_str), Some("cluster-00007 firing ops"));
}

use std::path::Path;
use std::sync::Mutex;

use prometheus::TextEncoder;
use queue::Headers;
use testkit::wait_until::wait_until;
use tokio::sync::watch;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);
/// Short, so that a queue that says nothing is soon passed over.
const ANSWERED_WITHIN: Duration = Duration::from_millis(50);

/// A queue that takes messages, refuses them, or says nothing at all.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Takes,
    Refuses(fn() -> PublishError),
    Silent,
}

#[derive(Clone, Debug)]
struct Queue {
    mood: watch::Sender<Mood>,
    asked: watch::Sender<usize>,
    stored: Arc<Mutex<Vec<Message>>>,
}

impl Queue {
    fn new(mood: Mood) -> Self {
        Self { mood: watch::Sender::new(mood), asked: watch::Sender::new(0), stored: Arc::default() }
    }

    fn numbers(&self) -> Vec<usize> {
        let stored = self.stored.lock().unwrap();
        stored.iter().map(|message| str::from_utf8(&message.body).unwrap().parse().unwrap()).collect()
    }

    async fn has(&self, numbers: impl IntoIterator<Item = usize>) {
        let expected: Vec<_> = numbers.into_iter().collect();
        wait_until(PATIENCE, "the numbers", async || match self.numbers() {
            numbers if numbers == expected => Ok(()),
            other => Err(other),
        })
        .await;
    }
}

impl Publisher for Queue {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        self.asked.send_modify(|asked| *asked += 1);
        let mut mood = self.mood.subscribe();
        let stored = Arc::clone(&self.stored);
        Box::pin(async move {
            let mood = *mood.wait_for(|mood| !matches!(mood, Mood::Silent)).await.unwrap();
            if let Mood::Refuses(error) = mood {
                return Err(error());
            }
            stored.lock().unwrap().extend(messages);
            Ok(())
        })
    }
}

/// One process's worth.
struct Harness {
    queue: Queue,
    spooled: Spooled,
    lifecycle: Lifecycle,
    registry: Registry,
}

impl Harness {
    /// Waits for an earlier one to let go of the directory.
    async fn open(folder: &Path, max_bytes: u64, mood: Mood) -> Self {
        let config = SpoolConfig { dir: folder.to_owned(), max_bytes };
        let lifecycle = Lifecycle::default();
        let (spool, registry) = wait_until(PATIENCE, "the directory", async || {
            let registry = Registry::new();
            Spool::open(Some(&config), &registry).map(|spool| (spool, registry))
        })
        .await;
        let queue = Queue::new(mood);
        spool.queue_condition(&lifecycle.readiness);
        let spooled = spool.over(Arc::new(queue.clone()), ANSWERED_WITHIN, &lifecycle).unwrap();
        Self { queue, spooled, lifecycle, registry }
    }

    async fn publish(&self, number: usize) -> Result<(), PublishError> {
        let published = self.spooled.publish(vec![alert(number.to_string())]);
        timeout(PATIENCE, published).await.expect("an answer in time")
    }

    fn metric(&self, name: &str) -> String {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
    }

    async fn close(self) {
        self.lifecycle.drain(PATIENCE).await;
    }
}

fn alert(body: impl Into<bytes::Bytes>) -> Message {
    Message {
        to: MessageDestination::Alerts { shard_key: 7 },
        body: body.into(),
        headers: Headers::default(),
    }
}

const AWAY: Mood = Mood::Refuses(|| PublishError::Unreachable);
const MIB: u64 = 1 << 20;

#[tokio::test]
async fn whatever_keeps_the_queue_from_taking_it_is_bridged_in_order() {
    let causes: [fn() -> PublishError; 4] = [
        || PublishError::Unreachable,
        || PublishError::TimedOut,
        || PublishError::Busy,
        || PublishError::Refused("full".to_owned()),
    ];
    for cause in causes {
        let folder = tempfile::tempdir().unwrap();
        let house = Harness::open(folder.path(), MIB, Mood::Refuses(cause)).await;
        for number in 0..20 {
            house.publish(number).await.unwrap();
        }
        assert_eq!(house.queue.numbers(), Vec::<usize>::new());
        house.queue.mood.send_replace(Mood::Takes);
        // This one has to come behind the others, although the queue would take it at once.
        house.publish(20).await.unwrap();
        house.queue.has(0..21).await;
        drained(&house).await;
        assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="stored"}"#), "21");
        assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="replayed"}"#), "21");
        house.close().await;
    }
}

#[tokio::test]
async fn a_queue_that_takes_alerts_has_no_use_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, Mood::Takes).await;
    house.publish(0).await.unwrap();
    house.queue.has([0]).await;
    assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="stored"}"#), "0");
}

#[tokio::test]
async fn while_it_is_in_use_nobody_waits_for_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, AWAY).await;
    house.publish(0).await.unwrap();
    house.queue.mood.send_replace(Mood::Silent);
    // Asked by the replay alone, and it does not answer.
    let asked = *house.queue.asked.borrow();
    let mut replay = house.queue.asked.subscribe();
    timeout(PATIENCE, replay.wait_for(|now| *now > asked)).await.expect("a replay in time").unwrap();
    for number in 1..50 {
        house.publish(number).await.unwrap();
    }
    house.queue.mood.send_replace(Mood::Takes);
    house.queue.has(0..50).await;
}

/// Waits until nothing is left on disk.
async fn drained(house: &Harness) {
    wait_until(PATIENCE, "the spool to be drained", async || match &*house.metric("larkfire_spool_bytes") {
        "0" => Ok(()),
        other => Err(other.to_owned()),
    })
    .await;
}

#[tokio::test]
async fn what_the_queue_has_stored_after_all_is_not_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, Mood::Silent).await;
    house.spooled.publish(vec![alert("0"), alert("1")]).await.unwrap();
    house.publish(2).await.unwrap();
    assert_eq!(house.queue.numbers(), Vec::<usize>::new());
    house.queue.mood.send_replace(Mood::Takes);
    house.queue.has([0, 1, 2]).await;
    drained(&house).await;
    assert_eq!(house.queue.numbers(), [0, 1, 2], "each once");
    assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="replayed"}"#), "3");
}

#[tokio::test]
async fn what_the_queue_has_refused_after_all_is_replayed_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, Mood::Silent).await;
    for number in 0..3 {
        house.publish(number).await.unwrap();
    }
    house.queue.mood.send_replace(AWAY);
    let asked = *house.queue.asked.borrow();
    let mut replay = house.queue.asked.subscribe();
    timeout(PATIENCE, replay.wait_for(|now| *now > asked)).await.expect("a replay in time").unwrap();
    assert_eq!(house.queue.numbers(), Vec::<usize>::new());
    house.queue.mood.send_replace(Mood::Takes);
    house.queue.has(0..3).await;
    drained(&house).await;
}

#[tokio::test]
async fn what_was_kept_is_replayed_by_the_next_process_before_anything_new() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, AWAY).await;
    for number in 0..5 {
        house.publish(number).await.unwrap();
    }
    house.close().await;
    let house = Harness::open(folder.path(), MIB, Mood::Silent).await;
    house.publish(5).await.unwrap();
    house.queue.mood.send_replace(Mood::Takes);
    house.queue.has(0..6).await;
}

#[tokio::test]
async fn a_full_spool_says_no_and_room_makes_it_take_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, AWAY).await;
    let large = || vec![alert(vec![b'1'; 400_000])];
    house.spooled.publish(large()).await.unwrap();
    house.spooled.publish(large()).await.unwrap();
    assert!(house.lifecycle.readiness.unmet().is_empty());
    let refused = house.spooled.publish(large()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the queue refused the message: the spool is full or cannot be written to"
    );
    assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="refused"}"#), "1");
    assert_eq!(house.lifecycle.readiness.unmet(), ["queue and spool"]);
    house.queue.mood.send_replace(Mood::Takes);
    wait_until(PATIENCE, "room", async || house.spooled.publish(large()).await).await;
    wait_until(PATIENCE, "readiness", async || match house.lifecycle.readiness.unmet() {
        unmet if unmet.is_empty() => Ok(()),
        unmet => Err(unmet),
    })
    .await;
}

#[tokio::test]
async fn a_disk_that_fails_is_no_promise_and_is_found_again_without_a_request() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("spool");
    let house = Harness::open(&folder, MIB, AWAY).await;
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(house.publish(0).await, Err(PublishError::Unreachable)));
    assert_eq!(house.metric(r#"larkfire_spool_records_total{outcome="failed"}"#), "1");
    assert_eq!(house.lifecycle.readiness.unmet(), ["queue and spool"]);
    std::fs::create_dir(&folder).unwrap();
    wait_until(PATIENCE, "readiness", async || match house.lifecycle.readiness.unmet() {
        unmet if unmet.is_empty() => Ok(()),
        unmet => Err(unmet),
    })
    .await;
    house.publish(1).await.unwrap();
}

#[tokio::test]
async fn presses_of_buttons_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let house = Harness::open(folder.path(), MIB, AWAY).await;
    let press = Message { to: MessageDestination::Interactions, ..alert("0") };
    assert!(matches!(house.spooled.publish(vec![press]).await, Err(PublishError::Unreachable)));
    assert_eq!(house.metric("larkfire_spool_bytes"), "0");
}

#[tokio::test]
async fn without_a_directory_there_is_no_spool() {
    let registry = Registry::new();
    let lifecycle = Lifecycle::default();
    let spool = Spool::open(None, &registry).unwrap();
    let reachable = spool.queue_condition(&lifecycle.readiness);
    assert_eq!(lifecycle.readiness.unmet(), ["queue"]);
    reachable.set(true);
    assert!(lifecycle.readiness.unmet().is_empty() && registry.gather().is_empty());
    let spooled = spool.over(Arc::new(Queue::new(AWAY)), ANSWERED_WITHIN, &lifecycle).unwrap();
    assert!(matches!(spooled.publish(vec![alert("0")]).await, Err(PublishError::Unreachable)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_share_the_disk_and_all_come_out() {
    let folder = tempfile::tempdir().unwrap();
    let house = Arc::new(Harness::open(folder.path(), 16 * MIB, AWAY).await);
    let tasks = tokio_util::task::TaskTracker::new();
    let senders: Vec<_> = (0..50)
        .map(|sender| {
            let house = Arc::clone(&house);
            tasks.spawn(async move {
                for step in 0..20 {
                    house.publish(sender * 100 + step).await.unwrap();
                }
            })
        })
        .collect();
    house.queue.mood.send_replace(Mood::Takes);
    for sender in senders {
        sender.await.unwrap();
    }
    wait_until(PATIENCE, "all of them", async || match house.queue.numbers().len() {
        1000 => Ok(()),
        other => Err(other),
    })
    .await;
    let numbers = house.queue.numbers();
    for sender in 0..50 {
        let of_sender: Vec<_> = numbers.iter().copied().filter(|number| number / 100 == sender).collect();
        assert_eq!(of_sender, (0..20).map(|step| sender * 100 + step).collect::<Vec<_>>());
    }
}

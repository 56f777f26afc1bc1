use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::task::TaskTracker;

use super::*;
use crate::load;

/// How often these tests look, by the real clock: files are looked at on threads, which a paused one does not wait for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A followed configuration file, and the other end of the signal.
struct Followed {
    folder: tempfile::TempDir,
    reloads: Reloads,
    registry: Registry,
    ask: mpsc::Sender<()>,
    loads: Arc<AtomicUsize>,
    _tasks: TaskTracker,
}

impl Followed {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("larkfire.yaml");
        let registry = Registry::new();
        let tasks = TaskTracker::new();
        std::fs::write(folder.path().join("keys"), "one\n").unwrap();
        std::fs::write(&file, text.replace("FOLDER", &folder.path().display().to_string())).unwrap();
        let (ask, asked) = mpsc::channel(1);
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&loads);
        let config = load(Some(&file), &[]).unwrap();
        let read = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            load(Some(&file), &[])
        };
        let (reloads, follower) = follow(LOOK_EVERY, read, &config, &registry, asked).unwrap();
        tasks.spawn(follower);
        Self { folder, reloads, registry, ask, loads, _tasks: tasks }
    }

    /// At once, as editors do: a look in the middle of a write would see an empty file.
    fn write(&self, name: &str, text: &str) {
        let written = self.folder.path().join("being-written");
        std::fs::write(&written, text).unwrap();
        std::fs::rename(written, self.folder.path().join(name)).unwrap();
    }

    async fn keys(&mut self) -> Vec<String> {
        let next = tokio::time::timeout(Duration::from_mins(1), self.reloads.next()).await;
        let config = next.unwrap().unwrap();
        config.gate.api_keys.iter().map(|key| key.expose().to_owned()).collect()
    }

    async fn refusals(&self, count: u64) {
        let refused = || {
            let families = self.registry.gather();
            let metrics = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
            let refused =
                metrics.filter(|metric| metric.get_label().iter().any(|label| label.value() == "refused"));
            refused.map(|metric| metric.get_counter().get_value()).sum::<f64>()
        };
        let counted = async {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            while refused() < count as f64 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), counted).await.unwrap();
    }
}

const LISTED: &str = "gate: { api_keys: [one] }";

#[tokio::test]
async fn a_changed_file_is_read_again() {
    let mut followed = Followed::new(LISTED);
    followed.write("larkfire.yaml", "gate: { api_keys: [one, two] }");
    assert_eq!(followed.keys().await, ["one", "two"]);
    followed.write("larkfire.yaml", "gate: { api_keys: [two] }");
    assert_eq!(followed.keys().await, ["two"]);
}

#[tokio::test]
async fn a_secret_in_a_file_of_its_own_is_followed_too() {
    let mut followed = Followed::new("gate: { api_keys_file: FOLDER/keys }");
    followed.write("keys", "two\nthree\n");
    assert_eq!(followed.keys().await, ["two", "three"]);
}

#[tokio::test]
async fn a_swapped_link_is_a_changed_file() {
    let link = |folder: &Path, to: &str| {
        let new = folder.join("new");
        let link = folder.join("larkfire.yaml");
        std::os::unix::fs::symlink(folder.join(to), &new).unwrap();
        std::fs::rename(new, link).unwrap();
    };
    let mut followed = Followed::new(LISTED);
    followed.write("v2", "gate: { api_keys: [two] }");
    link(followed.folder.path(), "v2");
    assert_eq!(followed.keys().await, ["two"]);
}

#[tokio::test]
async fn what_is_wrong_changes_nothing_and_is_counted_once() {
    let mut followed = Followed::new(LISTED);
    followed.write("larkfire.yaml", "gate: { api_kyes: [two] }");
    followed.refusals(1).await;
    let loads = followed.loads.load(Ordering::SeqCst);
    while followed.loads.load(Ordering::SeqCst) < loads + 3 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    assert!(!followed.reloads.0.has_changed().unwrap());
    followed.write("larkfire.yaml", "gate: { api_keys: [three] }");
    assert_eq!(followed.keys().await, ["three"]);
    followed.write("larkfire.yaml", "gate: {");
    followed.refusals(2).await;
}

#[tokio::test]
async fn a_file_the_new_configuration_misses_can_be_added_later() {
    let mut followed = Followed::new(LISTED);
    let late = followed.folder.path().join("late");
    followed.write("larkfire.yaml", &format!("gate: {{ api_keys_file: {} }}", late.display()));
    followed.refusals(1).await;
    followed.write("late", "four");
    assert_eq!(followed.keys().await, ["four"]);
}

#[tokio::test]
async fn a_signal_reads_it_again_even_unchanged() {
    let mut followed = Followed::new(LISTED);
    followed.ask.send(()).await.unwrap();
    assert_eq!(followed.keys().await, ["one"]);
}

#[tokio::test]
async fn unchanged_files_are_not_read_again() {
    let mut followed = Followed::new(LISTED);
    for asked in 1..=20 {
        followed.ask.send(()).await.unwrap();
        followed.keys().await;
        assert_eq!(followed.loads.load(Ordering::SeqCst), asked, "it was read without being asked");
    }
}

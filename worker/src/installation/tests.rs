use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use prometheus::Registry;
use runtime::lifecycle::Lifecycle;
use tempfile::TempDir;
use testkit::wait_until::wait_until;

use super::*;
use crate::store::Store;

fn queues(cluster: &str, vhost: &str, prefix: &str) -> Installation {
    let [cluster, vhost, prefix] = [cluster, vhost, prefix].map(str::to_owned);
    Installation::of_queues(&QueueHome { cluster, vhost, prefix })
}

fn store(url: String) -> Store {
    // Longer than any test takes under load: a deadline that strikes would be an outage.
    let config = DatabaseConfig {
        url: Some(Secret::new(url)),
        tls: ClientTls::default(),
        connections: 4,
        timeout: Duration::from_secs(30),
    };
    Store::open(&config, Path::new("."), &Registry::new()).unwrap()
}

#[test]
fn whoever_differs_in_cluster_virtual_host_or_prefix_is_another_installation() {
    let ours = queues("rabbit@a", "/", "larkfire");
    assert_eq!(owner(None, &ours), DatabaseOwner::Nobody);
    assert_eq!(owner(Some(&queues("rabbit@a", "/", "larkfire")), &ours), DatabaseOwner::Us);
    let others = [
        queues("rabbit@b", "/", "larkfire"),
        queues("rabbit@a", "eu", "larkfire"),
        queues("rabbit@a", "/", "lark"),
    ];
    for other in others.iter().chain([&queues("rabbit@a/", "", "larkfire")]) {
        let conflict = Conflict { other: other.label.clone(), ours: ours.label.clone() };
        assert_eq!(owner(Some(other), &ours), DatabaseOwner::Another(conflict), "{other:?}");
    }
    let DatabaseOwner::Another(conflict) = owner(Some(&others[1]), &ours) else { panic!("another") };
    let said = conflict.to_string();
    for part in [
        r#"virtual host "eu" with the prefix "larkfire""#,
        r#"this one is on RabbitMQ's cluster "rabbit@a""#,
        "DATABASE_URL",
        "adopt-database",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_label_fits_its_column() {
    let long = queues(&"格".repeat(400), "/", "larkfire");
    assert_eq!((long.id.len(), long.label.chars().count()), (64, LABEL_CHARS_MAX));
    assert_ne!(long.id, queues(&"格".repeat(401), "/", "larkfire").id);
}

#[tokio::test]
async fn an_embedded_installation_keeps_its_id_and_another_directory_has_another() {
    let one = TempDir::new().unwrap();
    let other = TempDir::new().unwrap();
    let folder = one.path().join("data");
    let origin = InstallationOrigin::DataDir(folder.clone());
    assert_eq!(origin.installation_so_far().await.unwrap(), None);
    assert!(!folder.exists(), "a look makes nothing");
    let first = origin.installation().await.unwrap().unwrap();
    assert_eq!(origin.installation().await.unwrap(), Some(first.clone()));
    assert_eq!(origin.installation_so_far().await.unwrap(), Some(first.clone()));
    let other = InstallationOrigin::DataDir(other.path().to_owned()).installation().await.unwrap().unwrap();
    assert_ne!(first.id, other.id);
    std::fs::write(folder.join("installation"), "half").unwrap();
    let error = origin.installation().await.unwrap_err().to_string();
    assert!(error.contains("installation: this is no id"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_delays_no_start_for_longer_than_a_few_seconds() {
    // Takes connections, and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = TempDir::new().unwrap();
    let lifecycle = Lifecycle::default();
    let store = store(format!("mysql://root@{}/larkfire", listener.local_addr().unwrap()));
    let before = tokio::time::Instant::now();
    let gate = Gate::watched(Some(InstallationOrigin::DataDir(folder.path().to_owned())), &store, &lifecycle);
    gate.before(async {}).await;
    assert_eq!(before.elapsed().as_secs(), 3);
    assert!(!lifecycle.stop.is_cancelled() && lifecycle.readiness.unmet().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_behind_the_gate_does_not_begin_on_anothers_database() {
    let database = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let store = store(format!("sqlite:{}/shared.db", database.path().display()));
    claim(&store, &queues("rabbit@a", "/", "larkfire")).await.unwrap();
    let lifecycle = Lifecycle::default();
    let gate = Gate::watched(Some(InstallationOrigin::DataDir(folder.path().to_owned())), &store, &lifecycle);
    gate.before(async { panic!("it began") }).await;
    assert!(lifecycle.stop.is_cancelled());
    let unmet = lifecycle.readiness.unmet().concat();
    assert!(unmet.contains("installation") && unmet.contains("rabbit@a"), "{unmet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_at_the_start_and_is_anothers_ends_it_once_it_is_back() {
    let database = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let lifecycle = Lifecycle::default();
    let away = database.path().join("away");
    let here = database.path().join("here");
    std::fs::create_dir(&here).unwrap();
    let owned = store(format!("sqlite:{}/shared.db", here.display()));
    claim(&owned, &queues("rabbit@a", "/", "larkfire")).await.unwrap();
    // No file can be made there: a directory has its name.
    std::fs::create_dir_all(away.join("shared.db")).unwrap();
    let store = store(format!("sqlite:{}/shared.db", away.display()));
    let gate = Gate::watched(Some(InstallationOrigin::DataDir(folder.path().to_owned())), &store, &lifecycle);
    gate.before(async {}).await;
    assert!(!lifecycle.stop.is_cancelled(), "it goes on without");
    std::fs::rename(&away, database.path().join("gone")).unwrap();
    std::fs::rename(&here, &away).unwrap();
    tokio::time::timeout(Duration::from_mins(1), lifecycle.stop.cancelled()).await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_ends_when_another_installation_adopts_its_database_and_not_when_its_own_does() {
    let database = TempDir::new().unwrap();
    let folder = TempDir::new().unwrap();
    let lifecycle = Lifecycle::default();
    let store = store(format!("sqlite:{}/shared.db", database.path().display()));
    let origin = InstallationOrigin::DataDir(folder.path().to_owned());
    let gate = Gate::looking(Some(origin.clone()), &store, Duration::from_millis(5), &lifecycle);
    gate.before(async {}).await;
    let ours = origin.installation().await.unwrap().unwrap();
    let is_ours =
        async || recorded(store.pool()).await.unwrap().filter(|known| *known == ours).ok_or("not yet");
    wait_until(Duration::from_secs(20), "its name in the database", is_ours).await;
    adopt(&store, &ours).await.unwrap();
    assert!(!lifecycle.stop.is_cancelled() && lifecycle.readiness.unmet().is_empty());
    adopt(&store, &queues("rabbit@b", "/", "larkfire")).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), lifecycle.stop.cancelled()).await.expect("an end");
    let unmet = lifecycle.readiness.unmet().concat();
    assert!(unmet.contains("belongs to another installation") && unmet.contains("rabbit@b"), "{unmet}");
}

//! What is kept on disk: whose it is, and what is said of it where it is not what it should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use testkit::http;
use testkit::ports::free_address;
use testkit::process::Launch;
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
/// What a running process has open, among others.
const KEPT: [&str; 5] = ["queue.db", "queue.db-wal", "queue.db-shm", "larkfire.db", "larkfire.db-wal"];

/// Commands in a folder of their own, with all they keep in `data` there.
fn launch(folder: &Path, admin: &str, words: &[&str]) -> Launch {
    let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire"))
        .variable("LARKFIRE_ADMIN_LISTEN", admin)
        .variable("LARKFIRE_LISTEN", free_address().to_string())
        .variable("FEISHU_WEBHOOK_URL", "http://127.0.0.1:9/open-apis/bot/v2/hook/token")
        .directory(folder);
    words.iter().fold(launch, Launch::argument)
}

/// A command's exit code and what it printed.
async fn said(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let process = launch(folder, &free_address().to_string(), words).start();
    let (status, printed) = process.finish(PATIENCE).await;
    (status.code(), printed)
}

/// The modes in a folder, and its own as `.`; without what has none.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    // A file of SQLite's may be gone by now.
    let of = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777);
    let mut modes: Vec<_> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().unwrap(), of(&entry.path())?)))
        .collect();
    modes.push((".".to_owned(), of(folder).unwrap()));
    modes.sort();
    modes
}

#[tokio::test]
async fn everything_that_is_kept_is_the_users_alone_also_what_an_earlier_version_has_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // As an earlier version has left it: readable by everybody.
    for round in ["new", "left"] {
        let admin = free_address().to_string();
        let process = launch(folder.path(), &admin, &[]).start();
        let url = format!("http://{admin}/readyz");
        wait_until(PATIENCE, "readiness", async || match http::get(&url).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        // Its own tables are made beside the work, not before it.
        let modes = wait_until(PATIENCE, "all files", async || {
            let modes = modes(&data);
            let is_there = |name: &&str| modes.iter().any(|(there, _)| there == name);
            if KEPT.iter().all(is_there) { Ok(modes) } else { Err(format!("{round}: {modes:?}")) }
        })
        .await;
        for (name, mode) in &modes {
            assert_eq!(*mode, if name == "." { 0o700 } else { 0o600 }, "{round}: {name} in {modes:?}");
        }
        // Without a clean end the logs of SQLite stay, as they would after a crash.
        let mut process = process;
        process.kill().await;
        for entry in fs::read_dir(&data).unwrap().map(|entry| entry.unwrap()) {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let advice = "it is not a database: put a backup in its place";
    for (name, words, code) in [
        ("queue.db", &[] as &[&str], 1),
        ("queue.db", &["check"], 1),
        ("larkfire.db", &["check"], 1),
        ("larkfire.db", &["dead-letters", "list"], 1),
        ("larkfire.db", &["trace", "DiskFull"], 1),
    ] {
        fs::write(data.join(name), "notes of somebody, and no database at all").unwrap();
        let (ended, printed) = said(folder.path(), words).await;
        assert_eq!(ended, Some(code), "{words:?}: {printed}");
        assert_eq!(printed.matches(advice).count(), 1, "{words:?}: {printed}");
        assert!(printed.contains(name), "{words:?}: {printed}");
        assert!(!printed.contains("error returned from database"), "{words:?}: {printed}");
        fs::remove_file(data.join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_is_found_by_check_before_a_start_fails_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, printed) = said(folder.path(), &["check"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("ok: data_dir (LARKFIRE_DATA_DIR): ./data can be written to"), "{printed}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "check has left something");

    fs::write(folder.path().join("data"), "").unwrap();
    let (code, printed) = said(folder.path(), &["check"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("FAILED: data_dir (LARKFIRE_DATA_DIR): ./data is a file: move it away"),
        "{printed}"
    );
    let (code, printed) = said(folder.path(), &[]).await;
    assert_eq!(code, Some(1), "{printed}");
}

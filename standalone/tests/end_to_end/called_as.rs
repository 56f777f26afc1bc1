//! `larkfire` called by the name of a role, as an image and a package have it: the same program as the role's own binary.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use testkit::process::Launch;

const PATIENCE: Duration = Duration::from_secs(30);
const ROLES: [&str; 2] = ["larkfire-ingest", "larkfire-worker"];
/// Command lines that end by themselves, with every exit code there is.
const LINES: [&[&str]; 10] = [
    &["--version"],
    &["--help"],
    &["check", "--help"],
    &["man"],
    &["completions", "bash"],
    &["check"],
    &["check", "--json"],
    &["health"],
    &["explain", "-"],
    &[],
];

/// Exit code and what was printed.
async fn said(launch: Launch, words: &[&str], folder: &Path) -> (Option<i32>, String) {
    let launch =
        launch.directory(folder).variable("API_KEYS", "key").variable("LARKFIRE_ADMIN_LISTEN", "127.0.0.1:1");
    let process = words.iter().fold(launch, Launch::argument).start();
    let (status, printed) = process.finish(PATIENCE).await;
    (status.code(), printed)
}

#[tokio::test]
async fn called_by_the_name_of_a_role_it_is_that_role() {
    let folder = tempfile::tempdir().unwrap();
    let mut codes = Vec::new();
    for role in ROLES {
        let link = folder.path().join(role);
        symlink(env!("CARGO_BIN_EXE_larkfire"), &link).unwrap();
        for words in LINES {
            let own = said(Launch::binary(role), words, folder.path()).await;
            let linked = said(Launch::program(&link), words, folder.path()).await;
            assert_eq!(linked, own, "{role} {words:?}");
            codes.push(own.0);
        }
    }
    for code in [0, 1, 64] {
        assert!(codes.contains(&Some(code)), "no command line ends with {code}: {codes:?}");
    }
}

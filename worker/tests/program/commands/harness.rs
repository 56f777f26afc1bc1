//! A folder with a configuration, and the binary that goes by it.

use std::time::Duration;

use tempfile::TempDir;
use testkit::process::{Launch, Process};

/// How long anything may take.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);

pub(crate) struct Harness {
    folder: TempDir,
    /// What no output may show.
    secrets: Vec<String>,
}

impl Harness {
    pub(crate) fn with(config: &str, secrets: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("larkfire.yaml"), config).unwrap();
        Self { folder, secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect() }
    }

    /// Puts a file beside the configuration.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Starts it with these words.
    pub(crate) fn launch(&self, words: &[&str]) -> Process {
        self.prepared(words).start()
    }

    /// The same, not started yet.
    pub(crate) fn prepared(&self, words: &[&str]) -> Launch {
        let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire-worker"))
            .argument("--config")
            .argument(self.folder.path().join("larkfire.yaml"))
            .directory(self.folder.path());
        words.iter().fold(launch, Launch::argument)
    }

    /// A command's exit code, and what it printed.
    pub(crate) async fn command(&self, words: &[&str]) -> (Option<i32>, String) {
        let (status, printed) = self.launch(words).finish(WITHIN).await;
        for secret in &self.secrets {
            assert!(!printed.contains(secret.as_str()), "{secret} is shown in:\n{printed}");
        }
        (status.code(), printed)
    }

    /// The files a command has left beside the configuration.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "larkfire.yaml").collect()
    }
}

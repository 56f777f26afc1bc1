//! A folder with a configuration, and the binary that goes by it.

use std::time::Duration;

use serde_json::Value;
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

    /// A command's exit code, and the JSON it printed.
    pub(crate) async fn json(&self, words: &[&str]) -> (Option<i32>, Value) {
        let (code, printed) = self.command(&[words, &["--json"]].concat()).await;
        (code, json_in(&printed))
    }

    /// The files a command has left beside the configuration.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "larkfire.yaml").collect()
    }
}

/// The first object in what was printed, on whichever of the two streams.
pub(crate) fn json_in(printed: &str) -> Value {
    let begin = printed.lines().position(|line| line == "{").unwrap();
    let rest: Vec<_> = printed.lines().skip(begin).collect();
    let rest = rest.join("\n");
    let mut values = serde_json::Deserializer::from_str(&rest).into_iter();
    values.next().unwrap().unwrap()
}

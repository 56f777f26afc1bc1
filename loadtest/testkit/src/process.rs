//! Real programs under test: started with ephemeral ports and a clean environment, ended with the test.

mod output;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use output::Output;

/// How to start a program; can be started several times, as after a crash.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
}

impl Launch {
    /// A binary of this workspace, found where the running test was built: `target/<profile>/<name>`.
    pub fn binary(name: &str) -> Self {
        let test = std::env::current_exe().expect("the path of the running test");
        // Tests lie in `deps`, binaries beside it.
        let profile = test.parent().and_then(Path::parent).expect("the directory of the build profile");
        let program = profile.join(name);
        assert!(
            program.is_file(),
            "{} is missing: run cargo build --workspace --bins first",
            program.display()
        );
        Self::program(program)
    }

    /// Any program, by its path or found on `PATH`.
    pub fn program(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new(), directory: None }
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Sets a variable. Of the test's own environment the program gets `PATH` only.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// The working directory, which for our binaries is also where a `.env` is looked for.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Starts it.
    pub fn start(&self) -> Process {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let name = self.program.display().to_string();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Output::of(child.stdout.take(), child.stderr.take());
        Process { name, child, output }
    }
}

/// A running program. When dropped it is killed, and its output is printed if the test fails.
pub struct Process {
    name: String,
    child: Child,
    output: Output,
}

impl Process {
    /// Its process id; `None` once its end was waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it printed so far on both streams; of much output the end.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Waits for a line with this text, which may have been printed already, and returns it.
    pub async fn wait_for_line(&self, text: &str, within: Duration) -> String {
        timeout(within, self.output.line(text)).await.ok().flatten().unwrap_or_else(|| {
            panic!("{} printed no {text:?} within {within:?}", self.name);
        })
    }

    /// Kills it with SIGKILL, as a crash would, and waits for its end.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap_or_else(|error| panic!("cannot kill {}: {error}", self.name));
    }

    /// Asks it to end with SIGTERM; [`wait`](Self::wait) waits for that.
    pub fn terminate(&self) {
        let id = self.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.unwrap_or_else(|| panic!("{} has ended already", self.name));
        kill_process(id, Signal::TERM)
            .unwrap_or_else(|error| panic!("cannot terminate {}: {error}", self.name));
    }

    /// Waits for its end, and for what it printed last: after that [`output`](Self::output) has all of it.
    pub async fn wait(&mut self, within: Duration) -> ExitStatus {
        let ended = timeout(within, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{} still runs after {within:?}", self.name));
        let status = ended.unwrap_or_else(|error| panic!("cannot wait for {}: {error}", self.name));
        let printed = timeout(within, self.output.ended()).await;
        assert!(printed.is_ok(), "{} has ended, its output has not", self.name);
        status
    }

    /// Waits for its end; how it ended, and all it printed, of much the end.
    pub async fn finish(mut self, within: Duration) -> (ExitStatus, String) {
        (self.wait(within).await, self.output())
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- output of {} ---\n{}", self.name, self.output());
        }
    }
}

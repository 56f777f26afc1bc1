//! What a program prints, kept in bounded memory and searched while it comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// What is kept of a program's output: the end.
const KEPT_BYTES: usize = 256 << 10;

pub(super) struct Output {
    kept: Arc<Mutex<Vec<u8>>>,
    /// Changes with every read; closed when both streams are.
    grown: watch::Receiver<()>,
}

impl Output {
    /// Reads both streams until they end, which they do with the program.
    pub(super) fn of(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Self {
        let kept = Arc::default();
        let (growth, grown) = watch::channel(());
        let readers = TaskTracker::new();
        if let Some(stdout) = stdout {
            readers.spawn(read(stdout, Arc::clone(&kept), growth.clone()));
        }
        if let Some(stderr) = stderr {
            readers.spawn(read(stderr, Arc::clone(&kept), growth));
        }
        Self { kept, grown }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.kept)).into_owned()
    }

    /// Waits until both streams have ended.
    pub(super) async fn ended(&self) {
        let mut grown = self.grown.clone();
        while grown.changed().await.is_ok() {}
    }

    /// The first complete line with this text; `None` when the program ends without it.
    pub(super) async fn line(&self, text: &str) -> Option<String> {
        let mut grown = self.grown.clone();
        loop {
            // Both are taken before looking, so that what comes meanwhile is not missed.
            grown.mark_unchanged();
            let open = grown.has_changed().is_ok();
            let printed = self.text();
            let lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n') || !open);
            if let Some(line) = lines.map(str::trim_end).find(|line| line.contains(text)) {
                return Some(line.to_owned());
            }
            if !open {
                return None;
            }
            // An error means that both streams have ended: one last look.
            let _ended = grown.changed().await;
        }
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>, growth: watch::Sender<()>) {
    let mut buffer = vec![0; 8 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let mut kept = lock(&kept);
        kept.extend_from_slice(&buffer[..read]);
        let excess = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..excess);
        drop(kept);
        growth.send_replace(());
    }
}

fn lock(kept: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Reading the configuration again while the process runs: at SIGHUP, and when one of its files has changed.
//!
//! The files are looked at rather than watched: a Kubernetes volume swaps a link one folder up, editors replace files,
//! network disks send no events, and a look at a few small files costs nothing.

use std::collections::HashMap;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fnv::FnvHasher;
use prometheus::{IntCounterVec, IntGauge, Registry};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::{Config, ConfigErrors};
use runtime::metrics::intake::{CONFIG_RELOAD_OK, CONFIG_RELOADS};

/// How often the files are looked at. A change is used at the second look that sees the same, so that nobody reads
/// a file that is half written.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The configurations that take the place of the one a process started with.
#[derive(Clone, Debug)]
pub struct Reloads(watch::Receiver<Option<Arc<Config>>>);

impl Reloads {
    /// There will be none.
    pub fn none() -> Self {
        Self(watch::Sender::new(None).subscribe())
    }

    /// Those that somebody else publishes.
    pub const fn of(published: watch::Receiver<Option<Arc<Config>>>) -> Self {
        Self(published)
    }

    /// The next one, or the newest if there were several; `None` once there can be no more.
    pub async fn next(&mut self) -> Option<Arc<Config>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}

/// Reads the configuration again for as long as the process runs. What is refused changes nothing.
struct Reloader<L> {
    look_every: Duration,
    load: Arc<L>,
    files: Vec<PathBuf>,
    publish: watch::Sender<Option<Arc<Config>>>,
    outcomes: IntCounterVec,
    is_newest: IntGauge,
    refused: Option<ConfigErrors>,
}

/// What the files hold, short enough to be compared; not their secrets.
type Print = Vec<Option<u64>>;

/// Follows the files `config` was read from, and the signals that come in through `asked`. The future runs for as
/// long as `asked` is open; `look_every` is [`LOOK_EVERY`] but in tests.
pub(crate) fn follow<L>(
    look_every: Duration,
    load: L,
    config: &Config,
    registry: &Registry,
    asked: mpsc::Receiver<()>,
) -> Result<(Reloads, impl Future<Output = ()> + Send + 'static), prometheus::Error>
where
    L: Fn() -> Result<Config, ConfigErrors> + Send + Sync + 'static,
{
    let outcomes = CONFIG_RELOADS.counters()?;
    for outcome in ["applied", "refused"] {
        outcomes.with_label_values(&[outcome]).reset();
    }
    registry.register(Box::new(outcomes.clone()))?;
    let is_newest = CONFIG_RELOAD_OK.gauge()?;
    is_newest.set(1);
    registry.register(Box::new(is_newest.clone()))?;
    let publish = watch::Sender::new(None);
    let reloads = Reloads::of(publish.subscribe());
    let files = config.files.clone();
    // Now, not at the first look: what is written in between has changed too.
    let used = files.iter().map(print).collect();
    let load = Arc::new(load);
    let reloader = Reloader { look_every, load, files, publish, outcomes, is_newest, refused: None };
    Ok((reloads, reloader.run(used, asked)))
}

impl<L: Fn() -> Result<Config, ConfigErrors> + Send + Sync + 'static> Reloader<L> {
    async fn run(mut self, mut used: Print, mut asked: mpsc::Receiver<()>) {
        let mut looks = interval(self.look_every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = used.clone();
        loop {
            let asked = tokio::select! {
                signal = asked.recv() => match signal {
                    Some(()) => true,
                    None => return,
                },
                // Settings from the environment alone cannot change, and an idle process should sleep.
                _ = looks.tick(), if !self.files.is_empty() => false,
            };
            let seen = self.look().await;
            let settled = seen == last;
            // What was refused is tried again at each look: it may take a file that we do not know of to mend it.
            if asked || (settled && (seen != used || self.refused.is_some())) {
                let before: HashMap<_, _> = self.files.iter().cloned().zip(seen).collect();
                self.reload(asked).await;
                let after = self.look().await;
                // What was seen before the reading: what was written in between would else count as read.
                let earlier = self.files.iter().map(|file| before.get(file).copied());
                used = earlier.zip(after).map(|(earlier, now)| earlier.unwrap_or(now)).collect();
                last.clone_from(&used);
            } else {
                last = seen;
            }
        }
    }

    async fn reload(&mut self, asked: bool) {
        let load = Arc::clone(&self.load);
        let Ok(loaded) = spawn_blocking(move || load()).await else {
            error!("reading the configuration again failed; the one before stays in use");
            return;
        };
        match loaded {
            Ok(config) => {
                self.files.clone_from(&config.files);
                self.refused = None;
                self.is_newest.set(1);
                self.outcomes.with_label_values(&["applied"]).inc();
                info!("read the configuration again");
                config.notes.iter().for_each(|note| warn!(%note, "a remark about the configuration"));
                self.publish.send_replace(Some(Arc::new(config)));
            }
            Err(errors) => {
                if asked || self.refused.as_ref() != Some(&errors) {
                    self.outcomes.with_label_values(&["refused"]).inc();
                    error!(error = %errors, "the configuration before this one stays in use");
                }
                self.is_newest.set(0);
                self.refused = Some(errors);
            }
        }
    }

    async fn look(&self) -> Print {
        let files = self.files.clone();
        // A look that fails is one that sees no files, and so a reason to read them again.
        spawn_blocking(move || files.iter().map(print).collect()).await.unwrap_or_default()
    }
}

fn print(file: &PathBuf) -> Option<u64> {
    let mut hasher = FnvHasher::default();
    hasher.write(&std::fs::read(file).ok()?);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests;

//! The simulator, on threads of its own: what it does holds up the sender no more than another process would.

use std::io;
use std::sync::mpsc;

use feishu_sim::{BotSettings, FeishuSim, Limits, SimSettings};
use tokio::runtime::{Builder, Runtime};

use crate::scenario::profile::Feishu;

/// The bots' secret: signatures are part of what a card costs.
pub(crate) const SECRET: &str = "loadtest-secret";
/// What Larkfire is told where the bots have no limits: the most its settings allow.
pub(crate) const NO_LIMITS: (usize, usize) = (10_000, 100_000);
/// What is remembered of cards, so that every one of them can be looked at in the end.
const JOURNAL_BYTES: usize = 2 << 30;

/// A simulator with a runtime of its own.
pub(crate) struct SimHost {
    pub(crate) sim: FeishuSim,
    runtime: Option<Runtime>,
}

/// The name of a receiver, which is also the token of its bot.
pub(crate) fn receiver_name(number: u32) -> String {
    format!("load-{number}")
}

impl SimHost {
    pub(crate) fn start(feishu: Feishu) -> io::Result<Self> {
        let bots = (0..feishu.receivers).map(|number| {
            let bot = BotSettings::new(receiver_name(number)).secret(SECRET);
            let (per_second, per_minute) = NO_LIMITS;
            if feishu.limits { bot } else { bot.limits(Limits { per_second, per_minute, enforced: false }) }
        });
        let settings = SimSettings::new(bots).journal_limit_bytes(JOURNAL_BYTES);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (done, started) = mpsc::channel();
        runtime.spawn(async move {
            let _unheard = done.send(FeishuSim::start(settings).await);
        });
        let sim = started.recv().map_err(|_| io::Error::other("the simulator did not start"))??;
        Ok(Self { sim, runtime: Some(runtime) })
    }
}

impl Drop for SimHost {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping it would wait, which a task must not.
            runtime.shutdown_background();
        }
    }
}

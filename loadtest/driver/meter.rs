//! How much was done in a window of time, and what it cost.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::figure::float;
use crate::proc_fs::cpu_time;
use crate::scenario::Window;

/// The pause between two looks at whether enough was counted.
const PAUSE: Duration = Duration::from_millis(20);

/// What was counted in a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    /// CPU time of the process looked at, in microseconds for each one counted; 0 if none was.
    pub(crate) cpu_us: f64,
}

impl Pace {
    /// The same where each one counted stands for several.
    pub(crate) fn times(self, each: u32) -> Self {
        Self { per_second: self.per_second * f64::from(each), cpu_us: self.cpu_us / f64::from(each) }
    }
}

/// Lets the warm-up pass, then counts how much `done` grows.
pub(crate) async fn meter(window: &Window, done: &AtomicU64, process: u32) -> io::Result<Pace> {
    tokio::time::sleep(window.warm_up()).await;
    let begun = Instant::now();
    let cpu_before = cpu_time(process)?;
    let before = done.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(PAUSE).await;
        let took = begun.elapsed();
        let count = done.load(Ordering::Relaxed) - before;
        if took < window.counted() && count < window.count_max {
            continue;
        }
        let cpu = cpu_time(process)?.saturating_sub(cpu_before);
        return Ok(Pace {
            per_second: float(count) / took.as_secs_f64(),
            cpu_us: cpu.as_secs_f64() * 1e6 / float(count.max(1)),
        });
    }
}

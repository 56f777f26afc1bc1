//! A process of the deployment: started, killed, started again, and what all its lives cost and counted.

use std::net::SocketAddr;
use std::time::Duration;

use testkit::process::{Launch, Process};
use tokio::time::timeout;

use crate::client::answer_at;
use crate::harness::{HarnessError, ready};
use crate::proc_fs::{cpu_time, peak_memory};
use crate::scrape::sum;
use crate::timeline::KilledProcess;

/// How long a look at the metrics may take; one that hangs must not stop the watch.
const SCRAPE_WITHIN: Duration = Duration::from_millis(400);

/// A process, or none at the moment.
pub(crate) struct Role {
    pub(crate) part: KilledProcess,
    launch: Launch,
    admin: SocketAddr,
    process: Option<Process>,
    /// Of lives that are over.
    past: Usage,
    now: Usage,
    /// CPU time when the measurement began.
    cpu_before: Duration,
}

/// What a process took, and what it counted.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    cpu: Duration,
    peak_bytes: u64,
    counters: Counters,
}

/// The counters of a worker. Of one that was killed, as they were at the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) delivered: f64,
    pub(crate) duplicate: f64,
    pub(crate) superseded: f64,
    pub(crate) dead_lettered: f64,
    /// Envelopes in hand: a state, not a count.
    pub(crate) in_flight: f64,
}

impl Role {
    pub(crate) fn new(part: KilledProcess, launch: Launch, admin: SocketAddr) -> Self {
        Self {
            part,
            launch: launch.variable("LARKFIRE_ADMIN_LISTEN", admin.to_string()),
            admin,
            process: None,
            past: Usage::default(),
            now: Usage::default(),
            cpu_before: Duration::ZERO,
        }
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(&mut self) -> Result<(), HarnessError> {
        let process = self.launch.start();
        ready(&process, self.name(), self.admin, "/readyz").await?;
        self.process = Some(process);
        Ok(())
    }

    /// Starts it, and lets it come up while everything goes on.
    pub(crate) fn start_unready(&mut self) {
        self.process = Some(self.launch.start());
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) {
        self.look().await;
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
        let mut over = std::mem::take(&mut self.now);
        // What it had in hand is the broker's again.
        over.counters.in_flight = 0.0;
        self.past = self.past.plus(over);
    }

    /// Whether it is there although nobody killed it, or was killed.
    pub(crate) fn died(&self) -> Option<String> {
        let process = self.process.as_ref()?;
        let is_gone = process.id().is_none_or(|id| cpu_time(id).is_err() || peak_memory(id).is_err());
        is_gone.then(|| process.output())
    }

    /// From now on its CPU time counts.
    pub(crate) fn count_from_here(&mut self) {
        self.cpu_before = self.id().and_then(|id| cpu_time(id).ok()).unwrap_or_default();
    }

    /// Reads what it has used and counted so far.
    pub(crate) async fn look(&mut self) {
        let Some(id) = self.id() else { return };
        // A process that is going away leaves what was read last.
        if let (Ok(cpu), Ok(peak_bytes)) = (cpu_time(id), peak_memory(id)) {
            (self.now.cpu, self.now.peak_bytes) = (cpu, peak_bytes);
        }
        if self.part == KilledProcess::Worker
            && let Ok(Some(metrics)) = timeout(SCRAPE_WITHIN, answer_at(self.admin, "/metrics")).await
        {
            self.now.counters = Counters::read(&metrics);
        }
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// CPU time since [`count_from_here`](Self::count_from_here), of all its lives.
    pub(crate) fn cpu(&self) -> Duration {
        self.past.plus(self.now).cpu.saturating_sub(self.cpu_before)
    }

    /// The most memory any of its lives had resident, in bytes.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.past.plus(self.now).peak_bytes
    }

    pub(crate) fn counters(&self) -> Counters {
        self.past.plus(self.now).counters
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.part {
            KilledProcess::Ingest => "larkfire-ingest",
            KilledProcess::Worker => "larkfire-worker",
        }
    }
}

impl Usage {
    fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
            counters: self.counters.plus(other.counters),
        }
    }
}

impl Counters {
    /// Reads `/metrics` of a worker.
    pub(crate) fn read(metrics: &str) -> Self {
        let alerts = |outcome| sum(metrics, "larkfire_alerts_total", &format!("outcome=\"{outcome}\""));
        Self {
            // What a card counts and does not name is in the ledger as well.
            delivered: alerts("delivered") + alerts("summarised"),
            duplicate: alerts("duplicate"),
            superseded: alerts("superseded"),
            dead_lettered: alerts("dead_lettered"),
            in_flight: sum(metrics, "larkfire_envelopes_in_flight", ""),
        }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            duplicate: self.duplicate + other.duplicate,
            superseded: self.superseded + other.superseded,
            dead_lettered: self.dead_lettered + other.dead_lettered,
            in_flight: self.in_flight + other.in_flight,
        }
    }
}

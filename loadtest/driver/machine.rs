//! On what, when and beside what else it was measured.

use runtime::clock::Clock;
use serde::Serialize;

use crate::proc_fs::number_after;

/// What has to stand beside a figure.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    cpu: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    /// The mean number of tasks that wanted a CPU in the minute before the start. What is not 0 is not ours.
    load_before: String,
}

impl Machine {
    pub(crate) fn describe() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let cpu_info = read("/proc/cpuinfo");
        let cpu = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            date: Clock::system().now().strftime("%F %H:%M UTC").to_string(),
            cpu: cpu.map_or("unknown", |(_, name)| name.trim()).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: number_after(&read("/proc/meminfo"), "MemTotal").unwrap_or(0) >> 20,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { date, cpu, cores, memory_gib, kernel, load_before } = self;
        write!(
            formatter,
            "{date}, {cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, load before the start {load_before}"
        )
    }
}

//! What Linux tells about a process and about itself, under `/proc`.

use std::io;
use std::time::Duration;

/// CPU time of all threads of a process so far, in user and in kernel mode. Its grain is a clock tick, 10 ms.
pub(crate) fn cpu_time(id: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let ticks = cpu_ticks(&stat).ok_or_else(|| unexpected("stat"))?;
    Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)))
}

/// The first process with this name.
pub(crate) fn find(name: &str) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| std::fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim() == name))
}

/// The most memory a process ever had resident, in bytes.
pub(crate) fn peak_memory(id: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    number_after(&status, "VmHWM").map(|kilobytes| kilobytes * 1024).ok_or_else(|| unexpected("VmHWM"))
}

/// What a process has resident now, in bytes.
pub(crate) fn resident_memory(id: u32) -> io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    number_after(&status, "VmRSS").map(|kilobytes| kilobytes * 1024).ok_or_else(|| unexpected("VmRSS"))
}

/// What a process has had written to disks so far, in bytes.
pub(crate) fn written_bytes(id: u32) -> io::Result<u64> {
    let io = std::fs::read_to_string(format!("/proc/{id}/io"))?;
    number_after(&io, "write_bytes").ok_or_else(|| unexpected("io"))
}

/// How often the threads of a process have gone to sleep so far, and so woken up.
pub(crate) fn voluntary_switches(id: u32) -> io::Result<u64> {
    let mut switches = 0;
    for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        switches += number_after(&status, "voluntary_ctxt_switches").unwrap_or(0);
    }
    Ok(switches)
}

/// The number in a line such as `MemTotal:  16384 kB`.
pub(crate) fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// proc(5): `utime` and `stime` are the 14th and 15th field. The second, the name, may have spaces in it.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc says nothing about {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_kernel_time_are_added_whatever_the_process_is_called() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(cpu_ticks(stat), Some(300));
    }

    #[test]
    fn this_process_has_memory() {
        assert!(peak_memory(std::process::id()).unwrap() > 100_000);
        assert_eq!(number_after("A: 1 kB\nMemTotal:   16 kB\n", "MemTotal"), Some(16));
    }
}

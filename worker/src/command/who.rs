//! Who is at the command line, for the audit trail: what the system says, which is no proof.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// `user@host`; the number of the user where it has no name.
pub(super) fn who() -> String {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let user = named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| {
        let id =
            fs::metadata("/proc/self").map_or_else(|_| "?".to_owned(), |process| process.uid().to_string());
        format!("user {id}")
    });
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{user}@{}", if host.is_empty() { "unknown host" } else { host })
}

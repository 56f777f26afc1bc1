//! Who is at the command line, for the audit trail: what the system says, which is no proof.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// `user@host`; the number of the user where it has no name.
pub(super) fn who() -> String {
    let user = fs::metadata("/proc/self").map(|process| process.uid());
    let user = user.map_or_else(
        |_| "unknown user".to_owned(),
        |id| {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            name_of(id, &users).map_or_else(|| format!("user {id}"), str::to_owned)
        },
    );
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{user}@{}", if host.is_empty() { "unknown host" } else { host })
}

/// The name of a user in `/etc/passwd`: the first field, where the third is the number.
fn name_of(id: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_has_a_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, users), Some("ann"));
        assert_eq!(name_of(1001, users), None);
    }
}

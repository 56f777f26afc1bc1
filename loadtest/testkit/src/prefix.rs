//! Names of a test's own, so that tests run side by side on one broker and one database.

use uuid::Uuid;

/// A prefix nobody else has, such as `t3f09c1d2a4b5`: 13 characters that begin with a letter, valid in the
/// names of RabbitMQ, `MySQL` and `SQLite`, quoted or not.
pub fn unique_prefix() -> String {
    // The last 48 bits of a version 7 UUID are random; the first ones are the time, which tests share.
    let random = Uuid::now_v7().as_u128() & 0xffff_ffff_ffff;
    format!("t{random:012x}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn prefixes_are_short_plain_and_different() {
        let prefixes: HashSet<String> = (0..1_000).map(|_| unique_prefix()).collect();
        assert_eq!(prefixes.len(), 1_000);
        for prefix in prefixes {
            assert!(prefix.len() == 13 && prefix.starts_with('t'), "{prefix}");
            assert!(prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{prefix}");
        }
    }
}

//! Settings of who is told when Larkfire itself is in trouble.

use std::time::Duration;

use super::ReceiverConfig;
use super::kinds::duration;
use super::reader::{Reader, Section, key};
use super::routes::{known_receiver, receiver_names};

const AFTER: Duration = Duration::from_mins(5);
const AFTER_MAX: Duration = Duration::from_hours(24);

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubleConfig {
    /// The receiver. Its own trouble is not told.
    pub receiver: String,
    /// How long another may be out of reach before that is told.
    pub after: Duration,
}

/// `None` without a receiver: nobody is told.
pub(super) fn read(
    reader: &Reader,
    root: &Section<'_>,
    receivers: &[ReceiverConfig],
) -> Option<TroubleConfig> {
    let known = receiver_names(root, receivers);
    let section = root.section("trouble");
    let receiver = section.value(key("receiver"), |text| known_receiver(&known, text));
    let after = section.value(key("after"), duration(Duration::ZERO..=AFTER_MAX));
    if after.is_some() && !section.is_set(key("receiver")) {
        reader.report(section.place(), "needs `receiver`: who is told of trouble");
    }
    section.finish();
    receiver.map(|receiver| TroubleConfig { receiver, after: after.unwrap_or(AFTER) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, ConfigErrors, Environment, parse};

    fn read(trouble: &str) -> Result<Config, ConfigErrors> {
        let text = format!("{{ receivers: {{ ops: {{ webhook_url: https://h/x }} }}, trouble: {trouble} }}");
        parse("test.yaml", &text, Environment::default())
    }

    #[test]
    fn nobody_is_told_unless_a_receiver_that_is_there_is_named() {
        assert_eq!(read("{}").unwrap().trouble, None);
        let trouble = read("{ receiver: ops }").unwrap().trouble.unwrap();
        assert_eq!((trouble.receiver.as_str(), trouble.after), ("ops", AFTER));
        for (trouble, says) in
            [("{ receiver: dev }", "the name of a receiver: ops"), ("{ after: 1m }", "needs `receiver`")]
        {
            let said = read(trouble).unwrap_err().to_string();
            assert!(said.contains(says), "{trouble}: {said}");
        }
    }
}

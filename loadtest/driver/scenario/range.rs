//! Numbers that would measure nothing, or never end, are refused.

use std::ops::RangeInclusive;

use thiserror::Error;

/// A number of a scenario that is not possible.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("{name} is {value}, and has to be within {least} and {most}")]
pub(crate) struct OutOfRange {
    /// The key.
    pub(crate) name: &'static str,
    value: f64,
    least: f64,
    most: f64,
}

pub(crate) fn within(
    name: &'static str,
    value: impl Into<f64>,
    range: RangeInclusive<f64>,
) -> Result<(), OutOfRange> {
    let value = value.into();
    if range.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange { name, value, least: *range.start(), most: *range.end() })
}

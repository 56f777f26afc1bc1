//! What was told.

pub(crate) mod schema;

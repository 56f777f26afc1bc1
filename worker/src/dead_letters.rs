//! What could not be told.

pub(crate) mod schema;

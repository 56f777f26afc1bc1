//! The right to send a card now.

pub(crate) mod schema;

//! What becomes of bodies: those of real senders, and any whatsoever.

mod golden;
mod oddities;
mod properties;
mod vendors;

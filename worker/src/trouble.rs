//! Own trouble: a receiver that refuses everything or cannot be reached, and dead letters that wait, are told through another
//! receiver (`trouble.receiver`), once when it begins and once when it is over.
//!
//! What is the matter is in the database: each worker adds what it has met with itself, and one of them tells. Trouble of the
//! receiver that is told, and dead letters for it, cause none: nobody would hear of it there, and it would never end.

mod table;
mod watch;
mod words;

pub(crate) use watch::{TroubleSources, TroubleWatch};
pub(crate) use words::TroubleWords;

//! The tables of this room.

use crate::store::Step;

pub(crate) const TABLES: Step = Step { mysql: &[], sqlite: &[] };

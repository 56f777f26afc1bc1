//! Maps of names: of ten thousand alerts the names are looked up several times each, so hashing has to be cheap. The hash
//! is seeded, so nobody outside can tell which names meet in it. Pure.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map whose keys are names, or contain some.
pub(super) type NameMap<K, V> = HashMap<K, V, RandomState>;
/// A set of the same.
pub(super) type NameSet<K> = HashSet<K, RandomState>;

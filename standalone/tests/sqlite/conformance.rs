//! The promises both engines make.

use crate::engine::SqliteEngine;

testkit::queue_conformance!(SqliteEngine, std::future::ready(SqliteEngine::new()));

//! The promises both engines make.

use crate::engine::RabbitEngine;

testkit::queue_conformance!(RabbitEngine, RabbitEngine::new());

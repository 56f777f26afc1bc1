//! The whole way, with real binaries: sender → ingest → queue → worker → Feishu's strict simulator. Each test runs
//! against both deployments: roles with RabbitMQ between them, and `larkfire` alone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

mod app_bot;
mod called_as;
mod commands;
mod dead_letters;
mod deployment;
mod escalations;
mod explain;
mod faults;
mod files;
mod hostile;
mod identity;
mod load;
mod operator_limits;
mod people;
mod preview_page;
mod secrets;
mod store;
mod texts;
mod tls_everywhere;
mod traces;
mod travel;

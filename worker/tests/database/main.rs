//! What the worker keeps in a database, against MariaDB, `PostgreSQL` and a `SQLite` file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

mod budget;
mod cards;
mod console_sessions;
mod databases;
mod dead_letters;
mod escalations;
mod heartbeats;
mod history;
mod installation;
mod interactions;
mod ledger;
mod sent_cards;
mod store;
mod storms;
mod summarised;
mod tls;
mod tls_postgres;

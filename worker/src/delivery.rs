//! The life of an envelope in a worker: taken off the queue, held against the ledger, sent to Feishu together with what
//! waits beside it, and settled. `pipeline` is the wiring, on top; each module imports only what stands below it.

pub(crate) mod absence;
pub(crate) mod app_cards;
pub(crate) mod attempts;
pub(crate) mod batch;
pub(crate) mod bot_pool;
pub(crate) mod bot_test;
pub(crate) mod card_draft;
pub(crate) mod card_updates;
pub(crate) mod context;
pub(crate) mod continuation;
pub(crate) mod deferral;
pub(crate) mod delivered;
pub(crate) mod fair_share;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod ids;
pub(crate) mod in_flight;
pub(crate) mod intake;
pub(crate) mod noting;
pub(crate) mod oldest;
pub(crate) mod outbox;
pub(crate) mod pipeline;
pub(crate) mod placement;
pub(crate) mod recently_settled;
pub(crate) mod requeue;
pub(crate) mod retries;
pub(crate) mod retrying;
pub(crate) mod routes;
pub(crate) mod send;
pub(crate) mod settlement;
pub(crate) mod thinning;
pub(crate) mod unconfirmed;
pub(crate) mod unheard;

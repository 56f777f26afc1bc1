//! One test at a time.

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until nobody else has a fleet running.
pub(crate) async fn mine() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

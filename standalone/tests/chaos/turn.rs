//! One test at a time, but for those that mostly wait.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static TURN: RwLock<()> = RwLock::const_new(());

/// Waits until nobody else has a fleet running.
pub(crate) async fn mine() -> RwLockWriteGuard<'static, ()> {
    TURN.write().await
}

/// Waits until nobody has a fleet running that wants the machine for itself.
pub(crate) async fn shared() -> RwLockReadGuard<'static, ()> {
    TURN.read().await
}

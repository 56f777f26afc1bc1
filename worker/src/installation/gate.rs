//! Keeps a worker from its queues until it is known that the database is not another installation's, or that this cannot
//! be known yet: what does not answer delays no delivery. Then it is asked again until it is known.

use std::time::Duration;

use runtime::lifecycle::{Condition, Lifecycle};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::{Conflict, DatabaseOwner, Installation, InstallationError, InstallationOrigin, claim};
use crate::store::Store;

/// How long broker and database may take for their answers together.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long after no answer they are asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often it is looked whether another installation has adopted the database since: for so long two of them may take each
/// other's alerts for delivered ones. One statement that reads one row.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Opens once. Clones are the same gate.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    open: CancellationToken,
    stop: CancellationToken,
}

impl Gate {
    /// Watched over on the lifecycle; open at once where there is no doubt whose the database is.
    pub(crate) fn watched(origin: Option<InstallationOrigin>, store: &Store, lifecycle: &Lifecycle) -> Self {
        Self::looking(origin, store, LOOK_EVERY, lifecycle)
    }

    /// The same, where it is looked so often whose the database is by now.
    pub(super) fn looking(
        origin: Option<InstallationOrigin>,
        store: &Store,
        every: Duration,
        lifecycle: &Lifecycle,
    ) -> Self {
        let gate = Self { open: CancellationToken::new(), stop: lifecycle.stop.clone() };
        let Some(origin) = origin else {
            gate.open.cancel();
            return gate;
        };
        let own = Condition::default();
        own.set(true);
        lifecycle.readiness.watch("a database of this installation's own", own.clone());
        let watched = gate.clone();
        let store = store.clone();
        lifecycle.tasks.spawn(async move {
            let stop = watched.stop.clone();
            let watching = watched.watch(&origin, &store, every);
            let Some(Err(conflict)) = stop.run_until_cancelled(watching).await else { return };
            error!(error = %conflict, "cannot go on");
            own.fail(conflict.to_string());
            // Nothing is to come off the queues by our hand: the process ends, as after a start that failed.
            stop.cancel();
        });
        gate
    }

    /// A part that begins behind the gate. It does not if the process is to stop before.
    pub(crate) async fn before(self, part: impl Future<Output = ()>) {
        if self.stop.run_until_cancelled(self.open.cancelled()).await.is_some() {
            part.await;
        }
    }

    /// Finds out whose the database is, and looks from then on whether it still is. It is over without a conflict where it
    /// cannot be known who we are.
    async fn watch(
        &self,
        origin: &InstallationOrigin,
        store: &Store,
        every: Duration,
    ) -> Result<(), Conflict> {
        while let Some(ours) = self.find_out(origin, store).await? {
            // One that is away is asked again the next time. Whoever else is written down may be us as well, by a new name:
            // our broker was replaced, and its operator has adopted the database for us.
            while !matches!(claim(store, &ours).await, Ok(DatabaseOwner::Another(_))) {
                tokio::time::sleep(every).await;
            }
        }
        Ok(())
    }

    /// Asks until it is known whose the database is, and says who we are, if that can be known.
    async fn find_out(
        &self,
        origin: &InstallationOrigin,
        store: &Store,
    ) -> Result<Option<Installation>, Conflict> {
        loop {
            match tokio::time::timeout(ANSWER_TIMEOUT, ask(origin, store))
                .await
                .unwrap_or(Err(InstallationError::TimedOut))
            {
                Ok((DatabaseOwner::Another(conflict), _)) => return Err(conflict),
                Ok((DatabaseOwner::Us | DatabaseOwner::Nobody, ours)) => {
                    self.open.cancel();
                    return Ok(ours);
                }
                Err(error) => debug!(%error, "it is not known yet whose the database is"),
            }
            self.open.cancel();
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

async fn ask(
    origin: &InstallationOrigin,
    store: &Store,
) -> Result<(DatabaseOwner, Option<Installation>), InstallationError> {
    let Some(ours) = origin.installation().await? else {
        info!(
            "the broker does not name its cluster: whether another installation uses the database is not known"
        );
        return Ok((DatabaseOwner::Nobody, None));
    };
    Ok((claim(store, &ours).await?, Some(ours)))
}

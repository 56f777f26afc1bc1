//! The escalations in use. They change with the configuration, while people are called.

use std::sync::Arc;

use config::{Reloads, SeverityWords};
use runtime::lifecycle::Lifecycle;
use tokio::sync::watch;
use tracing::info;

use super::plan::EscalationPlans;

/// The escalations as they are now. Clones follow the same configuration.
#[derive(Clone, Debug)]
pub struct LivePlans(watch::Receiver<Arc<EscalationPlans>>);

impl LivePlans {
    /// Begins with these and follows their reloads; `severities` stay those of the start, as on cards.
    pub fn follow(
        first: EscalationPlans,
        severities: SeverityWords,
        mut reloads: Reloads,
        lifecycle: &Lifecycle,
    ) -> Self {
        let publish = watch::Sender::new(Arc::new(first));
        let live = Self(publish.subscribe());
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                let plans = EscalationPlans::new(&config.escalations, &config.receivers, &severities);
                publish.send_replace(Arc::new(plans));
                let escalations = config.escalations.len();
                info!(escalations, "the escalations go by the new configuration");
            }
        });
        live
    }

    /// For one look: all of it goes by the same steps.
    pub(super) fn now(&self) -> Arc<EscalationPlans> {
        Arc::clone(&self.0.borrow())
    }

    /// Waits until there are some; `false`: there will be none.
    pub(super) async fn any(&self) -> bool {
        self.0.clone().wait_for(|plans| !plans.is_empty()).await.is_ok()
    }
}

//! The gate in use. It changes with the configuration, while requests come in.

use std::sync::Arc;

use runtime::lifecycle::Lifecycle;
use tokio::sync::watch;
use tracing::{error, info};

use crate::gate::{Gate, check_exposure};
use crate::settings::Settings;

/// The gate as it is now.
#[derive(Clone, Debug)]
pub(crate) struct LiveGate(watch::Receiver<Arc<Gate>>);

impl LiveGate {
    /// Begins with the gate of the settings and follows their reloads.
    pub(crate) fn follow(settings: &Settings, lifecycle: &Lifecycle) -> Self {
        let gate = watch::Sender::new(Arc::new(Gate::new(&settings.gate)));
        let live = Self(gate.subscribe());
        let listen = settings.listen;
        let mut reloads = settings.reloads.clone();
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                // By the address we listen on, not by the one the new configuration names: that takes a restart.
                if let Err(exposed) = check_exposure(listen, &config.gate) {
                    error!(error = %exposed, "the gate stays as it was");
                    continue;
                }
                gate.send_replace(Arc::new(Gate::new(&config.gate)));
                info!("the gate goes by the new configuration; other settings do from the next start on");
            }
        });
        live
    }

    /// For one request: every check of it goes by the same configuration.
    pub(crate) fn now(&self) -> Arc<Gate> {
        Arc::clone(&self.0.borrow())
    }
}

//! The routes in use. They change with the configuration, while alerts come in.

use std::sync::Arc;

use config::Reloads;
use runtime::lifecycle::Lifecycle;
use tokio::sync::watch;
use tracing::{error, info};

use crate::routing::Router;

/// The routes as they are now.
#[derive(Clone, Debug)]
pub(crate) struct LiveRoutes(watch::Receiver<Arc<Router>>);

impl LiveRoutes {
    /// Begins with these and follows their reloads. The receivers stay those of the start.
    pub(crate) fn follow(router: Router, mut reloads: Reloads, lifecycle: &Lifecycle) -> Self {
        let publish = watch::Sender::new(Arc::new(router));
        let live = Self(publish.subscribe());
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                let names = publish.borrow().names().to_vec();
                match Router::new(&config.routes, names) {
                    Ok(router) => {
                        publish.send_replace(Arc::new(router));
                        info!("the routes go by the new configuration; receivers do from the next start on");
                    }
                    Err(unknown) => error!(error = %unknown, "the routes stay as they were"),
                }
            }
        });
        live
    }

    /// For one batch: every alert of it goes by the same routes.
    pub(crate) fn now(&self) -> Arc<Router> {
        Arc::clone(&self.0.borrow())
    }
}

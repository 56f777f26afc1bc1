//! The processes that are measured, started and ended with the run.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::amqp_url;
use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::load::Target;

/// How long a process may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(30);
/// The pause between two questions whether it does.
const PAUSE: Duration = Duration::from_millis(10);

/// Why a process cannot be measured.
#[derive(Debug, Error)]
pub(crate) enum HarnessError {
    /// It ended, or never became ready; what it said itself stands below.
    #[error("{name} was not ready within {} s; it said:\n{said}", START_WITHIN.as_secs())]
    NotReady {
        /// The program.
        name: &'static str,
        /// Its output.
        said: String,
    },
}

/// A program of ours while it is measured; killed when dropped.
pub(crate) struct Server {
    pub(crate) target: Target,
    _process: Process,
}

impl Server {
    /// The release `larkfire-ingest`, on the broker under a prefix.
    pub(crate) async fn ingest(
        program: &Path,
        prefix: &str,
        config: Option<&Path>,
    ) -> Result<Self, HarnessError> {
        let listen = free_address();
        let admin = free_address();
        let mut launch = Launch::program(program)
            .variable("AMQP_URL", amqp_url())
            .variable("LARKFIRE_QUEUE_PREFIX", prefix)
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            // Where no `.env` of somebody's changes what is measured.
            .directory("/");
        if let Some(config) = config {
            launch = launch.argument("--config").argument(config);
        }
        Self::start(&launch, "larkfire-ingest", listen, admin, "/readyz").await
    }

    /// The bare HTTP server, as a process of its own as ingest is.
    pub(crate) async fn bare_http(own_program: &Path) -> Result<Self, HarnessError> {
        let listen = free_address();
        let launch = Launch::program(own_program).argument("bare-http").argument(listen.to_string());
        Self::start(&launch, "the bare HTTP server", listen, listen, "/").await
    }

    async fn start(
        launch: &Launch,
        name: &'static str,
        address: SocketAddr,
        answers: SocketAddr,
        path: &str,
    ) -> Result<Self, HarnessError> {
        let process = launch.start();
        let id = ready(&process, name, answers, path).await?;
        Ok(Self { target: Target { address, process: id }, _process: process })
    }
}

/// Waits until a process answers 200; its id.
pub(crate) async fn ready(
    process: &Process,
    name: &'static str,
    answers: SocketAddr,
    path: &str,
) -> Result<u32, HarnessError> {
    let deadline = Instant::now() + START_WITHIN;
    while Instant::now() < deadline {
        if let Some(id) = process.id()
            && is_ready(answers, path).await
        {
            return Ok(id);
        }
        sleep(PAUSE).await;
    }
    Err(HarnessError::NotReady { name, said: process.output() })
}

async fn is_ready(address: SocketAddr, path: &str) -> bool {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let Ok(mut client) = Client::connect(address).await else { return false };
    client.exchange(request.as_bytes()).await.is_ok_and(|status| status == 200)
}

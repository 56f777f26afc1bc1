//! Asking what the configuration names outside of this process: `check --online`.

use std::time::Duration;

use crate::config::Config;
use crate::queue::rabbitmq;

/// How long one question may take.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What was asked, and what came of it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What was asked.
    pub what: String,
    /// What it said; or why it did not, and what to do about that.
    pub outcome: Result<String, String>,
}

/// Asks the broker, if there is one. Declares nothing.
pub async fn broker(config: &Config) -> Option<Probe> {
    let queue = config.queue.as_ref()?;
    let outcome = match tokio::time::timeout(PROBE_TIMEOUT, rabbitmq::greet(&queue.url)).await {
        Ok(Ok(())) => Ok("lets us in".to_owned()),
        Ok(Err(error)) => Err(format!("{error}; is it there, and is queue.url (AMQP_URL) right?")),
        Err(_) => Err(format!("no answer within {PROBE_TIMEOUT:?}; is queue.url (AMQP_URL) right?")),
    };
    Some(Probe { what: "RabbitMQ".to_owned(), outcome })
}

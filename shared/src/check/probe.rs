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
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a question, in words one can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, and said this.
    Fine(String),
    /// Something alerts are told without is away or odd, and what to do about that.
    Doubtful(String),
    /// Something that is needed did not answer, why, and what to do about that.
    Failed(String),
}

/// Asks the broker, if there is one. Declares nothing.
pub async fn broker(config: &Config) -> Option<Probe> {
    let queue = config.queue.as_ref()?;
    let outcome = match tokio::time::timeout(PROBE_TIMEOUT, rabbitmq::greet(&queue.url)).await {
        Ok(Ok(())) => Outcome::Fine("lets us in".to_owned()),
        Ok(Err(error)) => {
            Outcome::Failed(format!("{error}; is it there, and is queue.url (AMQP_URL) right?"))
        }
        Err(_) => {
            Outcome::Failed(format!("no answer within {PROBE_TIMEOUT:?}; is queue.url (AMQP_URL) right?"))
        }
    };
    Some(Probe { what: "RabbitMQ".to_owned(), outcome })
}

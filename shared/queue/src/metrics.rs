//! What the queue engines count. Both engines count the same things, so a dashboard fits either.

use std::time::Duration;

use prometheus::{Error, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::PublishError;
use runtime::metrics::intake;

/// Seconds; a confirm takes milliseconds, and `publish_timeout` ends the wait after a few seconds.
const PUBLISH_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5];
/// Messages; how much of it is group commit shows in how far right the weight lies.
const COMMIT_BUCKETS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// The metrics of one process's queue.
#[derive(Clone, Debug)]
pub struct QueueMetrics {
    publish_duration: Histogram,
    publish_errors: IntCounterVec,
    commit_messages: Histogram,
    deliveries: IntCounter,
    redeliveries: IntCounter,
    stored_messages: IntGaugeVec,
}

impl QueueMetrics {
    /// Adds the metrics to `registry`, every label value at zero. Fails if they are there already.
    pub fn register(registry: &Registry) -> Result<Self, Error> {
        let metrics = Self {
            publish_duration: intake::PUBLISH_DURATION.histogram(PUBLISH_BUCKETS)?,
            publish_errors: intake::PUBLISH_ERRORS.counters()?,
            commit_messages: intake::COMMIT_MESSAGES.histogram(COMMIT_BUCKETS)?,
            deliveries: intake::DELIVERIES.counter()?,
            redeliveries: intake::REDELIVERIES.counter()?,
            stored_messages: intake::STORED_MESSAGES.gauges()?,
        };
        for cause in PublishError::LABELS {
            metrics.publish_errors.with_label_values(&[cause]).reset();
        }
        registry.register(Box::new(metrics.publish_duration.clone()))?;
        registry.register(Box::new(metrics.publish_errors.clone()))?;
        registry.register(Box::new(metrics.commit_messages.clone()))?;
        registry.register(Box::new(metrics.deliveries.clone()))?;
        registry.register(Box::new(metrics.redeliveries.clone()))?;
        registry.register(Box::new(metrics.stored_messages.clone()))?;
        Ok(metrics)
    }

    /// A publish came back after `took`.
    pub fn published(&self, took: Duration, outcome: &Result<(), PublishError>) {
        match outcome {
            Ok(()) => self.publish_duration.observe(took.as_secs_f64()),
            Err(error) => self.publish_errors.with_label_values(&[error.as_str()]).inc(),
        }
    }

    /// So many messages were stored together; a commit that only forgets is none.
    pub fn committed_together(&self, messages: usize) {
        if messages == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a batch is far below 2^52 messages")]
        self.commit_messages.observe(messages as f64);
    }

    /// How many messages a queue holds, for engines that know; the others show nothing.
    pub fn stored_messages(&self, queue: &str) -> IntGauge {
        self.stored_messages.with_label_values(&[queue])
    }

    /// A message was handed to a consumer.
    pub fn delivered(&self, again: bool) {
        self.deliveries.inc();
        if again {
            self.redeliveries.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_there_before_the_first_error() {
        let registry = Registry::new();
        QueueMetrics::register(&registry).expect("an empty registry");
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).expect("text");
        let causes = [
            PublishError::Busy,
            PublishError::Unreachable,
            PublishError::TimedOut,
            PublishError::Refused(String::new()),
        ];
        for cause in causes {
            let line = format!("larkfire_queue_publish_errors_total{{cause=\"{}\"}} 0", cause.as_str());
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }
}

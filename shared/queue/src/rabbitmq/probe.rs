//! What `check --online` asks the broker.

use config::check::probe::{Outcome, PROBE_TIMEOUT, Probe};
use config::{Config, QueueConfig};

use super::{DeliveryLimit, Greeting, GreetingError, REPUBLISHED_FROM, greet};

/// Asks the broker, if there is one.
pub async fn broker(config: &Config) -> Vec<Probe> {
    let Some(queue) = &config.queue else { return Vec::new() };
    let outcomes = match tokio::time::timeout(PROBE_TIMEOUT, greet(queue)).await {
        Ok(Ok(greeting)) => said(&greeting, queue),
        Ok(Err(error @ GreetingError::Tls(_))) => vec![Outcome::Failed(error.to_string())],
        Ok(Err(error @ (GreetingError::Address(_) | GreetingError::Amqp(_) | GreetingError::Network(_)))) => {
            vec![Outcome::Failed(format!("{error}; is it there, and is queue.url (AMQP_URL) right?"))]
        }
        Err(_) => {
            vec![Outcome::Failed(format!(
                "no answer within {PROBE_TIMEOUT:?}; is queue.url (AMQP_URL) right?"
            ))]
        }
    };
    outcomes.into_iter().map(|outcome| Probe { what: "RabbitMQ".to_owned(), outcome }).collect()
}

fn said(greeting: &Greeting, queue: &QueueConfig) -> Vec<Outcome> {
    let Greeting { version, left_over, limit } = greeting;
    let version = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
    let mut outcomes = vec![Outcome::Fine(format!("lets us in{version}"))];
    let prefix = &queue.prefix;
    let shards = queue.shards;
    match limit {
        DeliveryLimit::NoneFound => {}
        DeliveryLimit::Found(limit) => outcomes.push(Outcome::Doubtful(format!(
            "it gives up what comes back more than {limit} times, from workers that were killed, say; Larkfire publishes \
             a message again after {REPUBLISHED_FROM}. To be safe from either: \
             rabbitmqctl set_policy --apply-to queues {prefix} '^{pattern}\\.' '{{\"delivery-limit\":-1}}' (4.0 and \
             later; before, leave delivery-limit out of your policies)",
            pattern = regex::escape(prefix)
        ))),
        DeliveryLimit::NotAllowed => outcomes.push(Outcome::Doubtful(format!(
            "its user may not make queues whose names begin with {prefix}: the first start needs that"
        ))),
        DeliveryLimit::Alarm => outcomes.push(Outcome::Failed(
            "it takes no messages: a memory or disk alarm; free memory or disk on its nodes".to_owned(),
        )),
    }
    outcomes.extend(left_over.iter().map(|(name, messages)| {
        Outcome::Doubtful(format!(
            "{name} is there, with {messages} messages, and queue.shards is {shards}: workers read it as well; set the \
             same queue.shards everywhere, and delete the queue once nothing comes to it any more"
        ))
    }));
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use config::{ClientTls, Secret};

    fn of(limit: DeliveryLimit, left_over: &[(&str, u32)]) -> Vec<Outcome> {
        let queue = QueueConfig {
            url: Secret::new("amqp://127.0.0.1"),
            tls: ClientTls::default(),
            prefix: "lark.fire".to_owned(),
            shards: 2,
            publish_connections: 1,
            publish_window: 1,
            publish_timeout: Duration::from_secs(2),
            prefetch: 1,
        };
        let left_over = left_over.iter().map(|(name, messages)| ((*name).to_owned(), *messages)).collect();
        said(&Greeting { version: Some("4.0.5".to_owned()), left_over, limit }, &queue)
    }

    #[test]
    fn a_delivery_limit_and_left_over_shards_are_said_with_what_to_do() {
        let fine = Outcome::Fine("lets us in, version 4.0.5".to_owned());
        assert_eq!(of(DeliveryLimit::NoneFound, &[]), [fine]);
        let doubts = of(DeliveryLimit::Found(20), &[("lark.fire.alerts.2", 7)]);
        let [_, Outcome::Doubtful(limit), Outcome::Doubtful(shards)] = &doubts[..] else {
            unreachable!("{doubts:?}")
        };
        let command =
            r#"rabbitmqctl set_policy --apply-to queues lark.fire '^lark\.fire\.' '{"delivery-limit":-1}'"#;
        assert!(limit.contains("comes back more than 20 times") && limit.contains(command), "{limit}");
        assert!(shards.contains("lark.fire.alerts.2 is there, with 7 messages"), "{shards}");
        assert!(matches!(&of(DeliveryLimit::Alarm, &[])[1], Outcome::Failed(why) if why.contains("alarm")));
        assert!(matches!(&of(DeliveryLimit::NotAllowed, &[])[1], Outcome::Doubtful(_)));
    }
}

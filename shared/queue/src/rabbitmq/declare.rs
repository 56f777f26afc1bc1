//! Makes the broker's exchanges, queues and bindings what the topology says. Declaring again what is there
//! changes nothing, so every connection does it: whoever comes first, and after a queue was deleted.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ErrorKind, ExchangeKind};

use super::connect_error::ConnectError;
use super::topology::{Exchange, Kind, Queue, Topology};

/// Declares everything, on a channel of its own: the broker closes the channel of a declaration it refuses.
pub(super) async fn declare(connection: &Connection, topology: &Topology) -> Result<(), ConnectError> {
    let channel = connection.create_channel().await?;
    for Exchange { name, kind, alternate } in &topology.exchanges {
        let kind = match kind {
            Kind::Direct => ExchangeKind::Direct,
            Kind::Fanout => ExchangeKind::Fanout,
        };
        let options = ExchangeDeclareOptions {
            passive: false,
            durable: true,
            auto_delete: false,
            internal: false,
            nowait: false,
        };
        let mut arguments = FieldTable::default();
        if let Some(alternate) = alternate {
            arguments.insert("alternate-exchange".into(), text(alternate));
        }
        let declared = channel.exchange_declare(name.as_str().into(), kind, options, arguments).await;
        declared.map_err(|error| refused(name, error))?;
    }
    for queue in &topology.queues {
        let options = QueueDeclareOptions {
            passive: false,
            durable: true,
            exclusive: false,
            auto_delete: false,
            nowait: false,
        };
        let declared = channel.queue_declare(queue.name.as_str().into(), options, arguments(queue)).await;
        declared.map_err(|error| refused(&queue.name, error))?;
    }
    for binding in &topology.bindings {
        let queue = binding.queue.as_str().into();
        let exchange = binding.exchange.as_str().into();
        let options = QueueBindOptions { nowait: false };
        let key = binding.routing_key.as_str().into();
        channel.queue_bind(queue, exchange, key, options, FieldTable::default()).await?;
    }
    channel.close(200, "OK".into()).await?;
    Ok(())
}

/// Type, dead-lettering, overflow and TTL only. Arguments cannot be changed later, so limits are a policy's.
fn arguments(queue: &Queue) -> FieldTable {
    let mut arguments = FieldTable::default();
    // Replicated where there are several nodes, and on a single one still the faster kind.
    arguments.insert("x-queue-type".into(), text("quorum"));
    // The default, dropping the oldest, would break the promise of a confirm; and at-least-once
    // dead-lettering asks for this.
    arguments.insert("x-overflow".into(), text("reject-publish"));
    if let Some(exchange) = &queue.dead_letters_to {
        arguments.insert("x-dead-letter-exchange".into(), text(exchange));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    }
    if let Some(ttl) = queue.ttl {
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(milliseconds(ttl)));
    }
    arguments
}

fn refused(name: &str, error: lapin::Error) -> ConnectError {
    if let ErrorKind::ProtocolError(said) = error.kind()
        && let AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) = said.kind()
    {
        return ConnectError::Conflict { name: name.to_owned(), said: said.get_message().to_string() };
    }
    ConnectError::Amqp(error)
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rabbitmq::topology::Names;

    #[test]
    fn arguments_hold_type_dead_lettering_overflow_and_ttl_only() {
        let allowed = [
            "x-queue-type",
            "x-overflow",
            "x-dead-letter-exchange",
            "x-dead-letter-strategy",
            "x-message-ttl",
        ];
        for queue in Names::new("p", 2).topology().queues {
            for (name, _) in &arguments(&queue) {
                assert!(allowed.contains(&name.to_string().as_str()), "{}: {name}", queue.name);
            }
        }
    }
}

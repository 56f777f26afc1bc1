//! Where the broker is: read once, by one rule, for `check` and for the start.

use std::str::FromStr;

use lapin::uri::{AMQPScheme, AMQPUri};
use thiserror::Error;

use super::Secret;

/// Why the address cannot be used. Holds nothing of it: there is a password inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not a URL of the AMQP scheme.
    #[error("the queue's URL is not of the form amqp://user:password@host:5672/vhost, or amqps:// with TLS")]
    Invalid,
    /// RabbitMQ 4.1 and later close a connection that asks for less, in the middle of the handshake.
    #[error("the queue's URL asks for frame_max={0}: leave it out, or ask for {FRAME_BYTES_MIN} or more")]
    FrameMax(u32),
    /// AMQP names end at 255 bytes, and ours are longer than the prefix.
    #[error("the queue's prefix must have 1 to {} bytes", Self::PREFIX_BYTES_MAX)]
    Prefix,
}

/// What every RabbitMQ takes; zero asks for the broker's own limit.
const FRAME_BYTES_MIN: u32 = 8 * 1024;

impl AddressError {
    /// How long the queue's prefix may be.
    pub const PREFIX_BYTES_MAX: usize = 200;
}

/// The broker's address, if it can be used.
pub fn amqp_uri(url: &Secret) -> Result<AMQPUri, AddressError> {
    // The parser's own message repeats the URL, password included.
    let mut uri = AMQPUri::from_str(url.expose()).map_err(|_| AddressError::Invalid)?;
    // RabbitMQ's cluster operator ends the addresses in its Secrets with a slash (`internal/resource/default_user_secret.go`), and
    // means the default virtual host. By the letter it would be one without a name, which nobody has.
    if uri.vhost.is_empty() {
        "/".clone_into(&mut uri.vhost);
    }
    if uri.authority.host.is_empty() {
        return Err(AddressError::Invalid);
    }
    match uri.query.frame_max {
        Some(bytes) if (1..FRAME_BYTES_MIN).contains(&bytes) => Err(AddressError::FrameMax(bytes)),
        Some(_) | None => Ok(uri),
    }
}

/// Whether it asks for TLS.
pub fn is_amqps(uri: &AMQPUri) -> bool {
    uri.scheme == AMQPScheme::AMQPS
}

/// The same as a setting.
pub(super) fn amqp_url(text: &str) -> Result<String, super::kinds::Must> {
    match amqp_uri(&Secret::new(text)) {
        Ok(_) => Ok(text.to_owned()),
        Err(AddressError::FrameMax(_)) => {
            Err(format!("an AMQP URL without frame_max, or with one of {FRAME_BYTES_MIN} bytes or more"))
        }
        Err(AddressError::Invalid | AddressError::Prefix) => Err(
            "an AMQP URL, such as amqp://user:password@host:5672/vhost or amqps://user:password@host/vhost"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, Secret, parse};
    use super::{AddressError, amqp_uri, is_amqps};

    #[test]
    fn an_address_that_ends_with_a_slash_means_the_default_virtual_host() {
        for (url, vhost) in
            [("amqp://h", "/"), ("amqp://h/", "/"), ("amqp://h/%2f", "/"), ("amqp://h/a", "a")]
        {
            let found = amqp_uri(&Secret::new(url)).map(|uri| uri.vhost);
            assert_eq!(found, Ok::<_, AddressError>(vhost.to_owned()), "{url}");
        }
    }

    #[test]
    fn an_address_with_tls_has_a_port_of_its_own() {
        for (url, tls, port) in
            [("amqp://h", false, 5672), ("amqps://h", true, 5671), ("amqps://h:7", true, 7)]
        {
            let uri = amqp_uri(&Secret::new(url)).unwrap();
            assert_eq!((is_amqps(&uri), uri.authority.port), (tls, port), "{url}");
        }
    }

    #[test]
    fn what_a_start_would_refuse_in_the_brokers_address_is_refused_by_loading_it() {
        let read = |url: &str| {
            let environment = [("AMQP_URL", url)].into_iter().collect::<Environment>();
            parse("", "", environment).map(drop).map_err(|errors| errors.to_string())
        };
        for (url, must) in [
            ("amqp://u:hunter2@h/%2f?frame_max=4096", "without frame_max, or with one of 8192 bytes or more"),
            ("amqp://u:hunter2@h/%2f?frame_max=8191", "without frame_max, or with one of 8192 bytes or more"),
            ("amqp://u:hunter2@h/%2f?frame_max=few", "an AMQP URL, such as"),
            ("amqp://u:hunter2@h/%2f?heartbeat=-1", "an AMQP URL, such as"),
            ("amqp://u:hunter2@h/%2f?auth_mechanism=hunter2", "an AMQP URL, such as"),
            ("http://u:hunter2@h/", "an AMQP URL, such as"),
        ] {
            let said = read(url).unwrap_err();
            assert!(said.contains("AMQP_URL: must be an AMQP URL") && said.contains(must), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        for url in ["amqp://h/%2f?frame_max=0", "amqp://h/%2f?frame_max=8192", "amqp://h?heartbeat=30"] {
            assert_eq!(read(url), Ok(()), "{url}");
        }
    }
}

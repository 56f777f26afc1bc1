//! The HTTP client that all receivers share, and whose certificates it believes.

use std::env;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};
use runtime::tls::{TlsFileError, certificates_in, install_provider};
use thiserror::Error;
use tracing::warn;

use super::remark;

/// Time for a connection to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept per host; more than one worker's receivers rarely use at once.
const IDLE_CONNECTIONS_MAX: usize = 8;
/// How long they are kept: less than the usual minute after which the other side hangs up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
/// What names the machine's certificates of authorities, instead of the places where systems keep them.
const PLACES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Why the HTTP client cannot be set up.
#[derive(Debug, Error)]
pub enum HttpClientError {
    /// Whose certificates are to be believed was said, and nothing is there. Believing others instead would be more than
    /// was asked for.
    #[error(
        "no certificate of an authority is to be had from {named}: put a bundle in PEM format there, or unset the variable to \
         have the machine's own, or else those built into Larkfire"
    )]
    NoRoots {
        /// The variables, with their values.
        named: String,
    },
    /// The file of CAs to believe is of no use.
    #[error("https.ca_file: {0}")]
    CaFile(#[from] TlsFileError),
    /// Something else.
    #[error("the HTTP client cannot be set up: {0}")]
    Other(String),
}

/// The HTTP client all receivers share. It sends once: when to try again is decided in one place, and not here. Only
/// what an HTTP/2 server says that it has not taken (`GOAWAY`, `REFUSED_STREAM`) is sent again by reqwest itself.
///
/// It believes the authorities that the machine believes, and those in `ca_file`: Alertmanagers have certificates of a private
/// one, and proxies that look into what passes them. A machine without any (an image that nobody gave a bundle) is no reason to
/// be silent: then those that browsers believe, as of this build.
pub fn http_client(request_timeout: Duration, ca_file: Option<&Path>) -> Result<Client, HttpClientError> {
    believing(ca_file, || builder(request_timeout))
}

/// A client of another kind, which believes the same authorities as [`http_client`].
pub(crate) fn believing(
    ca_file: Option<&Path>,
    builder: impl Fn() -> ClientBuilder,
) -> Result<Client, HttpClientError> {
    install_provider();
    let ours = ca_file.map(certificates_in).transpose()?.unwrap_or_default();
    let ours =
        ours.iter().map(|der| Certificate::from_der(der).map_err(other)).collect::<Result<Vec<_>, _>>()?;
    // Without ours: with them, a machine that believes nobody else would pass.
    match builder().build() {
        Ok(client) if ours.is_empty() => Ok(client),
        Ok(_) => builder().tls_certs_merge(ours).build().map_err(other),
        // Nothing else can be wrong with what is not configured, than that nobody is there to be believed; and if it is, it
        // is wrong with other authorities, too.
        Err(_) => {
            let roots = instead_of_none(|name| env::var(name).ok())?;
            let built_in = roots.len();
            let client = builder().tls_certs_only(roots.into_iter().chain(ours)).build();
            let client = client.map_err(other)?;
            warn!(
                looked_in = "/etc/ssl, /etc/pki, /usr/local/etc/ssl",
                built_in,
                "this machine has no certificates of authorities: those built into Larkfire are believed; \
                 install ca-certificates, or set SSL_CERT_FILE"
            );
            Ok(client)
        }
    }
}

fn builder(request_timeout: Duration) -> ClientBuilder {
    Client::builder()
        // Less than the whole, so that a connection that does not come about is never taken for a request that was
        // sent.
        .connect_timeout(CONNECT_TIMEOUT.min(request_timeout / 2))
        .timeout(request_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .referer(false)
        .user_agent(concat!("larkfire/", env!("CARGO_PKG_VERSION")))
}

/// The authorities to believe where none are found, unless the environment says where they are.
fn instead_of_none(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Certificate>, HttpClientError> {
    let named = PLACES.iter().filter_map(|name| {
        variable(name).filter(|place| !place.is_empty()).map(|place| format!("{name}={place}"))
    });
    let named = named.collect::<Vec<_>>().join(" and ");
    if !named.is_empty() {
        return Err(HttpClientError::NoRoots { named });
    }
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|root| Certificate::from_der(root).map_err(other))
        .collect()
}

fn other(error: reqwest::Error) -> HttpClientError {
    HttpClientError::Other(remark::of_error(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_authorities_are_found_those_built_in_are_believed() {
        let roots = instead_of_none(|_| None).unwrap();
        assert!(roots.len() > 100, "{}", roots.len());
        install_provider();
        builder(Duration::from_secs(1)).tls_certs_only(roots).build().unwrap();
    }

    #[test]
    fn where_the_environment_names_authorities_and_none_are_there_no_others_are_believed() {
        let variable = |name: &str| (name == "SSL_CERT_DIR").then(|| "/etc/nothing".to_owned());
        let said = instead_of_none(variable).unwrap_err().to_string();
        assert!(said.contains("SSL_CERT_DIR=/etc/nothing") && !said.contains("SSL_CERT_FILE"), "{said}");
        let empty = |name: &str| (name == "SSL_CERT_FILE").then(String::new);
        assert!(instead_of_none(empty).is_ok(), "an empty variable names nothing");
    }
}

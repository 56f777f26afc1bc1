//! TLS of a listener: its certificate can be replaced while it listens, and whoever does not finish the handshake is let go.

use std::io;
use std::net::TcpStream as StdTcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, SignatureScheme, StreamOwned,
};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{IdentityFiles, TlsFileError, provider, roots_in};

/// How long a client may take over the handshake. It holds one of the listener's places meanwhile.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a listener shows, and whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerFiles {
    /// Who we are.
    pub identity: IdentityFiles,
    /// Clients have to show a certificate of one of these CAs.
    pub client_ca_file: Option<PathBuf>,
}

/// The TLS of a listener as it is now. Clones are of the same one.
#[derive(Clone, Debug)]
pub struct ListenerTls(watch::Receiver<Arc<ServerConfig>>);

/// What replaces it.
#[derive(Debug)]
pub struct TlsSwitch {
    protocols: &'static [&'static [u8]],
    current: watch::Sender<Arc<ServerConfig>>,
}

/// Why a client that connected cannot be talked to.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// It did not finish in time.
    #[error("it did not finish within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TimedOut,
    /// It does not speak TLS, or not ours, or shows no certificate that is taken.
    #[error("{}", super::said_of(.0).unwrap_or_else(|| .0.to_string()))]
    Failed(#[from] io::Error),
}

impl ListenerTls {
    /// Reads the files; `protocols` are the names of what is spoken on it, the best first (ALPN).
    pub fn load(
        files: &ListenerFiles,
        protocols: &'static [&'static [u8]],
    ) -> Result<(Self, TlsSwitch), TlsFileError> {
        let current = watch::Sender::new(Arc::new(load(files, protocols)?));
        Ok((Self(current.subscribe()), TlsSwitch { protocols, current }))
    }

    /// The handshake with a client that has connected.
    pub async fn accept(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let config = Arc::clone(&self.0.borrow());
        let shaken = timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream)).await;
        Ok(shaken.map_err(|_| HandshakeError::TimedOut)??)
    }
}

impl TlsSwitch {
    /// Reads the files once more, for the connections of from now on. What cannot be used changes nothing.
    pub fn replace(&self, files: &ListenerFiles) -> Result<(), TlsFileError> {
        self.current.send_replace(Arc::new(load(files, self.protocols)?));
        Ok(())
    }
}

fn load(files: &ListenerFiles, protocols: &[&[u8]]) -> Result<ServerConfig, TlsFileError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsFileError::Library)?;
    let builder = match &files.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots_in(file)?), provider()).build();
            let verifier =
                verifier.map_err(|cause| TlsFileError::Library(rustls::Error::General(cause.to_string())))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (chain, key) = files.identity.read()?;
    let mut config = builder.with_single_cert(chain, key).map_err(|cause| files.identity.unusable(cause))?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// TLS to a listener of this very machine, whoever its certificate is for: it is made for other names than the address of
/// loopback, and may have been replaced a moment ago. For questions that are no secret.
pub fn over_loopback(stream: StdTcpStream) -> io::Result<StreamOwned<ClientConnection, StdTcpStream>> {
    let address = stream.peer_addr()?.ip();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider())))
        .with_no_client_auth();
    let connection =
        ClientConnection::new(Arc::new(config), ServerName::from(address)).map_err(io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}

/// Believes every certificate, and that whoever shows it has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

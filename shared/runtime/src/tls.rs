//! TLS for everybody who speaks it here: one provider of cryptography (ring), TLS 1.2 and 1.3 only, certificates and keys
//! from PEM files.

mod certificate;
mod listener;
mod said;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

pub use listener::{HANDSHAKE_TIMEOUT, HandshakeError, ListenerFiles, ListenerTls, TlsSwitch, over_loopback};
pub use said::said_of;

/// How a server is to be known, and what we show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// The CAs to believe instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// What we show a server that asks who we are.
    pub identity: Option<IdentityFiles>,
    /// The name its certificate has to be for, where that is not the host's.
    pub server_name: Option<String>,
}

/// Who somebody is: a certificate, with those between it and its CA, and the key to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificates, that of our own first.
    pub cert_file: PathBuf,
    /// The key, without a password.
    pub key_file: PathBuf,
}

/// Why files are of no use. Says nothing of what is in them.
#[derive(Debug, Error)]
pub enum TlsFileError {
    /// It cannot be read.
    #[error("cannot read {}: {cause}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Nothing in it is a certificate.
    #[error("{} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    /// One in it cannot be read.
    #[error("{} holds a certificate that cannot be read", .0.display())]
    Damaged(PathBuf),
    /// Nothing in it is a key that can be used.
    #[error("{} holds no private key that can be used: it must be PEM, and without a password", .0.display())]
    NoKey(PathBuf),
    /// Key and certificate are of two.
    #[error("the key in {} is not the one to the certificate in {}", .0.key_file.display(), .0.cert_file.display())]
    Mismatch(IdentityFiles),
    /// Key or certificate are of a kind that is not supported.
    #[error("{} and {} cannot be used: {cause}", .files.cert_file.display(), .files.key_file.display())]
    Unusable {
        /// The files.
        files: IdentityFiles,
        /// What is said of them.
        cause: rustls::Error,
    },
    /// The system has none.
    #[error(
        "no CA certificates were found on this system: install its package (ca-certificates), name a file of them in \
         SSL_CERT_FILE, or set the CA file of this connection"
    )]
    NoRoots,
    /// TLS itself does not come about.
    #[error("TLS cannot be set up: {0}")]
    Library(rustls::Error),
}

/// The one provider of cryptography.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Makes it the provider of libraries that ask for none.
pub fn install_provider() {
    // Another part of the process may have done so before; it is the same.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
}

impl ClientTls {
    /// Whether anything of it is set.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// What a connection is made with, read from the files as they are now: certificates are replaced while we run.
    pub fn config(&self) -> Result<ClientConfig, TlsFileError> {
        let roots = match &self.ca_file {
            Some(file) => roots_in(file)?,
            None => roots_of_system()?,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsFileError::Library)?
            .with_root_certificates(roots);
        let Some(identity) = &self.identity else { return Ok(builder.with_no_client_auth()) };
        let (chain, key) = identity.read()?;
        builder.with_client_auth_cert(chain, key).map_err(|cause| identity.unusable(cause))
    }

    /// The name the certificate of the server at `host` has to be for.
    pub fn name_of(&self, host: &str) -> io::Result<ServerName<'static>> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{name} is no name of a server"))
        })
    }
}

impl IdentityFiles {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsFileError> {
        let chain = certificates_in(&self.cert_file)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key_file)?)
            .map_err(|_| TlsFileError::NoKey(self.key_file.clone()))?;
        Ok((chain, key))
    }

    fn unusable(&self, cause: rustls::Error) -> TlsFileError {
        if matches!(cause, rustls::Error::InconsistentKeys(_)) {
            return TlsFileError::Mismatch(self.clone());
        }
        TlsFileError::Unusable { files: self.clone(), cause }
    }
}

/// The certificates in a file, all of them and at least one.
pub fn certificates_in(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let pem = read(file)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsFileError::Damaged(file.to_owned()))?;
    if found.is_empty() { Err(TlsFileError::NoCertificate(file.to_owned())) } else { Ok(found) }
}

/// When the chain in a file stops being of use: with the first of it that ends. `None` where no end can be read.
pub fn chain_ends(file: &Path) -> Result<Option<Timestamp>, TlsFileError> {
    Ok(certificates_in(file)?.iter().filter_map(|found| certificate::ends_at(found)).min())
}

/// When the CAs in a file stop being of use: with the last of them that ends. `None` where no end can be read.
pub fn authorities_end(file: &Path) -> Result<Option<Timestamp>, TlsFileError> {
    Ok(certificates_in(file)?.iter().filter_map(|found| certificate::ends_at(found)).max())
}

fn roots_in(file: &Path) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_in(file)? {
        roots.add(certificate).map_err(|_| TlsFileError::Damaged(file.to_owned()))?;
    }
    Ok(roots)
}

/// Those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, or where systems have them. One that cannot be read is left out: a bundle has
/// a hundred.
fn roots_of_system() -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs().certs;
    let (usable, _left_out) = roots.add_parsable_certificates(found);
    if usable == 0 { Err(TlsFileError::NoRoots) } else { Ok(roots) }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsFileError> {
    std::fs::read(file).map_err(|cause| TlsFileError::Unreadable { file: file.to_owned(), cause })
}

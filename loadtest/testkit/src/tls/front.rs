//! Speaks TLS before something that does not.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::TestCertificate;

/// A front that is running. It ends when dropped.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    _stop: DropGuard,
}

impl TlsFront {
    /// Shows this certificate, and passes on what comes.
    pub async fn start(certificate: &TestCertificate, behind: SocketAddr) -> Self {
        let chain = CertificateDer::pem_file_iter(&certificate.cert_file).expect("a file");
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(&certificate.key_file).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the usual versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate with its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a listener");
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let ended = stop.clone();
        tasks.clone().spawn(ended.run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tasks.spawn(async move {
                    // Whoever does not get through, or hangs up, has its own reason.
                    let Ok(mut front) = acceptor.accept(stream).await else { return };
                    let Ok(mut back) = TcpStream::connect(behind).await else { return };
                    let _ended = copy_bidirectional(&mut front, &mut back).await;
                });
            }
        }));
        Self { address, _stop: stop.drop_guard() }
    }

    /// Where clients connect to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

//! What is said of files and of peers, and how long a listener waits for a client.
#![expect(clippy::unwrap_used, reason = "code of tests")]

use std::io;
use std::path::PathBuf;

use runtime::tls::{
    ClientTls, HandshakeError, IdentityFiles, ListenerFiles, ListenerTls, TlsFileError, authorities_end,
    chain_ends, said_of,
};
use testkit::tls::{TestCa, TestCertificate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

const PROTOCOLS: &[&[u8]] = &[b"http/1.1"];

fn identity(certificate: &TestCertificate) -> IdentityFiles {
    let TestCertificate { cert_file, key_file } = certificate.clone();
    IdentityFiles { cert_file, key_file }
}

fn listener(identity: IdentityFiles, client_ca_file: Option<PathBuf>) -> Result<ListenerTls, TlsFileError> {
    ListenerTls::load(&ListenerFiles { identity, client_ca_file }, PROTOCOLS).map(|(tls, _)| tls)
}

#[test]
fn files_that_are_of_no_use_are_named_with_what_is_wrong_and_nothing_of_what_is_in_them() {
    let ca = TestCa::new();
    let one = identity(&ca.issue(&["a.example"]));
    let other = identity(&ca.issue(&["b.example"]));
    let cert = one.cert_file.clone();
    let key = one.key_file.clone();
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.pem");
    std::fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nc2VjcmV0!\n-----END CERTIFICATE-----\n").unwrap();
    for (cert_file, key_file, says) in [
        (&cert, &other.key_file, "is not the one to the certificate in"),
        (&cert, &cert, "holds no private key that can be used"),
        (&key, &key, "holds no certificate: it must be PEM"),
        (&damaged, &key, "holds a certificate that cannot be read"),
        (&folder.path().join("none"), &key, "none: No such file"),
    ] {
        let files = IdentityFiles { cert_file: cert_file.clone(), key_file: key_file.clone() };
        let said = listener(files.clone(), None).unwrap_err().to_string();
        assert!(said.contains(says) && !said.contains("c2Vj"), "{said}");
        let client =
            ClientTls { ca_file: Some(ca.file().to_owned()), identity: Some(files), server_name: None };
        assert_eq!(client.config().unwrap_err().to_string(), said);
    }
    assert!(listener(one, Some(key)).unwrap_err().to_string().contains("holds no certificate"));
}

#[test]
fn a_chain_ends_with_its_first_certificate_and_a_bundle_of_cas_with_its_last() {
    let ca = TestCa::new();
    let [early, late] = [2031, 2061].map(|year| ca.issue_until(&["a.example"], year).cert_file);
    let both = early.with_file_name("both.pem");
    std::fs::write(&both, [&late, &early].map(|file| std::fs::read_to_string(file).unwrap()).concat())
        .unwrap();
    assert_eq!(chain_ends(&both).unwrap().unwrap().to_string(), "2031-01-01T00:00:00Z");
    assert_eq!(authorities_end(&both).unwrap().unwrap().to_string(), "2061-01-01T00:00:00Z");
}

/// A client and the listener's end of its connection.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_the_handshake_is_let_go() {
    let tls = listener(identity(&TestCa::new().issue(&["a.example"])), None).unwrap();
    let (mut client, stream) = pair().await;
    client.write_all(&[22, 3, 1]).await.unwrap();
    let error = tls.accept(stream).await.unwrap_err();
    assert!(matches!(error, HandshakeError::TimedOut), "{error}");
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0, "closed");
}

#[tokio::test]
async fn both_ends_say_what_is_wrong_with_the_other() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let tls = listener(identity(&ca.issue(&["a.example"])), Some(ca.file().to_owned())).unwrap();
    let shaken = async |believed: &TestCa, shown: Option<IdentityFiles>| {
        let client = ClientTls {
            ca_file: Some(believed.file().to_owned()),
            identity: shown,
            server_name: Some("a.example".to_owned()),
        };
        let (stream, accepted) = pair().await;
        let connector = TlsConnector::from(std::sync::Arc::new(client.config().unwrap()));
        let connect = async {
            let mut stream = connector.connect(client.name_of("127.0.0.1")?, stream).await?;
            // Whether its certificate was taken a client hears with the first answer.
            stream.read_u8().await
        };
        let accept = async {
            let mut stream = tls.accept(accepted).await?;
            stream.write_all(b"!").await?;
            Ok::<_, HandshakeError>(())
        };
        let (connected, accepted) = tokio::join!(connect, accept);
        (
            connected.map_err(|error| said_of(&error).unwrap_or_default()),
            accepted.map_err(|error| error.to_string()),
        )
    };
    let known = || Some(identity(&ca.issue(&["me"])));
    assert_eq!(shaken(&ca, known()).await, (Ok(b'!'), Ok(())));
    let (client, server) = shaken(&stranger, known()).await;
    assert!(client.unwrap_err().contains("comes from a CA that is not believed here"));
    assert!(server.unwrap_err().contains("does not take our"), "it hears why");
    let (client, server) = shaken(&ca, None).await;
    assert!(client.unwrap_err().contains("wants a client certificate, and none is set here"));
    assert!(server.unwrap_err().contains("no client certificate was shown"));
    let (client, server) = shaken(&ca, Some(identity(&stranger.issue(&["me"])))).await;
    assert!(client.unwrap_err().contains("does not take our client certificate"));
    assert!(server.unwrap_err().contains("comes from a CA that is not believed here"));
}

#[test]
fn what_is_not_about_tls_is_not_said_to_be() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(said_of(&io::Error::other(refused)), None);
}

//! The program with its certificate changed under it.
#![expect(clippy::unwrap_used, reason = "a test that cannot start the program has failed")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use runtime::tls::{ClientTls, certificates_in};
use testkit::process::Launch;
use testkit::tls::TestCa;
use testkit::wait_until::wait_until;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Two looks at the files and a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
const NAME: &str = "alerts.example";

/// The certificate a new connection is shown.
async fn shown(address: SocketAddr, ca: &TestCa) -> Vec<u8> {
    let tls =
        ClientTls { ca_file: Some(ca.file().to_owned()), identity: None, server_name: Some(NAME.to_owned()) };
    let connector = TlsConnector::from(Arc::new(tls.config().unwrap()));
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = connector.connect(tls.name_of(NAME).unwrap(), stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

fn first_in(file: &Path) -> Vec<u8> {
    certificates_in(file).unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_certificate_changes_without_a_restart_and_a_bad_one_changes_nothing() {
    let ca = TestCa::new();
    let certificate = ca.issue(&[NAME]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("larkfire.yaml");
    let text = format!(
        "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\nqueue: {{ url: 'amqp://guest:guest@127.0.0.1:1' }}\n\
         tls: {{ cert_file: '{}', key_file: '{}' }}\n",
        certificate.cert_file.display(),
        certificate.key_file.display()
    );
    std::fs::write(&file, text).unwrap();
    let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire-ingest"));
    let process = launch.argument("--config").argument(&file).directory(folder.path()).start();
    let line = process.wait_for_line("taking alerts", PATIENCE).await;
    let address: SocketAddr = line.split('=').find_map(|word| word.trim().parse().ok()).unwrap();
    assert_eq!(shown(address, &ca).await, first_in(&certificate.cert_file));

    let renewed = ca.issue(&[NAME]);
    certificate.replace_by(&renewed);
    let renewed = first_in(&renewed.cert_file);
    let is_shown = async || if shown(address, &ca).await == renewed { Ok(()) } else { Err("the one before") };
    wait_until(PATIENCE, "the renewed certificate", is_shown).await;

    std::fs::write(&certificate.key_file, "no key\n").unwrap();
    process.wait_for_line("holds no private key that can be used", PATIENCE).await;
    assert_eq!(shown(address, &ca).await, renewed);
}

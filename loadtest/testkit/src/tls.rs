//! Everything a test of TLS needs: CAs and certificates that are made for it, a front that speaks TLS before something that
//! does not, and a proxy that is asked to `CONNECT`.

mod connect_proxy;
mod front;

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

use crate::prefix::unique_prefix;

pub use connect_proxy::ConnectProxy;
pub use front::TlsFront;

/// The year in which what has not expired does.
const FAR: i32 = 2090;

/// A CA of a test's own. Its files are gone when it is dropped.
pub struct TestCa {
    folder: TempDir,
    file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct TestCertificate {
    /// The certificate.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

impl TestCa {
    /// A new one, which nobody knows yet.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, format!("CA {}", unique_prefix()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(FAR, 1, 1));
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, certificate.pem()).expect("a file");
        Self { folder, file, issuer: Issuer::new(params, key) }
    }

    /// The file with its certificate.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A certificate for these names (or addresses), for servers and clients alike.
    pub fn issue(&self, names: &[&str]) -> TestCertificate {
        self.issue_until(names, FAR)
    }

    /// The same, long expired.
    pub fn issue_expired(&self, names: &[&str]) -> TestCertificate {
        self.issue_until(names, 2021)
    }

    /// The same, which ends with the beginning of this year.
    pub fn issue_until(&self, names: &[&str], year: i32) -> TestCertificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("valid names");
        let name = unique_prefix();
        params.distinguished_name.push(DnType::CommonName, name.clone());
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let issued = TestCertificate {
            cert_file: self.folder.path().join(format!("{name}.pem")),
            key_file: self.folder.path().join(format!("{name}.key")),
        };
        std::fs::write(&issued.cert_file, certificate.pem()).expect("a file");
        std::fs::write(&issued.key_file, key.serialize_pem()).expect("a file");
        issued
    }
}

impl TestCertificate {
    /// Puts another one into the same files, as a renewal does.
    pub fn replace_by(&self, other: &Self) {
        // The key first: whoever looks in between finds two that do not belong together, and looks again.
        std::fs::copy(&other.key_file, &self.key_file).expect("a file");
        std::fs::copy(&other.cert_file, &self.cert_file).expect("a file");
    }
}

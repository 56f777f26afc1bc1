//! What went wrong with TLS, in a sentence for whoever has to mend it.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use super::TlsFileError;

/// Says it, if TLS or its files are what an error is about, however deep inside.
pub fn said_of(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(sentence(error));
        }
        if let Some(error) = error.downcast_ref::<TlsFileError>() {
            return Some(error.to_string());
        }
        // An I/O error that was made of another one names that one's source as its own.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to it at any release")]
fn sentence(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(flaw) => of_certificate(flaw),
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => OLD.to_owned(),
        rustls::Error::InvalidMessage(_) => {
            "what answers there does not speak TLS: is this the port for TLS?".to_owned()
        }
        rustls::Error::NoCertificatesPresented => {
            "no client certificate was shown, and one is required".to_owned()
        }
        other => format!("TLS did not come about: {other}"),
    }
}

/// An old version of the protocol.
const OLD: &str = "the other side speaks only versions of TLS that are too old: 1.2 or 1.3 is needed";

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to it at any release")]
fn of_certificate(flaw: &CertificateError) -> String {
    match flaw {
        CertificateError::UnknownIssuer => {
            "the certificate comes from a CA that is not believed here".to_owned()
        }
        CertificateError::Expired => {
            "the certificate has expired, or this machine's clock is wrong".to_owned()
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired at {}, or this machine's clock is wrong", time(*not_after))
        }
        CertificateError::NotValidYet => {
            "the certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "the certificate is valid from {} on, or this machine's clock is wrong",
                time(*not_before)
            )
        }
        CertificateError::NotValidForName => "the certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| plain(name)).collect();
            let names = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            format!("the certificate is for {names}, and not for {}", expected.to_str())
        }
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        other => format!("the certificate cannot be used: {other}"),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to it at any release")]
fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::ProtocolVersion => OLD.to_owned(),
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the other side wants a client certificate, and none is set here".to_owned()
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the other side broke off: it wants a client certificate, or shares no cipher with us".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            format!("the other side does not take our client certificate ({alert:?})")
        }
        AlertDescription::UnrecognisedName => "the other side has no certificate for that name".to_owned(),
        other => format!("the other side broke off ({other:?})"),
    }
}

fn time(time: UnixTime) -> String {
    let second = i64::try_from(time.as_secs()).ok();
    let time = second.and_then(|second| Timestamp::from_second(second).ok());
    time.map_or_else(|| "another time".to_owned(), |time| time.to_string())
}

/// A name as people write it, of one as the library lists it: `DnsName("a.example")`.
fn plain(listed: &str) -> &str {
    let inner = listed.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(listed, |inner| inner.trim_matches('"'))
}

//! When a certificate ends. The library keeps that to itself, and it stands near the beginning of one (RFC 5280, 4.1), so
//! the few fields in front of it are stepped over.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Tags of DER (X.690): an explicit version, a sequence, and the two kinds of times.
const VERSION: u8 = 0xa0;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// One element, and what comes behind it.
#[derive(Clone, Copy)]
struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    rest: &'d [u8],
}

/// When it ends; `None` for what is no certificate.
pub(super) fn ends_at(certificate: &[u8]) -> Option<Timestamp> {
    let signed = sequence(next(certificate)?)?;
    let mut fields = sequence(next(signed)?)?;
    let first = next(fields)?;
    if first.tag == VERSION {
        fields = first.rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = next(fields)?.rest;
    }
    let validity = sequence(next(fields)?)?;
    let begins = next(validity)?;
    time(&next(begins.rest)?)
}

fn sequence(element: Element<'_>) -> Option<&[u8]> {
    (element.tag == SEQUENCE).then_some(element.content)
}

fn next(der: &[u8]) -> Option<Element<'_>> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..0x80 => (usize::from(length), rest),
        // So many bytes of length; more than four are no certificate.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        0x80 | 0x85.. => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` from then on.
fn time(element: &Element<'_>) -> Option<Timestamp> {
    let text = str::from_utf8(element.content).ok()?;
    let text = match element.tag {
        UTC_TIME => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a certificate with these times in it; nobody looks at the rest.
    fn with(version: &[u8], ends: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).expect("a short one").to_be_bytes();
            [&[tag, 0x82], &length[..], content].concat()
        };
        let begins = wrap(UTC_TIME, b"200101000000Z");
        let validity = wrap(SEQUENCE, &[&begins, ends].concat());
        let serial = [0x02, 0x01, 0x07];
        let empty = [SEQUENCE, 0x00];
        let fields = [version, &serial, &empty, &empty, &validity, &empty].concat();
        wrap(SEQUENCE, &[wrap(SEQUENCE, &fields), empty.to_vec()].concat())
    }

    #[test]
    fn the_end_is_found_in_certificates_of_both_forms_and_of_every_version() {
        let short = [&[UTC_TIME, 13][..], b"310203040506Z"].concat();
        let long = [&[GENERALIZED_TIME, 15][..], b"20510203040506Z"].concat();
        for version in [&[][..], &[VERSION, 0x03, 0x02, 0x01, 0x02]] {
            let end = |ends: &[u8]| ends_at(&with(version, ends)).map(|at| at.to_string());
            assert_eq!(end(&short).as_deref(), Some("2031-02-03T04:05:06Z"));
            assert_eq!(end(&long).as_deref(), Some("2051-02-03T04:05:06Z"));
        }
    }

    #[test]
    fn what_is_cut_off_or_something_else_has_no_end() {
        let whole = with(&[], &[&[UTC_TIME, 13][..], b"310203040506Z"].concat());
        for length in 0..whole.len() {
            assert_eq!(ends_at(&whole[..length]), None, "{length}");
        }
        assert_eq!(
            ends_at(&with(&[], &[&[UTC_TIME, 13][..], b"310299040506Z"].concat())),
            None,
            "no such day"
        );
        assert_eq!(ends_at(&[SEQUENCE, 0x80, 0, 0]), None, "no length");
    }
}

//! Requests made beforehand, in which only the numbers of the alerts are filled in when they are sent: what making
//! them costs the sender, everybody else on the machine lacks. Pure.

use std::io::Write as _;
use std::net::SocketAddr;

use crate::payload::{Names, alert, envelope, labels};

/// Digits of an alert's number.
const DIGITS: usize = 8;
/// Where the number goes; nothing else in an alert reads like it.
const MARK: &str = "90909090";
/// What stands before the number in an alert's summary, by which it is found on a card.
pub(crate) const TOKEN: &str = "lt";

/// The requests of one group.
#[derive(Debug)]
pub(crate) struct Template {
    before: Vec<u8>,
    alert: Vec<u8>,
    /// Where in the alert its number stands.
    places: Vec<usize>,
    after: Vec<u8>,
}

impl Template {
    pub(crate) fn new(service: u32, alert_bytes: usize) -> Self {
        let group = labels(service);
        let names = Names {
            instance: format!("pod-{MARK}:8080"),
            pod: format!("checkout-{MARK}"),
            fingerprint: fingerprint_of(MARK),
            summary: format!("{TOKEN}{MARK} 12 % of checkouts fail"),
        };
        let alert = alert(&group, alert_bytes, &names).to_string();
        let places = alert.match_indices(MARK).map(|(place, _)| place).collect();
        let envelope = envelope(&group, &[]).to_string();
        let (before, after) = envelope.split_once("\"alerts\":[").unwrap_or((&envelope, ""));
        Self {
            before: format!("{before}\"alerts\":[").into(),
            alert: alert.into(),
            places,
            after: after.into(),
        }
    }

    /// Puts a whole HTTP/1.1 request for these alerts into `request`, in place of what was there.
    pub(crate) fn fill(
        &self,
        request: &mut Vec<u8>,
        (to, path): (SocketAddr, &str),
        alerts: impl ExactSizeIterator<Item = u32>,
    ) {
        let commas = alerts.len().saturating_sub(1);
        let length = self.before.len() + alerts.len() * self.alert.len() + commas + self.after.len();
        request.clear();
        // Writing to a vector cannot fail.
        let _infallible = write!(
            request,
            "POST {path} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: Alertmanager/0.27.0\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        request.extend_from_slice(&self.before);
        for (index, number) in alerts.enumerate() {
            if index > 0 {
                request.push(b',');
            }
            let (begin, digits) = (request.len(), digits(number));
            request.extend_from_slice(&self.alert);
            for place in &self.places {
                request[begin + place..][..DIGITS].copy_from_slice(&digits);
            }
        }
        request.extend_from_slice(&self.after);
    }
}

/// The number of an alert, read from its fingerprint.
pub(crate) fn number_of(fingerprint: &[u8]) -> Option<u32> {
    str::from_utf8(fingerprint).ok()?.parse().ok()
}

/// The numbers found in a text.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = u32> {
    text.match_indices(TOKEN)
        .filter_map(|(place, _)| text.get(place + TOKEN.len()..)?.get(..DIGITS)?.parse().ok())
}

fn fingerprint_of(digits: &str) -> String {
    format!("{digits:0>16}")
}

fn digits(mut number: u32) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        // One digit is below 10.
        *digit += u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::payload::ALERT_BYTES;

    #[test]
    fn a_filled_request_is_a_group_of_numbered_alerts() {
        let (template, mut request) = (Template::new(3, ALERT_BYTES), b"older".to_vec());
        template.fill(
            &mut request,
            ("127.0.0.1:1".parse().unwrap(), "/api/alert"),
            [7, 12_345_678].into_iter(),
        );
        let text = str::from_utf8(&request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        let alerts = body["alerts"].as_array().unwrap();
        let numbers: Vec<_> = alerts
            .iter()
            .map(|alert| number_of(alert["fingerprint"].as_str().unwrap().as_bytes()).unwrap())
            .collect();
        assert_eq!(numbers, [7, 12_345_678]);
        let summary = alerts[0]["annotations"]["summary"].as_str().unwrap();
        assert_eq!(numbers_in(summary).collect::<Vec<_>>(), [7]);
        assert!(alerts.iter().all(|alert| alert.to_string().len() == ALERT_BYTES));
        assert_ne!(alerts[0]["labels"]["pod"], alerts[1]["labels"]["pod"]);
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        assert_eq!(numbers_in("salt lt1234567 lt00000005é lt").collect::<Vec<_>>(), [5]);
    }
}

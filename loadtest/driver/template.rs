//! Requests made beforehand, in which only the numbers of the alerts are filled in when they are sent: what making
//! them costs the sender, everybody else on the machine lacks. Pure.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::net::SocketAddr;

use serde_json::Value;

use crate::payload::{Names, alert, envelope, labels};
use crate::plan::{Plan, SERVICES};

/// Digits of an alert's number.
const DIGITS: usize = 8;
/// Where the number goes; nothing else in an alert reads like it.
const MARK: &str = "90909090";
/// Where the fingerprint goes.
const UNNAMED: &str = "ffffffffffffffff";
/// What stands before the number in an alert's summary, by which it is found on a card.
pub(crate) const TOKEN: &str = "lt";

/// The requests of one group.
#[derive(Debug)]
pub(crate) struct Template {
    before: Vec<u8>,
    alert: Vec<u8>,
    /// Where in the alert its number stands.
    places: Vec<usize>,
    /// Where its fingerprint does.
    fingerprint_at: usize,
    hashed: HashedLabels,
    after: Vec<u8>,
}

impl Template {
    pub(crate) fn new(service: u32, alert_bytes: usize) -> Self {
        let group = labels(service);
        let names = Names {
            instance: format!("pod-{MARK}:8080"),
            pod: format!("checkout-{MARK}"),
            fingerprint: UNNAMED.to_owned(),
            summary: format!("{TOKEN}{MARK} 12 % of checkouts fail"),
        };
        let alert = alert(&group, alert_bytes, &names);
        let hashed = HashedLabels::of(&alert["labels"]);
        let alert = alert.to_string();
        let fingerprint_at = alert.find(UNNAMED).unwrap_or(0);
        let places = alert.match_indices(MARK).map(|(place, _)| place).collect();
        let envelope = envelope(&group, &[]).to_string();
        let (before, after) = envelope.split_once("\"alerts\":[").unwrap_or((&envelope, ""));
        Self {
            before: format!("{before}\"alerts\":[").into(),
            alert: alert.into(),
            places,
            fingerprint_at,
            hashed,
            after: after.into(),
        }
    }

    /// Puts a whole HTTP/1.1 request for these alerts into `request`, in place of what was there.
    pub(crate) fn fill(
        &self,
        request: &mut Vec<u8>,
        to: SocketAddr,
        path: &str,
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
            let begin = request.len();
            let digits = digits(number);
            request.extend_from_slice(&self.alert);
            for place in &self.places {
                request[begin + place..][..DIGITS].copy_from_slice(&digits);
            }
            let fingerprint = self.hashed.fingerprint(digits);
            request[begin + self.fingerprint_at..][..UNNAMED.len()].copy_from_slice(&fingerprint);
        }
        request.extend_from_slice(&self.after);
    }
}

/// The numbers of a plan's alerts by their fingerprints.
pub(crate) fn numbers_of(plan: Plan) -> HashMap<Vec<u8>, u32> {
    let hashed: Vec<_> = (0..SERVICES).map(|service| Template::new(service, 0).hashed).collect();
    let of_request = |request| {
        let hashed = &hashed[plan.service(request) as usize];
        plan.alerts(request).map(move |number| (hashed.fingerprint(digits(number)).to_vec(), number))
    };
    (0..plan.requests).flat_map(of_request).collect()
}

/// The numbers found in a text.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = u32> {
    text.match_indices(TOKEN)
        .filter_map(|(place, _)| text.get(place + TOKEN.len()..)?.get(..DIGITS)?.parse().ok())
}

/// The labels of an alert as their fingerprint is computed of them: it is believed only if it is the one Alertmanager gives.
#[derive(Debug)]
struct HashedLabels {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl HashedLabels {
    fn of(labels: &Value) -> Self {
        let labels: BTreeMap<_, _> = labels.as_object().into_iter().flatten().collect();
        let texts =
            labels.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str().unwrap_or_default()]);
        let bytes: Vec<u8> = texts.flat_map(|text| text.bytes().chain([0xff])).collect();
        let windows = bytes.windows(MARK.len()).enumerate();
        let places =
            windows.filter(|(_, window)| *window == MARK.as_bytes()).map(|(place, _)| place).collect();
        Self { bytes, places }
    }

    /// FNV-1a, as 16 digits.
    fn fingerprint(&self, digits: [u8; DIGITS]) -> [u8; UNNAMED.len()] {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut from = 0;
        let add = |hash: &mut u64, bytes: &[u8]| {
            for byte in bytes {
                *hash = (*hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for place in &self.places {
            add(&mut hash, &self.bytes[from..*place]);
            add(&mut hash, &digits);
            from = place + DIGITS;
        }
        add(&mut hash, &self.bytes[from..]);
        std::array::from_fn(|index| HEX[(hash >> (60 - 4 * index) & 0xf) as usize])
    }
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
    use std::time::Duration;

    use super::*;
    use crate::scenario::ALERT_BYTES;

    #[test]
    fn a_filled_request_is_a_group_of_numbered_alerts() {
        let template = Template::new(3, ALERT_BYTES);
        let mut request = b"older".to_vec();
        template.fill(
            &mut request,
            "127.0.0.1:1".parse().unwrap(),
            "/api/alert",
            [7, 12_345_678].into_iter(),
        );
        let text = str::from_utf8(&request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        let alerts = body["alerts"].as_array().unwrap();
        for alert in alerts {
            let labels = alert["labels"].as_object().unwrap().iter();
            let labels: Vec<_> =
                labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            assert_eq!(alert["fingerprint"], testkit::bodies::fingerprint(labels));
        }
        let summary = alerts[0]["annotations"]["summary"].as_str().unwrap();
        assert_eq!(numbers_in(summary).collect::<Vec<_>>(), [7]);
        assert!(alerts.iter().all(|alert| alert.to_string().len() == ALERT_BYTES));
        assert_ne!(alerts[0]["labels"]["pod"], alerts[1]["labels"]["pod"]);
    }

    #[test]
    fn a_number_is_found_by_the_fingerprint_of_its_alert() {
        let plan = Plan::once(100, Duration::from_millis(1), 1);
        let numbers = numbers_of(plan);
        assert_eq!(numbers.len(), 100);
        let hashed = &Template::new(plan.service(7), ALERT_BYTES).hashed;
        assert_eq!(numbers.get(&hashed.fingerprint(digits(7))[..]), Some(&7));
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        assert_eq!(numbers_in("salt lt1234567 lt00000005é lt").collect::<Vec<_>>(), [5]);
    }
}

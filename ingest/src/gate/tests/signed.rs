//! Signatures: the published vectors, and that nothing but the signed bytes passes.

use proptest::prelude::*;

use super::*;

fn proven(gate: &Gate, lines: &[String], body: &[u8]) -> Result<(), Refusal> {
    let shown = headers(lines.iter().map(String::as_str));
    let now = Timestamp::from_second(NOW).unwrap();
    let standing = gate.check_credentials(&shown, Endpoint::Any, None, now)?;
    assert!(matches!(standing, Standing::Signed(_)));
    gate.prove(&standing, body)
}

fn grafana(mac: &str) -> String {
    format!("X-Grafana-Alerting-Signature: {mac}")
}

#[test]
fn grafana_s_own_vectors_are_accepted() {
    let gate = Gate::new(&config(&[], &[], &["secret"]));
    let at = format!("X-Grafana-Alerting-Timestamp: {NOW}");
    let vectors: [(&[u8], &[String]); 3] = [
        (BODY, &[grafana("3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6")]),
        (BODY, &[grafana("36fa366a807205a13fc507ea4413374566ad5808c7ca7653f94d121fe5e64c2d"), at]),
        (b"", &[grafana("f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169")]),
    ];
    for (body, lines) in vectors {
        assert_eq!(proven(&gate, lines, body), Ok(()), "{lines:?}");
        assert_eq!(proven(&gate, lines, b"another body"), Err(Refusal::Wrong), "{lines:?}");
    }
}

#[test]
fn a_time_can_be_insisted_on_and_headers_can_have_other_names() {
    let hmac = HmacConfig {
        secrets: secrets(SECRETS),
        header: "X-Sign".to_owned(),
        timestamp_header: "X-Sign-Time".to_owned(),
        require_timestamp: true,
    };
    let gate = Gate::new(&GateConfig { hmac, ..GateConfig::default() });
    let without = format!("X-Sign: {}", sign("secret", ""));
    let with = format!("X-Sign: {}", sign("secret", &format!("{NOW}:")));
    let at = format!("X-Sign-Time: {NOW}");
    assert_eq!(proven(&gate, &[with, at], BODY), Ok(()));
    assert_eq!(proven(&gate, &[without], BODY), Err(Refusal::Missing));
    assert_eq!(proven(&gate, &[grafana(&sign("secret", ""))], BODY), Err(Refusal::Missing));
}

proptest! {
    #[test]
    fn no_header_panics_and_no_guess_is_right(
        mac in "([0-9a-fA-F]{64}|[ -~]{0,80}|sha256=[0-9a-f]{64})",
        seconds in "([0-9]{0,25}|[ -~]{0,20}|17000000[0-9]{2})",
        body in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let gate = Gate::new(&config(&[], &[], SECRETS));
        for (signature, timestamp) in
            [("x-grafana-alerting-signature", "x-grafana-alerting-timestamp"), ("x-signature", "x-timestamp")]
        {
            let pair = |name: &'static str, value: &str| {
                (hyper::header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            };
            let shown: HeaderMap = [pair(signature, &mac), pair(timestamp, &seconds)].into_iter().collect();
            let now = Timestamp::from_second(NOW).unwrap();
            let checked = gate.check_credentials(&shown, Endpoint::Any, None, now);
            prop_assert!(checked.and_then(|standing| gate.prove(&standing, &body)).is_err());
        }
    }
}

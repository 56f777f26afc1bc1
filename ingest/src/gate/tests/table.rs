//! Every combination of what is configured and what is shown.

use super::*;

/// What may stand in `Authorization`, and the code it leads to by itself with only bearer, or only basic, asked for.
const AUTHORIZATIONS: [(&[&str], &str, &str); 7] = [
    (&[], "credentials_missing", "credentials_missing"),
    (&["Authorization: Bearer new-key"], "accepted", "credentials_wrong"),
    (&["Authorization: Bearer old-key"], "accepted", "credentials_wrong"),
    (&["Authorization: Bearer other"], "credentials_wrong", "credentials_wrong"),
    (&["Authorization: Basic b3BzOnMzY3JldA=="], "credentials_wrong", "accepted"),
    (&["Authorization: Basic b3BzOndyb25n"], "credentials_wrong", "credentials_wrong"),
    (
        &["Authorization: Bearer new-key", "Authorization: Basic b3BzOnMzY3JldA=="],
        "credentials_missing",
        "credentials_missing",
    ),
];

/// What may be shown of signatures, and the code it leads to by itself where signatures are accepted.
fn signatures() -> Vec<(Vec<String>, &'static str)> {
    let grafana = |mac: String| format!("X-Grafana-Alerting-Signature: {mac}");
    let grafana_at = |seconds: i64| format!("X-Grafana-Alerting-Timestamp: {seconds}");
    let plain = |mac: String| format!("X-Signature: sha256={mac}");
    let plain_at = |seconds: i64| format!("X-Timestamp: {seconds}");
    let bare = sign("secret", "");
    let timed = |seconds: i64| sign("secret", &format!("{seconds}:"));
    let dotted = |seconds: i64| sign("newer", &format!("{seconds}."));
    let old = NOW - 301;
    let early = NOW + 301;
    vec![
        (vec![], "credentials_missing"),
        // Grafana's, without a time and with one.
        (vec![grafana(bare.clone())], "accepted"),
        (vec![grafana(bare.to_uppercase())], "accepted"),
        (vec![grafana(sign("other", ""))], "credentials_wrong"),
        (vec![grafana(String::new())], "credentials_wrong"),
        (vec![grafana("abc".into())], "credentials_wrong"),
        (vec![grafana(format!("sha256={bare}"))], "credentials_wrong"),
        (vec![grafana(bare.clone()), grafana(bare.clone())], "credentials_missing"),
        (vec![grafana(timed(NOW)), grafana_at(NOW)], "accepted"),
        (vec![grafana(timed(NOW - 300)), grafana_at(NOW - 300)], "accepted"),
        (vec![grafana(timed(NOW + 300)), grafana_at(NOW + 300)], "accepted"),
        (vec![grafana(timed(old)), grafana_at(old)], "credentials_expired"),
        (vec![grafana(timed(early)), grafana_at(early)], "credentials_expired"),
        (vec![grafana(timed(NOW)), grafana_at(NOW + 1)], "credentials_wrong"),
        (vec![grafana(bare.clone()), grafana_at(NOW)], "credentials_wrong"),
        (vec![grafana(timed(NOW))], "credentials_wrong"),
        (vec![grafana(timed(NOW)), grafana_at(NOW), grafana_at(NOW)], "credentials_missing"),
        (vec![grafana(timed(NOW)), "X-Grafana-Alerting-Timestamp: soon".into()], "credentials_wrong"),
        // Ours.
        (vec![plain(dotted(NOW)), plain_at(NOW)], "accepted"),
        (vec![plain(dotted(NOW).to_uppercase()), plain_at(NOW)], "accepted"),
        (vec![plain(dotted(NOW))], "credentials_missing"),
        (vec![plain(bare.clone())], "credentials_missing"),
        (vec![plain(dotted(NOW)), plain_at(NOW - 1)], "credentials_wrong"),
        (vec![plain(dotted(old)), plain_at(old)], "credentials_expired"),
        (vec![plain(dotted(early)), plain_at(early)], "credentials_expired"),
        (vec![plain(sign("other", &format!("{NOW}."))), plain_at(NOW)], "credentials_wrong"),
        (vec![plain(timed(NOW)), plain_at(NOW)], "credentials_wrong"),
        (vec![format!("X-Signature: {}", dotted(NOW)), plain_at(NOW)], "credentials_wrong"),
        (vec![plain(dotted(NOW)), plain(dotted(NOW)), plain_at(NOW)], "credentials_missing"),
        (vec![plain(dotted(NOW)), plain_at(NOW), plain_at(NOW)], "credentials_missing"),
        (vec![plain(dotted(NOW)), "X-Timestamp: -1".into()], "credentials_wrong"),
        (vec![plain(dotted(NOW)), "X-Timestamp: 1700000000000".into()], "credentials_wrong"),
        // Both kinds: one good one is enough.
        (vec![grafana(bare.clone()), plain("00".repeat(32)), plain_at(NOW)], "accepted"),
        (vec![grafana("no".into()), plain(dotted(NOW)), plain_at(NOW)], "accepted"),
        (vec![grafana(sign("other", "")), plain(sign("other", "")), plain_at(NOW)], "credentials_wrong"),
    ]
}

/// Each kind of credential by itself is in the tables; together, one good one is enough, and of two bad ones the
/// signature's fault is told.
fn expected(accept: &[Credential], authorization: usize, signature: (bool, &'static str)) -> &'static str {
    let (lines, bearer, basic) = AUTHORIZATIONS[authorization];
    let good = (accept.contains(&Credential::Bearer) && bearer == "accepted")
        || (accept.contains(&Credential::Basic) && basic == "accepted");
    match (accept, signature) {
        ([], _) => "accepted",
        _ if good => "accepted",
        (_, (true, code)) if accept.contains(&Credential::Hmac) => code,
        _ if lines.len() == 1 => "credentials_wrong",
        _ => "credentials_missing",
    }
}

fn subsets() -> impl Iterator<Item = Vec<Credential>> {
    let kinds = [Credential::Bearer, Credential::Basic, Credential::Hmac];
    let chosen =
        move |bits: usize| (0..3).filter(|bit| bits & (1 << bit) != 0).map(|bit| kinds[bit]).collect();
    (0..8).map(chosen)
}

#[test]
fn every_combination_of_what_is_asked_for_and_what_is_shown_has_its_answer() {
    let signatures = signatures();
    for accept in subsets() {
        let only =
            |kind: Credential, list: &'static [&'static str]| if accept.contains(&kind) { list } else { &[] };
        let configured = config(
            only(Credential::Bearer, KEYS),
            only(Credential::Basic, PAIRS),
            only(Credential::Hmac, SECRETS),
        );
        // The same asked for by one path, where everything is configured.
        let rule = PathRule { path: "/alert".to_owned(), accept: accept.clone() };
        let ruled = GateConfig { paths: vec![rule], ..config(KEYS, PAIRS, SECRETS) };
        let configured = Gate::new(&configured);
        let ruled = Gate::new(&ruled);
        for (index, (authorization, ..)) in AUTHORIZATIONS.iter().enumerate() {
            for (signature, code) in &signatures {
                let lines = authorization.iter().copied().chain(signature.iter().map(String::as_str));
                let shown = headers(lines);
                let code = expected(&accept, index, (!signature.is_empty(), code));
                let seen = verdict(&configured, &shown, (Endpoint::Any, None));
                assert_eq!(seen, code, "{accept:?} configured, shown {shown:?}");
                if !accept.is_empty() {
                    let seen = verdict(&ruled, &shown, (Endpoint::LokiFeishu, None));
                    assert_eq!(seen, code, "{accept:?} asked for by the path, shown {shown:?}");
                }
            }
        }
    }
}

#[test]
fn a_rule_belongs_to_its_path_and_to_its_receiver_however_it_is_named() {
    let rule = |path: &str, kind| PathRule { path: path.to_owned(), accept: vec![kind] };
    let rules = vec![rule("/alert", Credential::Basic), rule("/api/alert/ops", Credential::Hmac)];
    let gate = Gate::new(&GateConfig { paths: rules, ..config(KEYS, PAIRS, SECRETS) });
    let key = headers(["Authorization: Bearer new-key"]);
    let signed = headers([format!("X-Grafana-Alerting-Signature: {}", sign("secret", "")).as_str()]);
    let table = [
        ((Endpoint::Any, None), "accepted", "accepted"),
        ((Endpoint::Any, Some("other")), "accepted", "accepted"),
        ((Endpoint::Any, Some("ops")), "credentials_wrong", "accepted"),
        ((Endpoint::LokiFeishu, None), "credentials_wrong", "credentials_missing"),
        ((Endpoint::LokiFeishu, Some("other")), "credentials_wrong", "credentials_missing"),
        ((Endpoint::LokiFeishu, Some("ops")), "credentials_wrong", "accepted"),
    ];
    for (place, with_key, with_signature) in table {
        assert_eq!(verdict(&gate, &key, place), with_key, "{place:?}");
        assert_eq!(verdict(&gate, &signed, place), with_signature, "{place:?}");
    }
}

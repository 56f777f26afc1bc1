//! The gate as senders meet it.

use std::time::Duration;

use config::{Credential, PathRule, Secret};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use tokio::time::Instant;

use crate::client::{CUSTOM, Client, Reply, exchange, post, request};
use crate::harness::{Harness, within};

/// Trusts its own machine as a proxy and admits two networks.
fn listed() -> Harness {
    Harness::with(|settings| {
        settings.gate.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.gate.allowed_ips =
            ["10.0.0.0/8", "2001:db8::/32"].map(|range| range.parse().unwrap()).to_vec();
    })
}

async fn sent(harness: &Harness, headers: &[&str]) -> Reply {
    exchange(harness.address, "POST /api/alert", headers, CUSTOM.as_bytes()).await
}

#[tokio::test]
async fn only_listed_addresses_come_in_and_the_refusal_keeps_its_words() {
    let harness = listed();
    let refused = post(harness.address, CUSTOM).await;
    assert_eq!((refused.status, refused.json()), (403, json!({"error": "IP not allowed", "code": "ip"})));
    let table: [(&[&str], u16); 9] = [
        (&["X-Forwarded-For: 10.1.2.3"], 202),
        (&["X-Forwarded-For: 203.0.113.9, 10.1.2.3"], 202),
        (&["X-Forwarded-For: 10.1.2.3, 203.0.113.9"], 403),
        (&["X-Forwarded-For: 10.1.2.3", "X-Forwarded-For: 203.0.113.9"], 403),
        (&["X-Forwarded-For: 10.1.2.3, nonsense"], 403),
        (&["Forwarded: for=\"[2001:db8::1]:80\""], 202),
        (&["Forwarded: for=10.1.2.3, for=203.0.113.9"], 403),
        (&["Forwarded: for=10.1.2.3", "X-Forwarded-For: 203.0.113.9"], 403),
        (&["X-Real-IP: 10.1.2.3"], 403),
    ];
    for (headers, status) in table {
        assert_eq!(sent(&harness, headers).await.status, status, "{headers:?}");
    }
    let nowhere = exchange(harness.address, "GET /nowhere", &[], b"").await;
    assert_eq!(nowhere.outcome(), (403, "ip".to_owned()));
}

#[tokio::test]
async fn a_stranger_s_headers_do_not_make_him_somebody_else() {
    let harness = Harness::with(|settings| {
        settings.gate.trusted_proxies = vec!["192.0.2.7".parse().unwrap()];
        settings.gate.allowed_ips = vec!["10.0.0.0/8".parse().unwrap()];
    });
    for header in ["X-Forwarded-For: 10.1.2.3", "Forwarded: for=10.1.2.3", "X-Forwarded-For: 192.0.2.7"] {
        assert_eq!(sent(&harness, &[header]).await.status, 403, "{header}");
    }
    // Nor does a PROXY header where none is expected: it is not even HTTP.
    let mut client = Client::connect(harness.address).await;
    client.try_send("PROXY TCP4 10.1.2.3 10.0.0.1 1 2\r\n").await;
    client.try_send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    assert_eq!(client.reply().await.status, 400);
    assert!(harness.queue.stored().is_empty());
}

#[tokio::test]
async fn a_proxy_without_http_says_who_its_client_is() {
    let harness = Harness::with(|settings| {
        settings.gate.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.gate.allowed_ips = vec!["10.0.0.0/8".parse().unwrap()];
        settings.gate.proxy_protocol = true;
        settings.limits.header_timeout = Duration::from_millis(200);
    });
    let version_2 =
        [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &[10, 1, 2, 3, 10, 0, 0, 1, 0, 1, 0, 2]].concat();
    let table: [(&[u8], &[&str], u16); 5] = [
        (b"PROXY TCP4 10.1.2.3 10.0.0.1 1 2\r\n", &[], 202),
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n", &[], 403),
        // Its client is no proxy of ours, whatever the client says.
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 1 2\r\n", &["X-Forwarded-For: 10.1.2.3"], 403),
        (b"PROXY UNKNOWN\r\n", &[], 403),
        (&version_2, &[], 202),
    ];
    for (header, headers, status) in table {
        let mut client = Client::connect(harness.address).await;
        client.send([header, &request("POST /api/alert", headers, CUSTOM.as_bytes())].concat()).await;
        assert_eq!(client.reply().await.status, status, "{}", String::from_utf8_lossy(header));
    }
    // Nothing, half a header, none at all, and one that does not end.
    for beginning in ["", "PROXY TCP4 10.1", "POST /api/alert HTTP/1.1\r\n", &"PROXY ".repeat(50)] {
        let mut client = Client::connect(harness.address).await;
        client.try_send(beginning).await;
        client.closed().await;
    }
}

fn hmac(secret: &str, before: &str, body: &[u8]) -> String {
    let key = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(key.chain_update(before).chain_update(body).finalize().into_bytes())
}

fn signing() -> Harness {
    Harness::with(|settings| settings.gate.hmac.secrets = vec![Secret::new("new"), Secret::new("old")])
}

#[tokio::test]
async fn a_signature_is_checked_over_the_bytes_as_they_came_and_before_they_are_read() {
    let harness = signing();
    let now = "2026-03-02T07:16:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let spaced = format!("\u{feff}  {CUSTOM}\r\n\t");
    let large = format!("{CUSTOM}{}", " ".repeat(1 << 20));
    for body in [CUSTOM, &spaced, &large] {
        let grafana = format!("X-Grafana-Alerting-Signature: {}", hmac("old", "", body.as_bytes()));
        let plain = format!("X-Signature: sha256={}", hmac("new", &format!("{now}."), body.as_bytes()));
        let at = format!("X-Timestamp: {now}");
        for headers in [&[&*grafana][..], &[&*plain, &*at]] {
            let reply = exchange(harness.address, "POST /api/alert", headers, body.as_bytes()).await;
            assert_eq!(reply.status, 202, "{headers:?}");
            let altered = format!("{body} ");
            let reply = exchange(harness.address, "POST /api/alert", headers, altered.as_bytes()).await;
            assert_eq!(reply.outcome(), (401, "credentials_wrong".to_owned()), "{headers:?}");
        }
    }
    let unreadable = b"{\"alerts\": [}";
    let signed = format!("X-Grafana-Alerting-Signature: {}", hmac("new", "", unreadable));
    let unsigned = format!("X-Grafana-Alerting-Signature: {}", hmac("wrong", "", unreadable));
    for (header, line, outcome) in [
        (&signed, "POST /api/alert", (400, "not_json")),
        (&unsigned, "POST /api/alert", (401, "credentials_wrong")),
        (&signed, "POST /api/alert/nobody", (404, "no_such_receiver")),
        (&unsigned, "POST /api/alert/nobody", (401, "credentials_wrong")),
    ] {
        let reply = exchange(harness.address, line, &[header], unreadable).await;
        assert_eq!(reply.outcome(), (outcome.0, outcome.1.to_owned()), "{line}");
    }
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_its_body_comes() {
    let harness = signing();
    let head = |header: &str| {
        format!(
            "POST /api/alert HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n{header}\r\n\r\n"
        )
    };
    let mac = "00".repeat(32);
    for (header, code) in [
        ("X-A: b".to_owned(), "credentials_missing"),
        ("X-Signature: sha256=00".to_owned(), "credentials_wrong"),
        (format!("X-Signature: sha256={mac}\r\nX-Timestamp: 1"), "credentials_expired"),
    ] {
        let mut client = Client::connect(harness.address).await;
        client.send(head(&header)).await;
        assert_eq!(client.reply().await.outcome(), (401, code.to_owned()));
    }
}

#[tokio::test]
async fn one_path_asks_for_a_signature_and_another_for_a_key() {
    let harness = Harness::with(|settings| {
        let rule = |path: &str, kind| PathRule { path: path.to_owned(), accept: vec![kind] };
        settings.gate.api_keys = vec![Secret::new("k1")];
        settings.gate.hmac.secrets = vec![Secret::new("s1")];
        settings.gate.paths =
            vec![rule("/alert", Credential::Bearer), rule("/api/alert/db team", Credential::Hmac)];
    });
    let key = "Authorization: Bearer k1".to_owned();
    let signature = format!("X-Grafana-Alerting-Signature: {}", hmac("s1", "", CUSTOM.as_bytes()));
    for (line, with_key, with_signature) in [
        ("POST /api/alert", 202, 202),
        ("POST /alert", 202, 401),
        ("POST /api/alert/db%20team", 401, 202),
        ("POST /api/alert?receiver=db+team", 401, 202),
        ("POST /alert?receiver=db+team", 401, 202),
    ] {
        for (header, status) in [(&key, with_key), (&signature, with_signature)] {
            let reply = exchange(harness.address, line, &[header], CUSTOM.as_bytes()).await;
            assert_eq!(reply.status, status, "{line} {header}");
        }
    }
}

#[tokio::test]
async fn a_receiver_s_rule_holds_for_whoever_only_its_body_names() {
    let guarded = |unnamed: &str| {
        let unnamed = unnamed.to_owned();
        Harness::with(move |settings| {
            settings.gate.api_keys = vec![Secret::new("k1")];
            settings.gate.hmac.secrets = vec![Secret::new("s1")];
            settings.gate.paths =
                vec![PathRule { path: "/api/alert/db team".to_owned(), accept: vec![Credential::Hmac] }];
            settings.addressing.unnamed = Some(unnamed);
        })
    };
    let of_alertmanager = |receiver: &str| {
        format!(
            r#"{{"version":"4","groupKey":"g","receiver":"{receiver}","alerts":[{{"status":"firing","labels":{{"a":"b"}}}}]}}"#
        )
    };
    let in_chat = |chat: &str| format!(r#"{{"message":"x","sender_id":"s","chat_id":"{chat}"}}"#);
    let key = "Authorization: Bearer k1".to_owned();
    for (body, unnamed, with_key) in [
        (of_alertmanager("db team"), "default", 401),
        (of_alertmanager("db team/1"), "default", 401),
        (in_chat("oc_dba"), "default", 401),
        (of_alertmanager("gone"), "db team", 401),
        (in_chat("oc_other"), "default", 202),
        (of_alertmanager("default"), "default", 202),
    ] {
        let harness = guarded(unnamed);
        let signature = format!("X-Grafana-Alerting-Signature: {}", hmac("s1", "", body.as_bytes()));
        for (headers, status) in [
            (&[&*key][..], with_key),
            (&[&*signature][..], 202),
            // One that holds is enough, whichever it is.
            (&[&*key, &*signature][..], 202),
        ] {
            let reply = exchange(harness.address, "POST /api/alert", headers, body.as_bytes()).await;
            assert_eq!(reply.status, status, "{body} {headers:?}");
        }
        assert_eq!(harness.queue.stored().len(), if with_key == 202 { 3 } else { 2 }, "{body}");
    }
    let harness = guarded("default");
    let reply =
        exchange(harness.address, "POST /api/alert", &[&key], of_alertmanager("db team").as_bytes()).await;
    let json = reply.json();
    assert_eq!(json["code"], "credentials_wrong");
    assert!(json["error"].as_str().unwrap().contains("gate.paths"), "{json}");
    // The address's word counts more than the body's.
    let elsewhere =
        exchange(harness.address, "POST /api/alert/default", &[&key], of_alertmanager("db team").as_bytes())
            .await;
    assert_eq!(elsewhere.status, 202);
}

#[tokio::test]
async fn who_is_refused_again_and_again_waits_and_nobody_else_does() {
    let harness = Harness::with(|settings| {
        settings.gate.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.gate.api_keys = vec![Secret::new("k1")];
    });
    let guesser = "X-Forwarded-For: 203.0.113.66";
    let other = "X-Forwarded-For: 203.0.113.9";
    let wrong = "Authorization: Bearer k2";
    let right = "Authorization: Bearer k1";
    for _ in 0..9 {
        assert_eq!(sent(&harness, &[guesser, wrong]).await.status, 401);
    }
    let waits = async {
        assert_eq!(sent(&harness, &[guesser, wrong]).await.status, 401);
        Instant::now()
    };
    let do_not = async {
        assert_eq!(sent(&harness, &[other, wrong]).await.status, 401);
        // A right key is not delayed even behind the address of the guesser.
        assert_eq!(sent(&harness, &[guesser, right]).await.status, 202);
        Instant::now()
    };
    let (waited, answered) = within(async { tokio::join!(waits, do_not) }).await;
    assert!(answered < waited);
}

#[tokio::test]
async fn refusals_are_counted_by_their_reason() {
    let harness = Harness::guarded();
    let key = "Authorization: Bearer k1";
    post(harness.address, CUSTOM).await;
    post(harness.address, CUSTOM).await;
    sent(&harness, &["Authorization: Bearer k2"]).await;
    exchange(harness.address, "POST /api/alert", &[key], br#"{"message":"x","sender_id":"somebody"}"#).await;
    exchange(harness.address, "POST /nowhere", &[key], b"").await;
    for (reason, count) in [
        ("credentials_missing", 2.0),
        ("credentials_wrong", 1.0),
        ("sender", 1.0),
        ("credentials_expired", 0.0),
        ("ip", 0.0),
    ] {
        let counted = harness.metric(&format!("larkfire_ingest_refusals_total{{reason=\"{reason}\"}}"));
        assert!((counted - count).abs() < f64::EPSILON, "{reason}: {counted}");
    }
}

#[tokio::test]
async fn a_key_is_taken_from_the_header_of_senders_that_cannot_set_authorization_and_from_the_address_if_that_is_set()
 {
    let keyed = |key_in_url| {
        Harness::with(move |settings| {
            settings.gate.api_keys = vec![Secret::new("k 1".to_owned())];
            settings.gate.allowances.key_in_url = key_in_url;
        })
    };
    let table: [(&str, &[&str], u16, u16); 5] = [
        ("POST /api/alert", &["X-API-Key: k 1"], 202, 202),
        ("POST /api/alert", &["X-API-Key: k 2"], 401, 401),
        ("POST /api/alert", &["X-API-Key: k 1", "X-API-Key: k 1"], 401, 401),
        ("POST /api/alert?key=k%201", &[], 401, 202),
        ("POST /api/alert?key=k", &[], 401, 401),
    ];
    for (line, headers, without, with) in table {
        for (key_in_url, status) in [(false, without), (true, with)] {
            let reply = exchange(keyed(key_in_url).address, line, headers, CUSTOM.as_bytes()).await;
            assert_eq!(reply.status, status, "{line} {headers:?} {key_in_url}");
        }
    }
}

#[tokio::test]
async fn text_is_somebody_s_alert_where_that_is_set_and_its_sender_is_allowed() {
    let text = &["Content-Type: text/plain; charset=gbk"];
    let open = Harness::open();
    assert_eq!(exchange(open.address, "POST /api/alert", text, b"disk full").await.status, 400);
    let harness = Harness::with(|settings| {
        settings.gate.allowances.accept_text = true;
        settings.gate.alert_bot_ids = vec!["backup".to_owned()];
    });
    let table: [(&str, &[&str], &[u8], u16); 5] = [
        ("POST /api/alert?origin=backup", text, b"\xb4\xc5\xc5\xcc disk full", 202),
        ("POST /api/alert?origin=backup", &[], b"disk full", 400),
        ("POST /api/alert?origin=backup", text, b" \n", 400),
        ("POST /api/alert?origin=somebody", text, b"disk full", 403),
        ("POST /api/alert", text, b"disk full", 403),
    ];
    for (line, headers, body, status) in table {
        assert_eq!(exchange(harness.address, line, headers, body).await.status, status, "{line} {body:?}");
    }
    let queued = String::from_utf8(harness.queue.stored()[0].body.to_vec()).unwrap();
    assert!(queued.contains("磁盘 disk full") && queued.contains(r#""source":"custom""#), "{queued}");
}

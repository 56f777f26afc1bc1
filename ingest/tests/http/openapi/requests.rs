//! Requests that between them get every answer there is.

use std::time::Duration;

use config::{LarkConfig, Secret};
use ingest::Settings;
use queue::PublishError;

use crate::client::{CUSTOM, Client, Reply, exchange, request};
use crate::harness::{Behaviour, Harness};
use crate::lark::{
    CHALLENGE, ENCRYPTED_EVENT, KEY, NEW_PRESS, SEED_PRESS, TOKEN, as_event, as_old_card, seal,
};

const SHORT: Duration = Duration::from_millis(100);
const FAILURES: [fn() -> PublishError; 4] = [
    || PublishError::Busy,
    || PublishError::Unreachable,
    || PublishError::TimedOut,
    || PublishError::Refused("disk alarm".to_owned()),
];

const NIGHTINGALE: &str = include_str!("../../golden/nightingale-firing.json");

/// What was asked and what came back.
pub(crate) struct Exchange {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) reply: Reply,
}

/// One method of one path, asked again and again.
struct Asking {
    method: &'static str,
    path: &'static str,
    seen: Vec<Exchange>,
}

/// Everything one method of one address that takes alerts can answer.
pub(crate) async fn about_alerts(method: &'static str, path: &'static str) -> Vec<Exchange> {
    let mut asking = Asking { method, path, seen: Vec::new() };
    let open = Harness::open();
    let loki = r#"{"message":"服务名称: order","status":"firing","at_name":"lan"}"#;
    let many = format!("{{\"alerts\":[{}{{}}]}}", "{},".repeat(100_000));
    for body in [CUSTOM, loki, r#"{"alerts":[]}"#, "{", "{}", many.as_str()] {
        asking.send(&open, &[], body).await;
    }
    asking.send(&open, &["Content-Encoding: br"], CUSTOM).await;
    asking.send(&open, &[], NIGHTINGALE).await;
    asking.at("?receiver=nobody").send(&open, &[], CUSTOM).await;
    asking.at("?type=dd").send(&open, &[], CUSTOM).await;
    asking.by("GET").send(&open, &[], "").await;
    asking.by("DELETE").send(&open, &[], "").await;
    asking.about_gate().await;
    asking.about_limits(CUSTOM, |_| {}).await;
    for failure in FAILURES {
        open.queue.will(Behaviour::Fail(failure));
        asking.send(&open, &[], CUSTOM).await;
        asking.send(&open, &[], NIGHTINGALE).await;
    }
    asking.seen
}

/// Everything one method of one address that Feishu calls can answer.
pub(crate) async fn about_callbacks(method: &'static str, path: &'static str) -> Vec<Exchange> {
    let mut asking = Asking { method, path, seen: Vec::new() };
    let keys = |settings: &mut Settings| {
        settings.lark =
            LarkConfig { encrypt_key: Some(Secret::new(KEY)), verification_token: Some(Secret::new(TOKEN)) };
    };
    let harness = Harness::with(keys);
    let off = Harness::open();
    let unusable = SEED_PRESS.replace("open_id", "x");
    let other = r#"{"schema":"2.0","header":{"event_type":"im.chat.disbanded_v1","token":"test-verification-token-01"},"event":{}}"#;
    for failure in [None].into_iter().chain(FAILURES.map(Some)) {
        harness.queue.will(failure.map_or(Behaviour::Confirm, Behaviour::Fail));
        for (headers, body) in [
            (vec![], CHALLENGE),
            (as_event(ENCRYPTED_EVENT), ENCRYPTED_EVENT),
            (as_event(NEW_PRESS), NEW_PRESS),
            (as_old_card(SEED_PRESS), SEED_PRESS),
            (as_old_card(&unusable), unusable.as_str()),
            (as_event(other), other),
            (seal("test_signature"), ENCRYPTED_EVENT),
            (as_event("{"), "{"),
        ] {
            let headers: Vec<_> = headers.iter().map(String::as_str).collect();
            asking.send(&harness, &headers, body).await;
        }
    }
    asking.send(&off, &[], CHALLENGE).await;
    asking.by("GET").send(&harness, &[], "").await;
    asking.send(&harness, &["Content-Encoding: gzip"], CHALLENGE).await;
    asking.about_limits(CHALLENGE, keys).await;
    asking.seen
}

impl Asking {
    async fn send(&mut self, harness: &Harness, headers: &[&str], body: &str) {
        let method = self.method;
        let path = self.path.to_owned();
        let reply = exchange(harness.address, &format!("{method} {path}"), headers, body.as_bytes()).await;
        self.seen.push(Exchange { method, path, reply });
    }

    async fn raw(&mut self, harness: &Harness, rest: &str) {
        let mut client = Client::connect(harness.address).await;
        let method = self.method;
        let path = self.path.to_owned();
        client.try_send(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{rest}")).await;
        self.seen.push(Exchange { method, path, reply: client.reply().await });
    }

    async fn about_gate(&mut self) {
        let harness = Harness::with(|settings| {
            settings.gate.api_keys = vec![Secret::new("k1")];
            settings.gate.hmac.secrets = vec![Secret::new("s1")];
            settings.gate.alert_bot_ids = vec!["somebody_else".to_owned()];
        });
        let stale = ["X-Timestamp: 1", &format!("X-Signature: sha256={}", "00".repeat(32))];
        for headers in [&[][..], &["Authorization: Bearer k2"], &stale, &["Authorization: Bearer k1"]] {
            self.send(&harness, headers, CUSTOM).await;
        }
        let listed = Harness::with(|settings| settings.gate.allowed_ips = vec!["192.0.2.1".parse().unwrap()]);
        self.send(&listed, &[], CUSTOM).await;
    }

    async fn about_limits(&mut self, body: &str, change: impl Fn(&mut Settings)) {
        let small = Harness::with(|settings| {
            change(settings);
            settings.limits.body_bytes = 1000;
            settings.limits.body_timeout = SHORT;
        });
        self.send(&small, &[], &" ".repeat(1001)).await;
        self.raw(&small, "Content-Length: 100\r\n\r\n{").await;
        self.raw(&small, "Transfer-Encoding: chunked\r\n\r\nno length\r\n").await;
        self.raw(&small, &format!("X-Large: {}\r\n\r\n", "x".repeat(64 << 10))).await;
        let full = Harness::with(|settings| {
            change(settings);
            settings.limits.bodies_bytes = 10;
        });
        self.send(&full, &[], body).await;
    }
}

/// A request by another method or to another query, whose answer is kept with the rest.
struct Aside<'a> {
    asking: &'a mut Asking,
    method: &'static str,
    query: &'static str,
}

impl Asking {
    fn by(&mut self, method: &'static str) -> Aside<'_> {
        Aside { asking: self, method, query: "" }
    }

    fn at(&mut self, query: &'static str) -> Aside<'_> {
        let method = self.method;
        Aside { asking: self, method, query }
    }
}

impl Aside<'_> {
    async fn send(self, harness: &Harness, headers: &[&str], body: &str) {
        let Self { asking, method, query } = self;
        // What the path names goes before the query.
        let path = match asking.path {
            "/robot/send" if !query.is_empty() => "/robot/send?access_token=nobody".to_owned(),
            "/cgi-bin/webhook/send" if !query.is_empty() => "/cgi-bin/webhook/send?key=nobody".to_owned(),
            path if path.contains("default") && !query.is_empty() => path.replace("default", "nobody"),
            path => format!("{path}{query}"),
        };
        let mut client = Client::connect(harness.address).await;
        client.send(request(&format!("{method} {path}"), headers, body.as_bytes())).await;
        asking.seen.push(Exchange { method, path, reply: client.reply().await });
    }
}

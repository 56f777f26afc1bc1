//! `docs/openapi.yaml` against the real answers: nothing is answered that it does not say, and it says nothing that is
//! not answered.

mod document;
mod requests;
mod schema;

use std::collections::BTreeSet;

use bytes::Bytes;
use prometheus::Registry;
use runtime::telemetry::admin::{Admin, AdminHosts, Page, PageFuture, PageRequest, page};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::client::{CUSTOM, Client, Reply, exchange};
use crate::harness::Harness;
use document::Document;
use requests::{Exchange, about_alerts, about_callbacks};
use schema::fault;

/// Where answers are put together; their codes are read out of it, because they are nobody else's business.
const ANSWERS: &str = include_str!("../../src/answer.rs");
/// What no request can bring about: a fault of ours.
const NEVER: &str = "internal";

impl Document {
    /// What is documented for this answer. Methods that a path does not have are answered alike on every path.
    fn answer(&self, method: &str, path: &str, status: u16) -> &Value {
        let responses = self.responses(path, method).unwrap_or_else(|| {
            assert_eq!(status, 405, "{method} {path} is not documented");
            ["post", "get"].iter().find_map(|method| self.responses(path, method)).unwrap()
        });
        let found = responses.get(&status.to_string());
        self.resolve(found.unwrap_or_else(|| panic!("{status} of {method} {path} is not documented")))
    }

    fn check_all(&self, exchanges: &[Exchange]) {
        for exchange in exchanges {
            self.check(exchange);
        }
    }

    fn check(&self, Exchange { method, path, reply }: &Exchange) {
        let path = self.path_of(path).unwrap_or_else(|| panic!("{path} is not documented"));
        let answer = self.answer(method, path, reply.status);
        self.check_answer(answer, reply)
            .unwrap_or_else(|fault| panic!("{method} {path}: {fault} in {reply:?}"));
    }

    fn check_answer(&self, answer: &Value, reply: &Reply) -> Result<(), String> {
        for (name, header) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let value = reply.header(name).ok_or_else(|| format!("{name} is missing"))?;
            let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
            fault(self, &header["schema"], &value).map_or(Ok(()), Err)?;
        }
        let kind = reply.header("content-type").map(|kind| kind.split(';').next().unwrap_or(kind));
        match (answer.get("content"), kind) {
            (None, None) if reply.body.is_empty() => Ok(()),
            (Some(content), Some(kind @ "application/json")) => {
                fault(self, &content[kind]["schema"], &reply.json()).map_or(Ok(()), Err)
            }
            (Some(content), Some(kind)) if content.get(kind).is_some() && !reply.body.is_empty() => Ok(()),
            (_, kind) => Err(format!("a body of {kind:?} is not documented")),
        }
    }
}

fn statuses(exchanges: &[Exchange], method: &str) -> BTreeSet<String> {
    // Another method is answered as the document says under the methods there are.
    let counts = |exchange: &&Exchange| exchange.method == method || exchange.reply.status == 405;
    exchanges.iter().filter(counts).map(|exchange| exchange.reply.status.to_string()).collect()
}

fn documented(document: &Document, path: &str, method: &str) -> BTreeSet<String> {
    let responses = document.responses(path, method).unwrap();
    responses.keys().filter(|status| *status != "default").cloned().collect()
}

fn codes(exchanges: &[Exchange]) -> BTreeSet<String> {
    let errors =
        exchanges.iter().filter(|exchange| exchange.reply.status >= 400 && exchange.reply.status != 431);
    errors.map(|exchange| exchange.reply.outcome().1).collect()
}

#[tokio::test]
async fn whatever_is_answered_is_documented_and_whatever_is_documented_is_answered() {
    let document = Document::read();
    let mut seen = BTreeSet::new();
    for method in ["POST", "PUT"] {
        for path in ["/api/alert", "/api/alert/default", "/alert"] {
            let exchanges = about_alerts(method, path).await;
            document.check_all(&exchanges);
            let template = document.path_of(path).unwrap();
            assert_eq!(
                statuses(&exchanges, method),
                documented(&document, template, method),
                "{method} {path}"
            );
            seen.append(&mut codes(&exchanges));
        }
        for path in ["/lark/event", "/lark/card/action"] {
            let exchanges = about_callbacks(method, path).await;
            document.check_all(&exchanges);
            assert_eq!(statuses(&exchanges, method), documented(&document, path, method), "{method} {path}");
            seen.append(&mut codes(&exchanges));
        }
    }
    for path in [
        "/api/v2/alerts",
        "/open-apis/bot/v2/hook/default",
        "/robot/send",
        "/cgi-bin/webhook/send",
        "/dingtalk/default/send",
        "/prometheusalert",
    ] {
        let exchanges = about_alerts("POST", path).await;
        document.check_all(&exchanges);
        let template = document.path_of(path).unwrap();
        assert_eq!(statuses(&exchanges, "POST"), documented(&document, template, "POST"), "{path}");
        seen.append(&mut codes(&exchanges));
    }
    let harness = Harness::open();
    for line in ["POST /nowhere", "GET /api", "POST /api/alerts/a"] {
        let reply = exchange(harness.address, line, &[], CUSTOM.as_bytes()).await;
        let answer = document.at("/components/responses/NoSuchPath");
        assert_eq!((reply.status, document.check_answer(answer, &reply)), (404, Ok(())), "{line}");
        seen.insert(reply.outcome().1);
    }
    seen.insert(NEVER.to_owned());
    let listed = document.at("/components/schemas/Error/properties/code/enum").as_array().unwrap();
    assert_eq!(seen, listed.iter().map(|code| code.as_str().unwrap().to_owned()).collect());
}

#[test]
fn every_code_in_the_table_of_answers_is_documented() {
    let document = Document::read();
    let (_, list) = ANSWERS.split_once("const CODES: [&str;").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    let codes: Vec<&str> = list.split('"').skip(1).step_by(2).filter(|code| *code != "accepted").collect();
    assert!(codes.len() > 20, "{codes:?}");
    let listed = document.at("/components/schemas/Error/properties/code/enum").as_array().unwrap();
    for code in codes {
        assert!(listed.iter().any(|known| known == code), "{code} is not in docs/openapi.yaml");
        assert!(GUIDE.contains(&format!("`{code}`")), "{code} is not in docs/http-api.md");
    }
}

const GUIDE: &str = include_str!("../../../docs/http-api.md");

/// A page as a worker adds it.
struct Preview;

impl Page for Preview {
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p> {
        let html = || page("text/html; charset=utf-8", Bytes::from_static(b"<!doctype html>"));
        let is_asked = request.method == "GET" && request.uri.path() == "/";
        Box::pin(std::future::ready(is_asked.then(html)))
    }
}

#[tokio::test]
async fn the_admin_port_answers_as_documented() {
    let document = Document::read();
    let harness = Harness::open();
    let queue = harness.lifecycle.readiness.condition("queue");
    let mut seen = Vec::new();
    for pages in [Vec::new(), vec![Box::new(Preview) as Box<dyn Page>]] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let registry = Registry::new();
        Admin { registry, pages, tls: None, hosts: AdminHosts::default() }
            .spawn(listener, &harness.lifecycle)
            .unwrap();
        for path in ["/", "/healthz", "/readyz", "/metrics"] {
            for method in ["GET", "POST", "DELETE"] {
                let reply = exchange(address, &format!("{method} {path}"), &[], b"").await;
                seen.push(Exchange { method, path: path.to_owned(), reply });
            }
            let mut client = Client::connect(address).await;
            client.send(format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n")).await;
            seen.push(Exchange { method: "GET", path: path.to_owned(), reply: client.reply().await });
        }
        queue.set(true);
    }
    document.check_all(&seen);
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        let of_path: Vec<Exchange> = seen.extract_if(.., |exchange| exchange.path == path).collect();
        assert_eq!(statuses(&of_path, "GET"), documented(&document, path, "get"), "{path}");
    }
}

#[test]
fn bodies_as_senders_write_them_fit_what_is_documented_and_those_that_lack_something_do_not() {
    let document = Document::read();
    let of_alerts = document.at("/components/requestBodies/AnyAlert/content/application~1json/schema");
    let callbacks = document.at("/components/requestBodies/Callback/content/application~1json/schema");
    for body in [
        include_str!("../golden/alertmanager-0.34.json"),
        include_str!("../golden/alertmanager-unix-times.json"),
        include_str!("../golden/grafana-13.json"),
        include_str!("../golden/grafana-test-button.json"),
        include_str!("../golden/grafana-legacy-alerting.json"),
        include_str!("../golden/grafana-legacy-float-ids.json"),
        include_str!("../golden/custom-full.json"),
        include_str!("../golden/loki-feishu-full.json"),
        CUSTOM,
    ] {
        assert_eq!(fault(&document, of_alerts, &serde_json::from_str(body).unwrap()), None, "{body}");
    }
    for body in ["{}", "[]", r#"{"sender_id":"x"}"#, r#"{"alerts":{}}"#, r#"{"ruleId":1}"#] {
        assert!(fault(&document, of_alerts, &serde_json::from_str(body).unwrap()).is_some(), "{body}");
    }
    for body in [
        crate::lark::CHALLENGE,
        crate::lark::ENCRYPTED_EVENT,
        crate::lark::NEW_PRESS,
        crate::lark::SEED_PRESS,
    ] {
        assert_eq!(fault(&document, callbacks, &serde_json::from_str(body).unwrap()), None, "{body}");
    }
}

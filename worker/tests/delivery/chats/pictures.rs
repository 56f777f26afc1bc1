//! What an alert looked like is shown on the card of an app's bot, or linked, and never holds it back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use config::{Environment, ImagesConfig, parse};
use feishu_sim::{Call, Fault, Lasting, Record, Verdict};
use model::envelope::Envelope;
use serde_json::Value;
use testkit::tls::{TestCa, TlsFront};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::harness::{APP, Tenant, firing, header, over};
use super::people::{press, tenant};
use crate::harness::EAGER;

/// A picture as small as can be, and its beginning.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// Serves pictures, and counts who asks for what.
struct Gallery {
    address: SocketAddr,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
    _serving: JoinSet<()>,
}

impl Gallery {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let counts = Arc::clone(&asked);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(answer(stream, Arc::clone(&counts)));
            }
        });
        Self { address, asked, _serving: serving }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// The setting that lets pictures be fetched from here.
    fn images(&self) -> ImagesConfig {
        images_from(self.address)
    }

    async fn tenant(&self) -> Tenant {
        let mut tenant = Tenant::new(EAGER).await;
        tenant.images = self.images();
        tenant
    }
}

/// The setting that lets pictures be fetched from there.
fn images_from(address: SocketAddr) -> ImagesConfig {
    let text =
        format!("images: {{ hosts: [\"{address}\"] }}\nreceivers: {{ a: {{ webhook_url: https://h/x }} }}");
    parse("test.yaml", &text, Environment::default()).unwrap().images
}

async fn answer(mut stream: TcpStream, asked: Arc<Mutex<BTreeMap<String, usize>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    *asked.lock().unwrap().entry(path.clone()).or_default() += 1;
    let (head, body): (&str, &[u8]) = match path.as_str() {
        "/moved.png" => ("302 Found\r\nLocation: /a.png", b""),
        "/page" => ("200 OK", b"<html>log in first</html>"),
        "/missing.png" => ("404 Not Found", b""),
        "/huge.png" => ("200 OK\r\nContent-Length: 10000001", PNG),
        "/never.png" => return std::future::pending().await,
        _ => ("200 OK", PNG),
    };
    let response = [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat();
    let _gone = stream.write_all(&response).await;
}

/// A firing alert with a picture.
fn pictured(index: u8, name: &str, url: &str) -> Envelope<'static> {
    let mut envelope = firing(index, &[name]);
    envelope.alerts[0].links.image = url.to_owned().into();
    envelope
}

/// The keys of the pictures on a card.
fn pictures(card: &Value) -> Vec<String> {
    match card {
        Value::Object(members) => {
            let own = members.get("img_key").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(pictures)).collect()
        }
        Value::Array(items) => items.iter().flat_map(pictures).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn is_linked(record: &Record, url: &str) -> bool {
    let card = record.card().unwrap();
    pictures(&card).is_empty() && card.to_string().contains(url)
}

#[tokio::test]
async fn a_picture_is_uploaded_once_and_stays_on_its_card() {
    let gallery = Gallery::open().await;
    let url = gallery.url("/a.png");
    let mut tenant = tenant().await;
    tenant.images = gallery.images();
    let mut hand = tenant.hand();
    hand.tell(&[&pictured(1, "A", &url)]).await;
    let [sent] = <[_; 1]>::try_from(tenant.sent()).unwrap();
    let [key] = <[_; 1]>::try_from(pictures(&sent.card().unwrap())).unwrap();
    assert!(!sent.card().unwrap().to_string().contains(&url), "what is seen need not be linked");
    hand.tell(&[&pictured(2, "B", &url)]).await;
    assert_eq!(pictures(&tenant.sent()[1].card().unwrap()), [key.as_str()]);
    assert_eq!((gallery.asked("/a.png"), tenant.count(Call::Upload, &Verdict::Answered)), (1, 1));
    assert!(hand.metric("larkfire_card_pictures_total{outcome=\"uploaded\"} 1"));

    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    let acknowledged = tenant.shows(&sent, "Acknowledged by").await;
    assert_eq!(pictures(&acknowledged), [key.as_str()]);
    hand.stop().await;
    // Another worker knows it by the card.
    let mut hand = tenant.hand();
    hand.tell(&[&over(3, &["A"])]).await;
    let ended = tenant.now_shown(&sent);
    assert_eq!((header(&ended).0, pictures(&ended)), ("green", vec![key]));
    assert_eq!(tenant.count(Call::Upload, &Verdict::Answered), 1);
    hand.stop().await;
}

#[tokio::test]
async fn a_picture_behind_a_private_authority_is_fetched_where_its_file_is_named() {
    let gallery = Gallery::open().await;
    let ca = TestCa::new();
    let front = TlsFront::start(&ca.issue(&["127.0.0.1"]), gallery.address).await;
    let url = format!("https://{}/a.png", front.address());
    for (ca_file, uploads) in [(None, 0), (Some(ca.file().to_owned()), 1)] {
        let mut tenant = Tenant::new(EAGER).await;
        tenant.images = images_from(front.address());
        tenant.https_ca_file = ca_file;
        let mut hand = tenant.hand();
        hand.tell(&[&pictured(1, "A", &url)]).await;
        let card = tenant.sent()[0].card().unwrap();
        assert_eq!(
            (pictures(&card).len(), tenant.count(Call::Upload, &Verdict::Answered)),
            (uploads, uploads)
        );
        hand.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_linked_and_counted() {
    let gallery = Gallery::open().await;
    let elsewhere = Gallery::open().await;
    let tenant = gallery.tenant().await;
    let mut hand = tenant.hand();
    let cases = [
        (gallery.url("/moved.png"), "unreachable"),
        (gallery.url("/missing.png"), "unreachable"),
        (gallery.url("/page"), "other_format"),
        (gallery.url("/huge.png"), "too_large"),
        (elsewhere.url("/a.png"), "not_allowed"),
    ];
    for (index, (url, outcome)) in (1..).zip(&cases) {
        hand.tell(&[&pictured(index, &format!("A{index}"), url)]).await;
        let sent = tenant.sent().pop().unwrap();
        assert!(is_linked(&sent, url), "{url}: {:?}", sent.card());
        assert!(
            hand.count(&format!("larkfire_card_pictures_total{{outcome=\"{outcome}\"}}")) > 0,
            "{outcome}"
        );
    }
    assert_eq!(gallery.asked("/a.png"), 0, "nobody went where the answer led");
    assert_eq!(elsewhere.asked("/a.png"), 0, "nobody asked a host that is not configured");
    assert_eq!(tenant.sent().len(), cases.len());
    hand.stop().await;
}

#[tokio::test]
async fn a_picture_that_does_not_come_is_waited_for_once_and_then_linked() {
    let gallery = Gallery::open().await;
    let url = gallery.url("/never.png");
    let tenant = gallery.tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&pictured(1, "A", &url)]).await;
    assert!(is_linked(&tenant.sent()[0], &url));
    assert!(hand.metric("larkfire_card_pictures_total{outcome=\"late\"} 1"));
    hand.tell(&[&pictured(2, "B", &url)]).await;
    assert!(is_linked(&tenant.sent()[1], &url));
    assert_eq!(gallery.asked("/never.png"), 1);
    hand.stop().await;
}

#[tokio::test]
async fn what_feishu_does_not_take_is_linked() {
    let gallery = Gallery::open().await;
    let tenant = gallery.tenant().await;
    let refusal = Fault::Refusal { code: 99_991_672, msg: "Access denied: im:resource".to_owned() };
    tenant.sim.fault_call(APP, Call::Upload, &refusal, Lasting::Times(1)).unwrap();
    let mut hand = tenant.hand();
    for (index, path) in [(1, "/a.png"), (2, "/b.png")] {
        let url = gallery.url(path);
        hand.tell(&[&pictured(index, path, &url)]).await;
        assert!(is_linked(&tenant.sent().pop().unwrap(), &url));
    }
    // The second was not even tried: what the app may not do it may not do a moment later either.
    assert_eq!((gallery.asked("/b.png"), tenant.count(Call::Upload, &Verdict::Answered)), (0, 0));
    assert_eq!(hand.count("larkfire_card_pictures_total{outcome=\"refused\"}"), 2);
    hand.stop().await;
}

#[tokio::test]
async fn a_card_that_is_refused_for_its_picture_is_sent_with_a_link() {
    let gallery = Gallery::open().await;
    let url = gallery.url("/a.png");
    let tenant = gallery.tenant().await;
    let msg = "Failed to create card content, ext=ErrCode: 200570; ErrMsg: invalid image key".to_owned();
    tenant
        .sim
        .fault_call(APP, Call::Send, &Fault::Refusal { code: 230_099, msg }, Lasting::Times(1))
        .unwrap();
    let mut hand = tenant.hand();
    hand.tell(&[&pictured(1, "A", &url)]).await;
    let [sent] = <[_; 1]>::try_from(tenant.sent()).unwrap();
    assert!(is_linked(&sent, &url), "{:?}", sent.card());
    assert!(hand.metric("larkfire_card_repairs_total{kind=\"picture\"} 1"));
    hand.stop().await;
}

#[tokio::test]
async fn without_a_setting_nothing_is_fetched() {
    let gallery = Gallery::open().await;
    let url = gallery.url("/a.png");
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    hand.tell(&[&pictured(1, "A", &url)]).await;
    assert!(is_linked(&tenant.sent()[0], &url));
    assert_eq!(gallery.asked("/a.png"), 0);
    hand.stop().await;
}

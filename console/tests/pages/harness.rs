//! The console on an admin port of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use console::access::{Access, LoopbackAccess};
use console::{Console, ConsoleParts};
use hyper::Method;
use jiff::tz::TimeZone;
use prometheus::Registry;
use runtime::lifecycle::Lifecycle;
use runtime::telemetry::admin::{Admin, AdminHosts, Page};
use testkit::http::{Answer, send};
use tokio::net::TcpListener;

use crate::fake_backend::{FakeBackend, FakeExplainer};

/// Names that are asked for in tests.
const NAMES: [&str; 3] = ["larkfire.example.com", "evil.example", "larkfire.example.com.evil.example"];

pub(crate) struct Harness {
    pub(crate) backend: Arc<FakeBackend>,
    pub(crate) explainer: Arc<FakeExplainer>,
    base: String,
    _lifecycle: Lifecycle,
}

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::at("").await
    }

    pub(crate) async fn at(prefix: &str) -> Self {
        Self::listening("127.0.0.1:9095", prefix).await
    }

    /// As if the admin port listened there.
    pub(crate) async fn listening(listen: &str, prefix: &str) -> Self {
        let access = LoopbackAccess::on(listen.parse().unwrap(), "somebody".to_owned());
        Self::behind(Arc::new(access), prefix).await
    }

    /// Where this decides who gets in.
    pub(crate) async fn behind(access: Arc<dyn Access>, prefix: &str) -> Self {
        Self::with(access, prefix, false).await
    }

    /// Where cards are only previewed, or not.
    pub(crate) async fn with(access: Arc<dyn Access>, prefix: &str, is_previewing: bool) -> Self {
        let backend = Arc::new(FakeBackend::default());
        let explainer = Arc::new(FakeExplainer::default());
        let console = Console::new(ConsoleParts {
            reads: Arc::clone(&backend) as _,
            acts: Arc::clone(&backend) as _,
            explains: Some(Arc::clone(&explainer) as _),
            access,
            path_prefix: prefix.to_owned(),
            timezone: TimeZone::get("Asia/Shanghai").unwrap(),
            version: "1.2.3".to_owned(),
            is_previewing,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let lifecycle = Lifecycle::default();
        let pages: Vec<Box<dyn Page>> = vec![Box::new(console)];
        // The admin port lets these through: what the console makes of them is its own.
        let hosts = AdminHosts::new(NAMES.map(str::to_owned));
        Admin { registry: Registry::new(), pages, tls: None, hosts }.spawn(listener, &lifecycle).unwrap();
        Self { backend, explainer, base, _lifecycle: lifecycle }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(Method::GET, &format!("{}{path}", self.base), headers, Bytes::new()).await.unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        send(method, &format!("{}{path}", self.base), headers, Bytes::from(body.to_owned())).await.unwrap()
    }
}

impl Drop for Harness {
    /// What is still being explained may end, so that a test that fails does.
    fn drop(&mut self) {
        self.explainer.may_end.store(true, Ordering::SeqCst);
    }
}

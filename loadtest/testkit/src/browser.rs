//! A Chromium without a window, by `W3C WebDriver`: it shows what a page's own scripts do, which nothing else does.
//!
//! The five commands that tests need are spoken here: a client of its own would bring a licence that is not allowed
//! (`fantoccini`: MPL), or a feature of `serde_json` that turns the keys of every card of the workspace (`thirtyfour`).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::process::{Launch, Process};
use crate::wait_until::wait_until;

/// How long the driver and a browser may take to start; where six builds share the machine that is a minute.
const START_PATIENCE: Duration = Duration::from_mins(3);
/// How long a page may take to come to what a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the driver may take to end a browser.
const END_PATIENCE: Duration = Duration::from_secs(10);
/// By this name the driver returns an element (W3C `WebDriver`, "elements").
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// It asks nobody but this machine, whatever a page says.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
];

/// A browser with one tab. When dropped it is ended, the failed test's too.
pub struct Browser {
    driver: SocketAddr,
    session: String,
    _process: Process,
    _folder: TempDir,
}

/// What the reader's system asks pages for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourScheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl ColourScheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How large a window is, in the pixels of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewport {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Viewport {
    /// A phone held upright.
    pub const PHONE: Self = Self { width: 390, height: 844 };
    /// A laptop.
    pub const LAPTOP: Self = Self { width: 1280, height: 800 };
}

impl Browser {
    /// A browser on an empty page.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let driver = Launch::program("chromedriver")
            .argument("--port=0")
            .variable("HOME", folder.path())
            .variable("TMPDIR", folder.path())
            .start();
        let line = driver.wait_for_line("started successfully on port", START_PATIENCE).await;
        let port = line.rsplit(' ').next().and_then(|port| port.trim_end_matches('.').parse::<u16>().ok());
        let port = port.unwrap_or_else(|| panic!("a port in {line:?}"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": ARGUMENTS },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let url = format!("http://{address}/session");
        let value = answered(Method::POST, &url, &capabilities, START_PATIENCE).await;
        let session = value["sessionId"].as_str().unwrap_or_else(|| panic!("a session in {value}"));
        Self { driver: address, session: session.to_owned(), _process: driver, _folder: folder }
    }

    /// Opens a page, and returns once it is loaded.
    pub async fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url })).await;
    }

    /// Runs the body of a function on the page; what it returns.
    pub async fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// Runs the body of a function again and again until it returns something that is true for a script, and returns that.
    pub async fn wait_for(&self, what: &str, script: &str) -> Value {
        wait_until(PATIENCE, what, async || {
            let seen = self.run(script).await;
            let is_there = match &seen {
                Value::Null => false,
                Value::Bool(is_true) => *is_true,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(_) | Value::Object(_) => true,
            };
            if is_there { Ok(seen) } else { Err(seen) }
        })
        .await
    }

    /// What is read in the first element of this CSS selector.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        let path = format!("session/{}/element/{element}/text", self.session);
        let text = answered(Method::GET, &self.url(&path), &Value::Null, PATIENCE).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// How many elements there are of this CSS selector.
    pub async fn count(&self, selector: &str) -> usize {
        let found = self.command("elements", &json!({ "using": "css selector", "value": selector })).await;
        found.as_array().map_or(0, Vec::len)
    }

    /// Clicks on the first element of this CSS selector, as a person does: it has to be seen, and nothing may lie over it.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.command(&format!("element/{element}/click"), &json!({})).await;
    }

    /// Types into the first element of this CSS selector.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.command(&format!("element/{element}/value"), &json!({ "text": text })).await;
    }

    /// Makes the page as large as a phone's, or another one's.
    pub async fn resize(&self, viewport: Viewport) {
        let Viewport { width, height } = viewport;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// Asks pages for these colours.
    pub async fn prefer(&self, scheme: ColourScheme) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme.as_str() });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] })).await;
    }

    /// All of the page as a picture, a PNG in base64.
    pub async fn picture(&self) -> String {
        let options = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", &options).await;
        picture["data"].as_str().unwrap_or_default().to_owned()
    }

    /// What was written to the console since the last call, what the browser itself has to say included: scripts that
    /// failed, answers that are missing, what a policy did not let happen.
    pub async fn console(&self) -> Vec<String> {
        let path = format!("session/{}/se/log", self.session);
        let entries = answered(Method::POST, &self.url(&path), &json!({ "type": "browser" }), PATIENCE).await;
        let line = |entry: &Value| {
            format!("{} {}", entry["level"].as_str().unwrap_or("?"), entry["message"].as_str().unwrap_or("?"))
        };
        entries.as_array().map(|entries| entries.iter().map(line).collect()).unwrap_or_default()
    }

    /// Whether the page is wider than its window, so that one has to move it to read.
    pub async fn is_wider_than_its_window(&self) -> bool {
        let script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth;";
        self.run(script).await == true
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.command("element", &json!({ "using": "css selector", "value": selector })).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("an element in {found}")).to_owned()
    }

    /// A command of the protocol that its own tools speak with it.
    async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn command(&self, command: &str, parameters: &Value) -> Value {
        let url = self.url(&format!("session/{}/{command}", self.session));
        answered(Method::POST, &url, parameters, PATIENCE).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.driver)
    }

    /// Ends the session. Without that the browser would live on when its driver is killed.
    fn end(&self) -> std::io::Result<()> {
        let mut driver = TcpStream::connect_timeout(&self.driver, END_PATIENCE)?;
        driver.set_read_timeout(Some(END_PATIENCE))?;
        write!(
            driver,
            "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.session, self.driver
        )?;
        // It answers once the browser is gone.
        let mut answered = [0];
        driver.read(&mut answered).map(drop)
    }
}

impl Drop for Browser {
    #[expect(clippy::print_stderr, reason = "the test harness shows it with the failed test")]
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("a browser may still run: {error}");
        }
    }
}

/// What the driver answers; one that refuses ends the test.
async fn answered(method: Method, url: &str, parameters: &Value, within: Duration) -> Value {
    let body = if parameters.is_null() { Bytes::new() } else { parameters.to_string().into() };
    let headers = [("content-type", "application/json")];
    let answer = http::send_within(within, method, url, &headers, body).await;
    let answer = answer.unwrap_or_else(|error| panic!("the driver at {url}: {error}"));
    let mut value = answer.json()["value"].take();
    assert_eq!(answer.status, 200, "the driver at {url} with {parameters}: {}", value["message"].take());
    value
}

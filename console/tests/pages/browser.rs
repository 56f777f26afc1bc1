//! A browser as far as log-ins go: it keeps cookies, and sends forms as pages have them.

use std::collections::BTreeMap;

use hyper::Method;
use testkit::http::Answer;

use crate::harness::Harness;

#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, harness: &Harness, path: &str) -> Answer {
        self.send(harness, Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&mut self, harness: &Harness, path: &str, body: &str) -> Answer {
        self.send(harness, Method::POST, path, &[], body).await
    }

    pub(crate) async fn send(
        &mut self,
        harness: &Harness,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers: Vec<_> = headers.iter().copied().chain([("cookie", cookies.as_str())]).collect();
        let answer = harness.send(method, path, &headers, body).await;
        for line in answer.headers.get_all("set-cookie") {
            let (cookie, attributes) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = cookie.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens the form and sends it.
    pub(crate) async fn log_in(&mut self, harness: &Harness, name: &str, password: &str) -> Answer {
        let form = self.get(harness, "/login").await;
        self.post(harness, "/login", &login(&token(&form), name, password)).await
    }

    /// The one cookie whose name ends so.
    pub(crate) fn cookie(&self, ending: &str) -> Option<&str> {
        self.cookies.iter().find(|(name, _)| name.ends_with(ending)).map(|(_, value)| value.as_str())
    }
}

/// The token in the form of a page.
pub(crate) fn token(page: &Answer) -> String {
    let (_, rest) = page.text().split_once("name=\"token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn login(token: &str, name: &str, password: &str) -> String {
    format!("token={token}&next=%2F&name={name}&password={}", password.replace(' ', "+"))
}

/// The whole line that sets a cookie.
pub(crate) fn set_cookie<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let lines = answer.headers.get_all("set-cookie").into_iter().map(|line| line.to_str().unwrap());
    let mut found = lines.filter(|line| line.starts_with(&format!("{name}=")));
    found.next().unwrap()
}

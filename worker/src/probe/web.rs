//! Questions over HTTP. What is shown of an address is its scheme, host and port: what comes behind may be a
//! credential.

use std::error::Error;

use config::check::probe::{Outcome, Probe};
use config::{AlertmanagerConfig, Config, DEFAULT_RECEIVER};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode, Url};
use runtime::clock::Clock;
use runtime::tls::said_of;

use crate::alertmanager::{AlertmanagerError, Alertmanagers};
use crate::feishu::exchange::date;

/// How far apart the clocks may be: Feishu refuses signatures of another hour (reference "Feishu", 1), and times on cards are
/// to be believed.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_secs(30);

/// Any answer will do: what a bot says to a card, `send-test` finds out. The time it names is held against ours.
pub(super) async fn feishu(client: &Client, host: String, clock: &Clock) -> Probe {
    let outcome = match client.get(&host).send().await {
        Ok(answer) => {
            let answers = format!("answers (HTTP {})", answer.status().as_u16());
            match date(answer.headers(), "date").and_then(|theirs| clocks_apart(clock.now(), theirs)) {
                None => Outcome::Fine(answers),
                Some(apart) => Outcome::Doubtful(format!("{answers}, and {apart}")),
            }
        }
        Err(error) if said_of(&error).is_some() => Outcome::Failed(format!(
            "{}; CAs to believe besides the system's go into https.ca_file. {}",
            innermost(&error.without_url()),
            way_out(&host, |name| std::env::var(name).ok())
        )),
        Err(error) => Outcome::Failed(format!(
            "{}; may this machine reach it, by name and by TLS? {}",
            innermost(&error.without_url()),
            way_out(&host, |name| std::env::var(name).ok())
        )),
    };
    Probe { what: host, outcome }
}

/// What is to be done about this machine's clock, if something is.
fn clocks_apart(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let apart = ours.duration_since(theirs);
    if apart.abs() <= CLOCKS_APART_MAX {
        return None;
    }
    let side = if apart.is_positive() { "ahead of" } else { "behind" };
    let seconds = apart.abs().as_secs();
    Some(format!(
        "this machine's clock is {seconds} s {side} the one there: set it by NTP; beyond an hour signed cards are refused"
    ))
}

/// By which proxy the HTTP client asks, going by the same variables as it does. What is shown of a proxy is its address;
/// who we are there is a credential.
fn way_out(host: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let own = if host.starts_with("https:") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    // A CGI script's HTTP_PROXY is what its client wrote into a header, so there the client takes none.
    let names = [own, "ALL_PROXY"].into_iter().filter(|_| variable("REQUEST_METHOD").is_none());
    let set = |name: &str| {
        let either = [name.to_owned(), name.to_ascii_lowercase()];
        either.into_iter().find_map(|name| Some((variable(&name)?, name)))
    };
    let proxy = names.filter_map(set).find_map(|(value, name)| Some((address(&value)?, name)));
    let Some((proxy, name)) = proxy else {
        return format!("No proxy is used: neither {own} nor ALL_PROXY names one");
    };
    let unless = match set("NO_PROXY").filter(|(value, _)| !value.is_empty()) {
        Some((_, no)) => format!(", unless {no} lists the host"),
        None => String::new(),
    };
    format!("The proxy {proxy} is used (by {name}){unless}")
}

/// The scheme, host and port of a proxy; `None` if it is no address of one.
fn address(value: &str) -> Option<String> {
    let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&url).ok()?;
    let scheme = url.scheme();
    let host = url.host_str()?;
    let is_known = matches!(scheme, "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h");
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    is_known.then(|| format!("{scheme}://{host}{port}"))
}

/// Without them no button silences anything.
pub(super) async fn alertmanagers(client: &Client, config: &Config) -> Vec<Probe> {
    let all = Alertmanagers::new(client.clone(), config.alertmanagers.clone(), Vec::new());
    let mut probes = Vec::new();
    for AlertmanagerConfig { name, url, .. } in &config.alertmanagers {
        let Some(alertmanager) = all.named(name) else { continue };
        let outcome = match alertmanager.version().await {
            Ok(version) => Outcome::Fine(format!("answers, version {version}")),
            Err(error) => {
                // It was asked for nothing that it could have done all the same.
                let error = if error.is_no_answer() { AlertmanagerError::Unreachable } else { error };
                Outcome::Failed(format!("{error}; {}", advice(name, &error)))
            }
        };
        let what = format!("Alertmanager {name} at {}", url.origin().ascii_serialization());
        let answers = matches!(outcome, Outcome::Fine(_));
        probes.push(Probe { what: what.clone(), outcome });
        if answers && !config.routes.is_empty() {
            // One that does not tell its receivers is too old to be asked, and no worse for it.
            let names = alertmanager.receivers().await.unwrap_or_default();
            probes.extend(same_names(config, &names).map(|outcome| Probe { what, outcome }));
        }
    }
    probes
}

/// Receivers of an Alertmanager that are called like ours: what it sends for them goes past the routes.
fn same_names(config: &Config, of_alertmanager: &[String]) -> Option<Outcome> {
    let is_ours = |name: &&String| {
        name.as_str() != DEFAULT_RECEIVER && config.receivers.iter().any(|receiver| receiver.name == **name)
    };
    let same: Vec<&str> = of_alertmanager.iter().filter(is_ours).map(String::as_str).collect();
    (!same.is_empty()).then(|| {
        Outcome::Doubtful(format!(
            "its receivers {} are called like receivers here, so what it sends for them goes there and past the routes; \
             call them otherwise if routes are to decide",
            same.join(", ")
        ))
    })
}

fn advice(name: &str, error: &AlertmanagerError) -> String {
    // The one of this name may come from the environment.
    let variable = if name == DEFAULT_RECEIVER { " (ALERTMANAGER_URL)" } else { "" };
    match error {
        AlertmanagerError::Unreachable | AlertmanagerError::TimedOut | AlertmanagerError::OutOfTime => {
            format!("is it there, and is alertmanagers.{name}.url{variable} right?")
        }
        AlertmanagerError::Unauthorized(_) => {
            format!("are alertmanagers.{name}.basic_auth or bearer_token set, and right?")
        }
        AlertmanagerError::Refused { .. } | AlertmanagerError::Unreadable => format!(
            "alertmanagers.{name}.url{variable} must be the address its page opens at, with the path of \
             --web.route-prefix if it has one"
        ),
    }
}

/// Doubtful at most: links are for people's browsers, and those may reach what a server cannot.
pub(super) async fn grafana(client: &Client, config: &Config) -> Option<Probe> {
    let mut url = config.links.grafana_url.clone()?;
    let what = format!("Grafana at {}", url.origin().ascii_serialization());
    // Only a URL without a host has no path, and the configuration has refused those.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "health"]);
    }
    let outcome = match client.get(url).send().await {
        Ok(answer) if answer.status() == StatusCode::OK => Outcome::Fine("answers".to_owned()),
        Ok(answer) => Outcome::Doubtful(format!(
            "/api/health says HTTP {}; is links.grafana_url (GRAFANA_URL) the page people open Grafana at? Behind a sign-on \
             of its own it may be right",
            answer.status().as_u16()
        )),
        Err(error) => Outcome::Doubtful(format!(
            "{}; cards are sent all the same, and their links work where people's browsers reach links.grafana_url \
             (GRAFANA_URL)",
            innermost(&error.without_url())
        )),
    };
    Some(Probe { what, outcome })
}

/// Doubtful at most: it may not run yet, or be reached from elsewhere only. Whether the redirect URL is entered in Feishu's
/// developer console nobody but Feishu's own page says, so it is written out to be compared.
pub(super) async fn console(client: &Client, config: &Config) -> Option<Probe> {
    let url = config.links.console_url.as_deref()?;
    let answers = match client.get(format!("{url}/login")).send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            // Without a log-in there is no such page.
            if matches!(status, 200 | 404) {
                Ok(format!("answers (HTTP {status})"))
            } else {
                Err(format!("says HTTP {status}"))
            }
        }
        Err(error) => {
            Err(format!("{}; does it run, and does console.url lead to it?", innermost(&error.without_url())))
        }
    };
    let redirect = config
        .console
        .feishu
        .as_ref()
        .map(|_| format!("; the app's redirect URL has to be {url}/login/feishu/callback, exactly"));
    let is_open =
        url.starts_with("http://") && config.console.has_login() && !config.admin_listen.ip().is_loopback();
    let plain = is_open.then_some("; passwords and cookies go over it unencrypted: https belongs before it");
    let said = |first: String| -> String {
        [Some(first), redirect.clone(), plain.map(str::to_owned)].into_iter().flatten().collect()
    };
    let outcome = match answers {
        Ok(answers) if plain.is_none() => Outcome::Fine(said(answers)),
        Ok(answers) | Err(answers) => Outcome::Doubtful(said(answers)),
    };
    Some(Probe { what: "console.url".to_owned(), outcome })
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    if let Some(said) = said_of(error) {
        return said;
    }
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(host: &str, variables: &[(&str, &str)]) -> String {
        way_out(host, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_clock_that_is_off_is_said_with_how_far_and_which_way() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert_eq!(clocks_apart(at(1_000), at(1_000)), None);
        assert_eq!(clocks_apart(at(1_030), at(1_000)), None);
        let ahead = clocks_apart(at(9_000), at(1_000)).unwrap();
        assert!(ahead.contains("is 8000 s ahead of"), "{ahead}");
        let behind = clocks_apart(at(1_000), at(1_031)).unwrap();
        assert!(behind.contains("is 31 s behind"), "{behind}");
    }

    #[test]
    fn the_proxy_is_named_with_its_variable_and_without_who_we_are_there() {
        let https = "https://open.feishu.cn";
        for (host, variables, expected) in [
            (https, &[][..], "No proxy is used: neither HTTPS_PROXY nor ALL_PROXY names one"),
            (
                https,
                &[("HTTP_PROXY", "http://p:1")],
                "No proxy is used: neither HTTPS_PROXY nor ALL_PROXY names one",
            ),
            (https, &[("HTTPS_PROXY", "")], "No proxy is used: neither HTTPS_PROXY nor ALL_PROXY names one"),
            (https, &[("https_proxy", "p:3128")], "The proxy http://p:3128 is used (by https_proxy)"),
            (
                https,
                &[("HTTPS_PROXY", "http://me:secret@p.example:3128/x?y=secret"), ("no_proxy", "10.0.0.0/8")],
                "The proxy http://p.example:3128 is used (by HTTPS_PROXY), unless no_proxy lists the host",
            ),
            (
                https,
                &[("HTTPS_PROXY", "ftp://p"), ("ALL_PROXY", "socks5://me:secret@[::1]:1080")],
                "The proxy socks5://[::1]:1080 is used (by ALL_PROXY)",
            ),
            (
                "http://127.0.0.1:9",
                &[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")],
                "No proxy is used: neither HTTP_PROXY nor ALL_PROXY names one",
            ),
        ] {
            assert_eq!(by(host, variables), expected);
        }
    }
}

//! Hosts that pictures of alerts may be fetched from, to be shown on cards. Whoever may post alerts names the address of a
//! picture, so without a list the worker could be made to ask anything it can reach.

use url::{Host, Url};

use super::kinds::{Must, instead_of};
use super::reader::{Section, key};

/// How pictures come onto cards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagesConfig {
    /// Where they may be fetched from. None: they are linked.
    pub hosts: Vec<ImageHost>,
}

/// A host that pictures may be fetched from, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageHost {
    name: String,
    scope: HostScope,
    /// `None`: the usual one of the scheme.
    port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostScope {
    One,
    /// All below this domain.
    Below,
}

/// At which addresses a host may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRange {
    /// At any: whoever configures a host by its name means that one.
    Any,
    /// At addresses of the internet only: any name may be below a domain, and lead to a machine within.
    Public,
}

impl ImagesConfig {
    /// Whether a picture may be fetched from here, and at which addresses its host may be.
    pub fn range_of(&self, picture: &Url) -> Option<AddressRange> {
        let is_plain = matches!(picture.scheme(), "http" | "https")
            && picture.username().is_empty()
            && picture.password().is_none();
        let matching = self.hosts.iter().filter(|host| is_plain && host.matches(picture));
        matching
            .map(|host| match host.scope {
                HostScope::One => AddressRange::Any,
                HostScope::Below => AddressRange::Public,
            })
            .min_by_key(|range| *range == AddressRange::Public)
    }
}

impl ImageHost {
    fn matches(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let is_here = match self.scope {
            HostScope::One => host == self.name,
            HostScope::Below => host
                .strip_suffix(&self.name)
                .and_then(|before| before.strip_suffix('.'))
                .is_some_and(|below| !below.is_empty()),
        };
        let is_port = match self.port {
            None => url.port().is_none(),
            Some(port) => url.port_or_known_default() == Some(port),
        };
        is_here && is_port
    }
}

pub(super) fn images(section: Section<'_>) -> ImagesConfig {
    let hosts = section.values(key("hosts"), image_host);
    section.finish();
    ImagesConfig { hosts }
}

fn image_host(text: &str) -> Result<ImageHost, Must> {
    let must =
        || instead_of(text, "a host such as grafana.example.com, grafana.monitoring:3000 or *.example.com");
    let (scope, rest) = match text.strip_prefix("*.") {
        Some(domain) => (HostScope::Below, domain),
        None => (HostScope::One, text),
    };
    let is_bare = !rest.is_empty()
        && !rest.contains(['/', '@', '?', '#', '*', '\\'])
        && !rest.contains(char::is_whitespace);
    let url = Url::parse(&format!("https://{rest}/")).ok().filter(|_| is_bare).ok_or_else(must)?;
    let name = match url.host().ok_or_else(must)? {
        Host::Domain(domain) => domain.to_owned(),
        Host::Ipv4(_) | Host::Ipv6(_) if scope == HostScope::Below => return Err(must()),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => format!("[{address}]"),
    };
    // A parser leaves out the port that goes without saying.
    let port = url.port().or_else(|| rest.ends_with(":443").then_some(443));
    Ok(ImageHost { name, scope, port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Environment, parse};

    fn images(hosts: &str) -> ImagesConfig {
        let text =
            format!("images: {{ hosts: {hosts} }}\nreceivers: {{ ops: {{ webhook_url: https://h/x }} }}");
        parse("larkfire.yaml", &text, Environment::default()).unwrap().images
    }

    fn range(images: &ImagesConfig, url: &str) -> Option<AddressRange> {
        images.range_of(&Url::parse(url).unwrap())
    }

    #[test]
    fn without_a_list_nothing_is_fetched() {
        assert_eq!(range(&ImagesConfig::default(), "https://grafana.example.com/a.png"), None);
    }

    #[test]
    fn a_host_is_one_by_its_name_and_port_and_hosts_below_a_domain_are_at_public_addresses() {
        let images = images(
            r#"[Grafana.example.com, "grafana.monitoring:3000", "10.0.0.7", "[fd00::1]:80", "*.s3.example.net"]"#,
        );
        for named in [
            "https://grafana.example.com/a.png",
            "http://GRAFANA.example.com/a.png",
            "http://grafana.monitoring:3000/a.png",
            "https://10.0.0.7/a.png",
            "http://[fd00:0::1]/a.png",
        ] {
            assert_eq!(range(&images, named), Some(AddressRange::Any), "{named}");
        }
        assert_eq!(range(&images, "https://a.b.s3.example.net/a"), Some(AddressRange::Public));
        for other in [
            "https://grafana.example.com:8443/a.png",
            "https://grafana.monitoring/a.png",
            "https://other.example.com/a.png",
            "https://grafana.example.com.evil.example/a.png",
            "https://s3.example.net/a",
            "https://evils3.example.net/a",
            "https://user@grafana.example.com/a.png",
            "https://user:secret@grafana.example.com/a.png",
            "ftp://grafana.example.com/a.png",
            "http://[fd00::2]/a.png",
            "http://167772167:81/a.png",
        ] {
            assert_eq!(range(&images, other), None, "{other}");
        }
        // However an address is written, it is that one.
        assert_eq!(range(&images, "http://167772167/a.png"), Some(AddressRange::Any));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for odd in ["https://grafana.example.com", "a/b", "'*'", "'*.10.0.0.1'", "'a b'", "'user@h'", "'h:x'"]
        {
            let text =
                format!("images: {{ hosts: [{odd}] }}\nreceivers: {{ ops: {{ webhook_url: https://h/x }} }}");
            let problems = parse("larkfire.yaml", &text, Environment::default()).unwrap_err().to_string();
            assert!(problems.contains("images.hosts: must be a host such as"), "{odd}: {problems}");
        }
    }
}

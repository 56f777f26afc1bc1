//! Links come from outside: only those that lead to a web page, and lead where they seem to. Addresses that mean
//! something only inside are replaced by those that people reach. Pure.

use config::Rewrite;
use url::Url;

use super::NoLink;

/// Longer links are left out, in bytes: a cut link is a broken one, and one of this length eats a tenth of the card.
pub(super) const URL_BYTES_MAX: usize = 2_000;

/// The URL in a form that is safe in a button and in `[text](url)`, unless it is not a web page's, or has a user name,
/// which serves only to make one host look like another.
pub(super) fn safe(candidate: &str, rewrites: &[Rewrite]) -> Result<String, NoLink> {
    let url = Url::parse(candidate.trim()).map_err(|_| NoLink::NoAddress)?;
    check(&url)?;
    let url = rewritten(url, rewrites)?;
    let mut encoded = String::with_capacity(url.as_str().len());
    for character in url.as_str().chars() {
        // What `Url` may leave as it is, but would end the link in markdown. None of these occurs in a host.
        match character {
            '(' | ')' | '<' | '>' | '\\' | '`' => {
                encoded.extend(["%", &format!("{:02X}", u32::from(character))]);
            }
            character => encoded.push(character),
        }
    }
    short(encoded)
}

/// The address, unless it is too long.
pub(super) fn short(address: String) -> Result<String, NoLink> {
    if address.len() <= URL_BYTES_MAX { Ok(address) } else { Err(NoLink::TooLong { bytes: address.len() }) }
}

fn check(url: &Url) -> Result<(), NoLink> {
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(NoLink::NoWebPage);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoLink::UserName);
    }
    Ok(())
}

/// The URL as people reach it: by the first pattern that matches it, else with its beginning replaced by the rule that
/// says most about it, if any does.
fn rewritten(url: Url, rewrites: &[Rewrite]) -> Result<Url, NoLink> {
    let by_pattern = rewrites.iter().find_map(|rule| match rule {
        Rewrite::Pattern(pattern) => pattern.applied(url.as_str()),
        Rewrite::Beginning { .. } => None,
    });
    if let Some(shown) = by_pattern {
        let shown = Url::parse(&shown).map_err(|_| NoLink::Rewritten)?;
        return check(&shown).map(|()| shown).map_err(|_| NoLink::Rewritten);
    }
    let fitting = rewrites.iter().filter_map(|rule| match rule {
        Rewrite::Beginning { from, to } => Some((rest_of(&url, from)?, to)),
        Rewrite::Pattern(_) => None,
    });
    let Some((rest, to)) = fitting.min_by_key(|(rest, _)| rest.len()) else { return Ok(url) };
    let mut to = to.clone();
    let path = format!("{}{rest}", to.path().trim_end_matches('/'));
    to.set_path(&path);
    to.set_query(url.query());
    to.set_fragment(url.fragment());
    Ok(to)
}

/// What follows `from` in the path of `url`, if it begins with that: the same scheme, host and port, and whole
/// segments of the path.
fn rest_of<'u>(url: &'u Url, from: &Url) -> Option<&'u str> {
    let same_place = url.scheme() == from.scheme()
        && url.host() == from.host()
        && url.port_or_known_default() == from.port_or_known_default();
    let rest = url.path().strip_prefix(from.path().trim_end_matches('/'))?;
    (same_place && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_linked() {
        for refused in [
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "lark://client/x",
            "prometheus:9090/graph",
            "/relative",
            "https://open.feishu.cn@evil.example/",
            "file:///etc/passwd",
        ] {
            assert!(safe(refused, &[]).is_err(), "{refused}");
        }
        assert_eq!(safe("/relative", &[]), Err(NoLink::NoAddress));
        assert_eq!(safe("file:///etc/passwd", &[]), Err(NoLink::NoWebPage));
        assert_eq!(safe("https://open.feishu.cn@evil.example/", &[]), Err(NoLink::UserName));
    }

    #[test]
    fn a_link_cannot_be_ended_early() {
        let url =
            safe("http://p:9090/graph?g0.expr=sum(rate(x[5m])) > 0)[a](http://evil.example", &[]).unwrap();
        assert!(!url.contains(['(', ')', '<', '>', ' ', '\\']), "{url}");
        assert_eq!(safe("http://[::1]:9090/a", &[]).unwrap(), "http://[::1]:9090/a");
    }

    #[test]
    fn an_overlong_link_is_left_out_rather_than_cut() {
        let long = format!("https://p.example/{}", "x".repeat(3_000));
        assert_eq!(safe(&long, &[]), Err(NoLink::TooLong { bytes: 3_018 }));
    }

    fn rules() -> Vec<Rewrite> {
        let rule = |(from, to): (&str, &str)| Rewrite::Beginning {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let rules = [
            ("http://prometheus:9090", "https://prom.example"),
            ("http://prometheus:9090/team/a/", "https://a.example/prom/"),
            ("http://e69f798a558c", "https://gateway.example:8443/am"),
            ("https://[::1]:3000/grafana", "https://grafana.example"),
        ];
        rules.map(rule).to_vec()
    }

    #[test]
    fn an_address_from_inside_becomes_the_one_people_reach() {
        for (inside, outside) in [
            (
                "http://prometheus:9090/graph?g0.expr=up&g0.tab=1",
                "https://prom.example/graph?g0.expr=up&g0.tab=1",
            ),
            ("HTTP://Prometheus:9090", "https://prom.example/"),
            ("http://prometheus:9090/team/a/graph", "https://a.example/prom/graph"),
            ("http://prometheus:9090/team/a", "https://a.example/prom"),
            ("http://prometheus:9090/team/ab", "https://prom.example/team/ab"),
            ("http://e69f798a558c:80/#/alerts?x=1", "https://gateway.example:8443/am/#/alerts?x=1"),
            ("https://[::1]:3000/grafana/d/x?orgId=1", "https://grafana.example/d/x?orgId=1"),
            ("http://prometheus:9090//evil.example/", "https://prom.example//evil.example/"),
        ] {
            assert_eq!(safe(inside, &rules()).as_deref(), Ok(outside), "{inside}");
        }
    }

    #[test]
    fn what_only_looks_like_such_an_address_stays_as_it_is() {
        for other in [
            "https://prometheus:9090/graph",
            "http://prometheus:9091/graph",
            "http://prometheus:90900.example/",
            "http://prometheus.example:9090/",
            "https://[::1]:3000/grafana2",
            "http://other/http://prometheus:9090/",
        ] {
            let plain = safe(other, &[]);
            assert_eq!(safe(other, &rules()), plain, "{other}");
        }
        assert_eq!(safe("http://a@prometheus:9090/", &rules()), Err(NoLink::UserName));
    }

    #[test]
    fn a_pattern_is_asked_first_and_what_it_makes_has_to_be_a_web_page() {
        let text = "links: { rewrite: { http://prometheus:9090: https://prom.example, \
            '~http://prometheus:9090/team/(\\w+)/(.*)': 'https://%{1}.example/%{2}', \
            '~http://odd:(.*)/': 'https://odd.example:%{1}/' } }";
        let rules = config::parse("x.yaml", text, config::Environment::default()).unwrap().links.rewrites;
        let shown = |address| safe(address, &rules);
        assert_eq!(
            shown("http://prometheus:9090/team/a/g?x=(1)").as_deref(),
            Ok("https://a.example/g?x=%281%29")
        );
        assert_eq!(shown("http://prometheus:9090/graph").as_deref(), Ok("https://prom.example/graph"));
        assert_eq!(shown("http://odd:81/").as_deref(), Ok("https://odd.example:81/"));
        let text = "links: { rewrite: { '~http://odd/(.*)': 'https://odd.example:%{1}/' } }";
        let rules = config::parse("x.yaml", text, config::Environment::default()).unwrap().links.rewrites;
        assert_eq!(safe("http://odd/nine", &rules), Err(NoLink::Rewritten));
    }
}

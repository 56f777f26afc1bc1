//! Links come from outside: only those that lead to a web page, and lead where they seem to. Addresses that mean
//! something only inside are replaced by those that people reach. Pure.

use config::Rewrite;
use url::Url;

/// Longer links are left out, in bytes: a cut link is a broken one, and one of this length eats a tenth of the card.
const URL_BYTES_MAX: usize = 2_000;

/// The URL in a form that is safe in a button and in `[text](url)`; `None` if it is not a web page's, or if it has
/// a user name, which serves only to make one host look like another.
pub(super) fn safe(candidate: &str, rewrites: &[Rewrite]) -> Option<String> {
    let url = Url::parse(candidate.trim()).ok()?;
    let leads_to_a_page = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if !leads_to_a_page || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let url = rewritten(url, rewrites);
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
    (encoded.len() <= URL_BYTES_MAX).then_some(encoded)
}

/// The URL with its beginning replaced by the rule that says most about it, if any does.
fn rewritten(url: Url, rewrites: &[Rewrite]) -> Url {
    let fitting = rewrites.iter().filter_map(|rule| Some((rest_of(&url, &rule.from)?, rule)));
    let Some((rest, rule)) = fitting.min_by_key(|(rest, _)| rest.len()) else { return url };
    let mut to = rule.to.clone();
    let path = format!("{}{rest}", to.path().trim_end_matches('/'));
    to.set_path(&path);
    to.set_query(url.query());
    to.set_fragment(url.fragment());
    to
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
            assert_eq!(safe(refused, &[]), None, "{refused}");
        }
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
        assert_eq!(safe(&format!("https://p.example/{}", "x".repeat(3_000)), &[]), None);
    }

    fn rules() -> Vec<Rewrite> {
        let rule =
            |(from, to): (&str, &str)| Rewrite { from: from.parse().unwrap(), to: to.parse().unwrap() };
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
            assert_eq!(safe(inside, &rules()).as_deref(), Some(outside), "{inside}");
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
        assert_eq!(safe("http://a@prometheus:9090/", &rules()), None);
    }
}

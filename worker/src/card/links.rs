//! Where to look further. Links come from outside: only those that lead to a web page, and lead where they seem to.

use shared::alert::Alert;
use url::Url;

use super::words::Words;

/// Longer links are left out, in bytes: a cut link is a broken one, and one of this length eats a tenth of the card.
const URL_BYTES_MAX: usize = 2_000;

/// The links of an alert, each with what to call it, without repetitions.
pub(super) fn of(alert: &Alert<'_>, words: &Words) -> Vec<(&'static str, String)> {
    let annotation = |name| alert.annotations.get(name).unwrap_or_default();
    let candidates = [
        (words.source, alert.generator_url.as_ref()),
        (words.dashboard, alert.links.dashboard.as_ref()),
        (words.panel, alert.links.panel.as_ref()),
        (words.runbook, annotation("runbook_url")),
        (words.image, alert.links.image.as_ref()),
        (words.silence, alert.links.silence.as_ref()),
    ];
    let mut links: Vec<(&'static str, String)> = Vec::new();
    for (name, candidate) in candidates {
        if let Some(url) = safe(candidate)
            && !links.iter().any(|(_, known)| *known == url)
        {
            links.push((name, url));
        }
    }
    links
}

/// The URL in a form that is safe in a button and in `[text](url)`; `None` if it is not a web page's, or if it has
/// a user name, which serves only to make one host look like another.
pub(super) fn safe(candidate: &str) -> Option<String> {
    let url = Url::parse(candidate.trim()).ok()?;
    let leads_to_a_page = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    if !leads_to_a_page || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use super::safe;

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
            assert_eq!(safe(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_link_cannot_be_ended_early() {
        let url = safe("http://p:9090/graph?g0.expr=sum(rate(x[5m])) > 0)[a](http://evil.example").unwrap();
        assert!(!url.contains(['(', ')', '<', '>', ' ', '\\']), "{url}");
        assert_eq!(safe("http://[::1]:9090/a").unwrap(), "http://[::1]:9090/a");
    }

    #[test]
    fn an_overlong_link_is_left_out_rather_than_cut() {
        assert_eq!(safe(&format!("https://p.example/{}", "x".repeat(3_000))), None);
    }
}

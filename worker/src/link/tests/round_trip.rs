//! Whatever a value holds: Grafana opens a query that asks for exactly this value, and Loki takes it.

use proptest::prelude::*;

use super::reader::read;
use super::*;

const NASTY: [&str; 17] = [
    r#"a"b"#,
    r"c:\temp\",
    r#"\"} or {x="y"#,
    "two\nlines\r\n\ttabbed",
    "}",
    "{}",
    r#"x"} |= "y"#,
    "|= `x`",
    "100%25 of %{selector} %",
    "a+b c&d=e#f?g;h",
    "订单-服务 🔥 \u{202e}",
    "\u{0}\u{7}\u{7f}\u{85}",
    "'single' `back`",
    "](http://evil.example)<at id=all></at>",
    "${__from} $1 [[x]]",
    "/api/v1/*.+?(x)",
    "e\u{301}\u{fffd}",
];

/// Checks both links of an alert with these labels, in both forms.
fn round_trip(service: &str, namespace: &str, endpoint: &str) {
    let alert = alert(&[("service", service), ("namespace", namespace), ("endpoint", endpoint)]);
    for form in [Explore::Left, Explore::Panes] {
        let config = LinksConfig { explore: form, ..config() };
        let expected: Vec<_> = [("namespace", namespace), ("app", service)]
            .into_iter()
            .filter(|(_, value)| !value.trim().is_empty() && value.len() <= 256)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let Ok(queries) = logs(&alert, message(), &config) else {
            assert_eq!(expected, [], "there are labels to ask by");
            continue;
        };
        assert_eq!(queries.len(), 2);
        for query in queries {
            assert_eq!(read(&query.logql).unwrap().matchers, expected);
            let Some(Link { url, .. }) = query.link else {
                // Only what really is too long has no link: each byte takes three, and an escape up to four bytes.
                assert!(service.len() + namespace.len() + endpoint.len() > 100, "{query:?}");
                continue;
            };
            let (uid, logql, window) = opened(&url, form);
            assert_eq!((uid.as_str(), logql), ("loki-1", query.logql));
            assert_eq!(window, (1_705_314_300_000, 1_705_314_900_000));
            assert!(
                !url.contains(['"', ' ', '(', ')', '<', '>', '[', ']', '`', '\\', '{', '}', '|']),
                "{url}"
            );
        }
    }
}

#[test]
fn nasty_values_are_asked_for_as_they_are() {
    for value in NASTY {
        round_trip(value, "shop", "");
        round_trip("order", value, value);
        round_trip(value, value, value);
    }
}

#[test]
fn a_value_of_ten_kilobytes_is_left_out_and_the_rest_still_asked_for() {
    let long = "x\"".repeat(5_000);
    let with = alert(&[("service", &long), ("namespace", "shop")]);
    assert_eq!(logql(&with, arrival(), &config())[0], r#"{namespace="shop"}"#);
    let only = alert(&[("service", &long)]);
    assert_eq!(logs(&only, arrival(), &config()), Err(NoLogs::NoSelector));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_value_is_asked_for_as_it_is(service in any::<String>(), namespace in ".{0,40}", endpoint in any::<String>()) {
        round_trip(&service, &namespace, &endpoint);
    }

    #[test]
    fn values_of_characters_that_mean_something_are_asked_for_as_they_are(
        service in "[\"\\\\{}|=~`!%+&#\n\r\t ]{0,60}",
        endpoint in "[\"\\\\{}|=~`!%+&#\n\r\t ]{0,60}",
    ) {
        round_trip(&service, "shop", &endpoint);
    }

    #[test]
    fn a_value_in_a_pattern_matches_nothing_but_itself(value in "[a-z\"\\\\.+*?()|\\[\\]{}^$]{1,30}") {
        let text = r#"links: { loki: { logs: '%{selector} |~ "^%{label.path}$"' } }"#;
        let parsed = config::parse("t", text, config::Environment::default()).unwrap();
        let mut config = config();
        config.loki.logs = parsed.links.loki.logs;
        let alert = alert(&[("app", "x"), ("path", &value)]);
        let query = read(&logql(&alert, arrival(), &config)[0]).unwrap();
        let (operator, pattern) = &query.filters[0];
        prop_assert_eq!(operator, "|~");
        // Each sign of a pattern has its backslash; without them it is the value.
        let mut plain = String::new();
        let mut characters = pattern.strip_prefix('^').unwrap().strip_suffix('$').unwrap().chars();
        while let Some(character) = characters.next() {
            let is_sign = r".+*?()|[]{}^$".contains(character);
            prop_assert!(!is_sign, "{} means something in {}", character, pattern);
            plain.push(if character == '\\' { characters.next().unwrap() } else { character });
        }
        prop_assert_eq!(plain, value);
    }
}

use crate::{Config, Environment, RouteConfig, parse};

const RECEIVERS: &str = "
receivers:
  default: { webhook_url: https://h/a }
  ops: { webhook_url: https://h/b }
  shop: { webhook_url: https://h/c }
";

fn read(routes: &str) -> Result<Config, String> {
    let text = format!("{RECEIVERS}routes:\n{routes}");
    parse("test.yaml", &text, Environment::default()).map_err(|errors| errors.to_string())
}

fn shown(route: &RouteConfig) -> (String, String, String, bool) {
    let matchers: Vec<_> = route.matchers.iter().map(ToString::to_string).collect();
    (route.number.clone(), matchers.join(" "), route.receivers.join(" "), route.continues)
}

#[test]
fn a_route_below_another_has_its_receivers_unless_it_names_some() {
    let routes = read(
        r#"
  - match: ['severity="critical"', 'team=~"a|b"']
    receivers: [ops, default]
    continue: true
  - match: namespace=shop
    receiver: shop
    routes:
      - match: severity="info"
        receiver: ops
      - match: pod=~"pay-.*"
  - match: team=x, env="prod"
"#,
    )
    .unwrap()
    .routes;
    let of = |number: &str, matchers: &str, receivers: &str, continues| {
        (number.to_owned(), matchers.to_owned(), receivers.to_owned(), continues)
    };
    let all: Vec<_> =
        routes.iter().flat_map(|route| [route].into_iter().chain(&route.routes)).map(shown).collect();
    assert_eq!(
        all,
        [
            of("1", r#"severity="critical" team=~"a|b""#, "ops default", true),
            of("2", r#"namespace="shop""#, "shop", false),
            of("2.1", r#"severity="info""#, "ops", false),
            of("2.2", r#"pod=~"pay-.*""#, "shop", false),
            of("3", r#"team="x" env="prod""#, "", false),
        ]
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_place() {
    let said = read(
        r"
  - match: severity
    receiver: nobody
  - match: [team=~(]
    receivers: [ops, shpo]
    routes:
      - matchers: [a=b]
        continue: perhaps
",
    )
    .unwrap_err();
    for part in [
        "test.yaml:8: routes.1.match: must be a matcher of labels",
        "\"severity\" has none of =, !=, =~, !~",
        "test.yaml:9: routes.1.receiver: must be the name of a receiver: default, ops, shop",
        "test.yaml:10: routes.2.match: must be a matcher of labels",
        "\"(\" is no regular expression: unclosed group",
        "test.yaml:11: routes.2.receivers: must be the name of a receiver",
        "test.yaml:13: unknown key `routes.2.routes.1.matchers`; did you mean `match`?",
        "test.yaml:14: routes.2.routes.1.continue: must be true or false",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

#[test]
fn what_is_no_list_and_what_is_too_much_is_refused() {
    assert!(read("  default: x").unwrap_err().contains("test.yaml:6: routes: must be a list"));
    let nested = (0..7).fold(String::new(), |inner, _| format!("[{{ receiver: ops, routes: {inner} }}]"));
    let said = read(&format!("  {}", nested.replace("routes:  }", "routes: [] }"))).unwrap_err();
    assert!(said.contains("may be nested at most 6 deep"), "{said}");
    let many = "  - receiver: ops\n".repeat(5_001);
    assert!(read(&many).unwrap_err().contains("routes: there may be at most 5000 in all"));
    let matchers = "a=b, ".repeat(33);
    let said = read(&format!("  - match: [{matchers}]\n    receiver: ops")).unwrap_err();
    assert!(said.contains("routes.1: has at most 32 matchers and 16 receivers"), "{said}");
}

#[test]
fn a_receiver_that_is_wrong_itself_is_said_once() {
    let text = "receivers: { ops: { secret: x } }\nroutes: [{ receiver: ops }]";
    let said = parse("test.yaml", text, Environment::default()).unwrap_err().to_string();
    assert!(said.contains("receivers.ops") && !said.contains("routes"), "{said}");
}

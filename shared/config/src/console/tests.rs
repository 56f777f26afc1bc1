use super::*;
use crate::{Config, Environment, parse};

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA";

fn read(text: &str) -> Result<Config, String> {
    parse("larkfire.yaml", text, Environment::default()).map_err(|errors| errors.to_string())
}

#[test]
fn a_prefix_is_a_plain_path() {
    for (text, path) in
        [("/larkfire", "/larkfire"), ("/larkfire/", "/larkfire"), ("/a/b-c", "/a/b-c"), ("/", "")]
    {
        assert_eq!(path_prefix(text).as_deref(), Ok(path), "{text}");
    }
    for text in ["larkfire", "//x", "/a//b", "/../x", "/a b", "/a?b", "/a\"b", "https://h/x"] {
        assert!(path_prefix(text).is_err(), "{text}");
    }
}

#[test]
fn users_feishu_and_a_proxy_are_ways_in() {
    let config = read(&format!(
        "
app: {{ id: cli_1, secret: s }}
console:
  url: https://larkfire.example.com/ops
  users:
    - {{ name: ann, password_hash: '{HASH}', role: operator }}
    - {{ name: bob, password_hash: '{HASH}' }}
  feishu: {{ tenant_key: t1, operators: [ou_1], viewer_chats: [oc_1] }}
  trusted_header: {{ name: X-Forwarded-User, from: [10.0.0.0/8], operators: [ann@example.com] }}
  session: {{ idle: 30m, longest: 12h }}
"
    ))
    .unwrap()
    .console;
    assert!(config.has_login());
    let roles: Vec<_> = config.users.iter().map(|user| (user.name.as_str(), user.role)).collect();
    assert_eq!(roles, [("ann", ConsoleRoleConfig::Operator), ("bob", ConsoleRoleConfig::Viewer)]);
    assert_eq!(config.feishu.unwrap().viewer_chats, ["oc_1"]);
    assert_eq!(config.trusted_header.unwrap().operators, ["ann@example.com"]);
    assert_eq!((config.session_idle, config.session_longest), (30 * MINUTE, 12 * HOUR));
    let nothing = read("").unwrap().console;
    assert!(!nothing.has_login());
}

#[test]
fn what_would_let_in_the_wrong_people_is_refused_and_no_hash_repeated() {
    let weak = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA";
    let problems = read(&format!(
        "
console:
  url: https://user:s3cret@larkfire.example.com
  users:
    - {{ name: ann, password_hash: hunter2 }}
    - {{ name: bob, password_hash: '{weak}' }}
    - {{ name: carl, password_hash: '{HASH}', role: root }}
    - {{ name: carl, password_hash: '{HASH}' }}
    - {{ name: dora }}
  feishu: {{ operators: [ann] }}
  trusted_header: {{ name: X-User }}
"
    ))
    .unwrap_err();
    for told in [
        "console.url: must be",
        "console.users.1.password_hash",
        "console.users.2.password_hash",
        "viewer or operator",
        "the name of another user",
        "needs a name and a password_hash",
        "console.feishu.operators",
        "console.trusted_header",
    ] {
        assert!(problems.contains(told), "{told} is not in {problems}");
    }
    assert!(!problems.contains("hunter2") && !problems.contains("s3cret"), "{problems}");
}

#[test]
fn feishu_needs_an_app_and_an_address_to_come_back_to() {
    let problems = read("console: { feishu: { operators: [ou_1] } }").unwrap_err();
    assert!(problems.contains("needs an app") && problems.contains("needs console.url"), "{problems}");
}

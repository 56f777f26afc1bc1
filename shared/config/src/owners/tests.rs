use crate::{Config, Environment, RotationTurn, parse};

fn read(text: &str, variables: &[(&str, &str)]) -> Config {
    parse("test.yaml", text, variables.iter().copied().collect::<Environment>()).unwrap()
}

fn problems(text: &str, variables: &[(&str, &str)]) -> String {
    parse("test.yaml", text, variables.iter().copied().collect::<Environment>()).unwrap_err().to_string()
}

#[test]
fn the_service_map_can_be_the_dictionary_people_have() {
    for map in [
        r#"{"order-service": "zhangsan", "pay-*": ["lisi", "wangwu"]}"#,
        "{\n  'order-service': 'zhangsan',  # a Python dictionary\n  'pay-*': 'lisi,wangwu',\n}",
        "order-service: zhangsan\npay-*: lisi，wangwu",
    ] {
        let services =
            read("owners: { services: { other: x } }", &[("SERVICE_TO_USER", map)]).owners.services;
        let expected = [("order-service", vec!["zhangsan"]), ("pay-*", vec!["lisi", "wangwu"])];
        let expected = expected.map(|(name, people)| {
            (name.to_owned(), people.into_iter().map(str::to_owned).collect::<Vec<_>>())
        });
        assert_eq!(services, expected, "{map}");
    }
    let said = problems("", &[("SERVICE_TO_USER", "zhangsan")]);
    assert!(said.contains("SERVICE_TO_USER: must be a map"), "{said}");
}

#[test]
fn owners_are_read_from_the_file_whole() {
    let config = read(
        "owners:
  labels: [team_lead]
  services: { checkout: ann }
  by_label: { team: { pay: [bob, oncall], \"*\": carol } }
  namespaces: { 'shop-*': dave }
  always_mention: boss
  table: { name: hr.people, columns: { username: login }, id_prefix: lark- }
rotations: { oncall: { people: [e, f], shift: 1d, start: 2024-01-15, hand_over: '09:00', timezone: UTC } }
receivers: { default: { webhook_url: https://h/x, fallback: [ann, bob], allow_mention_all: yes } }",
        &[("MYSQL_HOST", "db:3307"), ("MYSQL_DB", "hr"), ("MYSQL_USER", "u"), ("MYSQL_PSWD", "p")],
    );
    let owners = &config.owners;
    assert_eq!(owners.labels, ["team_lead"]);
    assert_eq!(owners.by_label[0].1[0].1, ["bob", "oncall"]);
    assert_eq!((config.rotations[0].every, config.rotations[0].starts.hour()), (RotationTurn::Day, 9));
    assert_eq!(owners.table.columns.username, "login");
    let server = owners.table.server.as_ref().unwrap();
    assert_eq!((server.host.as_str(), server.port), ("db", 3307));
    let receiver = &config.receivers[0].owners;
    assert!(receiver.allow_mention_all && receiver.fallback == ["ann", "bob"]);
}

#[test]
fn what_is_wrong_with_owners_is_said() {
    let said = problems(
        "owners: { rotations: { a: { people: x, every: day, starts: 2024-01-15T09:00 } }, \
         table: { name: 'users; --', columns: { mobile: 'a`b' } }, service: { a: b } }",
        &[("MYSQL_HOST", "db")],
    );
    for part in [
        "test.yaml:1: owners.rotations: stands at the top of the file now",
        "`starts` is `start` with `hand_over`",
        "owners.table.name: must be the name of a table",
        "owners.table.columns.mobile: must be the name of a column",
        "the host of the user table needs its database (MYSQL_DB)",
        "unknown key `owners.service`; did you mean `services`?",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

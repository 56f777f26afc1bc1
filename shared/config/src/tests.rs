use std::time::Duration;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    parse("larkfire.yaml", text, environment(pairs)).map_err(|errors| errors.to_string())
}

fn signing_secret(receiver: &ReceiverConfig) -> Option<&str> {
    match &receiver.destination {
        ReceiverDestination::CustomBot { secret, .. } => secret.as_ref().map(Secret::expose),
        ReceiverDestination::Bots { .. } | ReceiverDestination::AppChat { .. } => None,
    }
}

#[test]
fn nothing_set_is_an_embedded_larkfire_on_loopback() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:9095");
    assert!(config.queue.is_none() && config.receivers.is_empty());
}

#[test]
fn the_environment_alone_is_enough() {
    let config = read(
        "",
        &[
            ("LARKFIRE_LISTEN", "0.0.0.0:80"),
            ("AMQP_URL", "amqp://user:pw@broker:5672/%2f"),
            ("FEISHU_WEBHOOK_URL", "https://open.feishu.cn/open-apis/bot/v2/hook/token"),
            ("FEISHU_SECRET", "s3cret"),
            ("API_KEYS", "one, two"),
        ],
    )
    .unwrap();
    assert_eq!(config.queue.unwrap().url.expose(), "amqp://user:pw@broker:5672/%2f");
    assert_eq!(config.receivers[0].name, DEFAULT_RECEIVER);
    assert_eq!(config.gate.api_keys.iter().map(Secret::expose).collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_file_sets_everything_and_the_environment_wins() {
    let text = "
listen: 127.0.0.1:1
queue:
  url: ${BROKER}
  shards: 4
  publish_timeout: 500ms
limits: { body_bytes: 1MiB }
receivers:
  default:
    webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/a
  值班:
    webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/b
    secret: '123'
";
    let config = read(text, &[("BROKER", "amqp://broker"), ("LARKFIRE_LISTEN", "127.0.0.1:2")]).unwrap();
    assert_eq!(config.listen.port(), 2);
    let queue = config.queue.unwrap();
    assert_eq!((queue.shards, queue.publish_timeout), (4, Duration::from_millis(500)));
    assert_eq!(config.limits.body_bytes, 1 << 20);
    assert_eq!(config.receivers[1].name, "值班");
    assert_eq!(signing_secret(&config.receivers[1]), Some("123"));
}

#[test]
fn url_and_secret_of_the_default_receiver_may_come_from_different_places() {
    let url = "https://open.feishu.cn/open-apis/bot/v2/hook/a";
    let in_file = format!("receivers: {{ default: {{ webhook_url: '{url}', secret: of-the-file }} }}");
    for (text, variables, secret) in [
        (in_file.as_str(), vec![], "of-the-file"),
        (in_file.as_str(), vec![("FEISHU_SECRET", "of-the-variable")], "of-the-variable"),
        (in_file.as_str(), vec![("FEISHU_WEBHOOK_URL", "https://h/b")], "of-the-file"),
    ] {
        let config = read(text, &variables).unwrap();
        assert_eq!(config.receivers.len(), 1);
        assert_eq!(signing_secret(&config.receivers[0]), Some(secret));
    }
    let message = read("", &[("FEISHU_SECRET", "s")]).unwrap_err();
    assert!(message.contains("FEISHU_SECRET: needs a webhook_url"), "{message}");
}

#[test]
fn addresses_that_cannot_work_are_refused_before_the_start() {
    for url in ["amqp://guest:x@", "amqps://h:5x", "http://h", "amqp://h:5x"] {
        assert!(read("", &[("AMQP_URL", url)]).is_err(), "{url}");
    }
    for url in ["http://[::1/x", "ftp://h/x", "https://h", "h/x"] {
        assert!(read("", &[("FEISHU_WEBHOOK_URL", url)]).is_err(), "{url}");
    }
}

#[test]
fn every_problem_is_reported_at_once_with_its_place() {
    let text = "
lisen: 127.0.0.1:1
timezone: Mars/Olympus
gate:
  api_keys:
    - ${NOT_SET}
receivers:
  ops:
    sercet: x
";
    let message = read(text, &[("LARKFIRE_ADMIN_LISTEN", "nonsense")]).unwrap_err();
    for part in [
        "larkfire.yaml:2: unknown key `lisen`; did you mean `listen`?",
        "larkfire.yaml:3: timezone: must be a time zone",
        "larkfire.yaml:6: gate.api_keys: ${NOT_SET} is not set",
        "larkfire.yaml:9: unknown key `receivers.ops.sercet`; did you mean `secret`?",
        "larkfire.yaml:8: receivers.ops: needs a webhook_url",
        "LARKFIRE_ADMIN_LISTEN: must be an address",
    ] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
}

#[test]
fn no_problem_quotes_the_value_it_is_about() {
    let message = read(
        "receivers: { a: { webhook_url: 'ftp://SECRET/x' } }",
        &[("FEISHU_WEBHOOK_URL", "SECRET"), ("AMQP_URL", "SECRET"), ("BASIC_AUTH", "SECRET")],
    )
    .unwrap_err();
    assert_eq!(message.matches("must be").count(), 4, "{message}");
    assert!(!message.contains("SECRET"), "{message}");
}

#[test]
fn debug_output_of_a_whole_configuration_shows_no_secret() {
    let config = read(
        "receivers: { a: { webhook_url: 'https://h/SECRET', secret: SECRET } }",
        &[
            ("AMQP_URL", "amqp://u:SECRET@h"),
            ("API_KEYS", "SECRET"),
            ("BASIC_AUTH", "u:SECRET"),
            ("LARK_ENCRYPT_KEY", "SECRET"),
            ("LARK_VERIFICATION_TOKEN", "SECRET"),
            ("HMAC_SECRETS", "SECRET"),
        ],
    )
    .unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[test]
fn secrets_come_from_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let config = read(&format!("gate: {{ api_keys_file: {} }}", path.display()), &[]).unwrap();
    assert_eq!(config.gate.api_keys.iter().map(Secret::expose).collect::<Vec<_>>(), ["one", "two"]);

    let config = read("", &[("API_KEYS_FILE", path.to_str().unwrap())]).unwrap();
    assert_eq!(config.gate.api_keys.len(), 2);

    let message = read("gate: { api_keys_file: /does/not/exist }", &[]).unwrap_err();
    assert!(
        message.contains("larkfire.yaml:1: gate.api_keys_file: cannot read /does/not/exist"),
        "{message}"
    );
}

#[test]
fn what_is_not_yaml_is_refused_with_its_line() {
    for (text, part) in [
        ("a: [", "line"),
        ("a: 1\na: 2", "line 2: `a` is set twice"),
        ("x: &a 1\ny: *a", "line 2: aliases (`*name`) are not supported"),
        ("- 1", "the file must be a map of settings"),
        (&"[".repeat(100), "nested too deeply"),
    ] {
        let message = read(text, &[]).unwrap_err();
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
}

#[test]
fn a_spool_is_off_until_it_has_a_directory_and_of_no_use_to_the_embedded_queue() {
    let broker = ("AMQP_URL", "amqp://h");
    assert_eq!(read("spool: { max_bytes: 2MiB }", &[broker]).unwrap().spool, None);
    let config =
        read("spool: { max_bytes: 2MiB }", &[broker, ("LARKFIRE_SPOOL_DIR", "/var/spool/lark")]).unwrap();
    assert_eq!(config.spool, Some(SpoolConfig { dir: "/var/spool/lark".into(), max_bytes: 2 << 20 }));
    assert!(config.notes.is_empty());
    let embedded = read("spool: { dir: x }", &[]).unwrap();
    assert_eq!(embedded.spool.unwrap().max_bytes, 256 << 20);
    assert!(embedded.notes[0].contains("needs no spool"), "{:?}", embedded.notes);
    assert!(read("spool: { dir: x, max_bytes: 1KiB }", &[]).is_err());
}

#[test]
fn the_gate_comes_from_variables_or_the_file() {
    let variables =
        [("ALLOWED_IPS", "10.0.0.0/8, ::1"), ("TRUSTED_PROXIES", "192.0.2.7"), ("HMAC_SECRETS", "new,old")];
    let gate = read("", &variables).unwrap().gate;
    assert_eq!((gate.allowed_ips.len(), gate.trusted_proxies.len(), gate.hmac.secrets.len()), (2, 1, 2));
    assert!(gate.allowed_ips[0].contains([10, 1, 2, 3].into()) && !gate.proxy_protocol);

    let text = "
gate:
  api_keys: [k]
  hmac_secrets: [s]
  hmac_header: X-Sign
  hmac_require_timestamp: true
  trusted_proxies: [10.0.0.0/8]
  proxy_protocol: true
  paths:
    /alert: { accept: bearer }
    /api/alert/值班: { accept: [hmac, basic] }
";
    let gate = read(text, &[]).unwrap().gate;
    assert!(gate.proxy_protocol && gate.hmac.require_timestamp);
    assert_eq!(
        (&*gate.hmac.header, &*gate.hmac.timestamp_header),
        ("X-Sign", "X-Grafana-Alerting-Timestamp")
    );
    let rule =
        |path: &str, accept: &[Credential]| PathRule { path: path.to_owned(), accept: accept.to_vec() };
    let rules = [
        rule("/alert", &[Credential::Bearer]),
        rule("/api/alert/值班", &[Credential::Hmac, Credential::Basic]),
    ];
    assert_eq!(gate.paths, rules);
}

#[test]
fn a_gate_that_would_not_do_what_it_says_is_refused() {
    let text = "
gate:
  api_keys: [k]
  allowed_ips: [10.0.0.5/8]
  hmac_header: 'a b'
  proxy_protocol: true
  paths:
    /alert: { accept: [hmac] }
    /alert/: { accept: [bearer] }
    /api/alert: { accept: [beerer] }
    /api/alert/x: {}
";
    let message = read(text, &[]).unwrap_err();
    for part in [
        "larkfire.yaml:4: gate.allowed_ips: must be an address or a range",
        "larkfire.yaml:5: gate.hmac_header: must be the name of a header",
        "larkfire.yaml:2: gate: proxy_protocol is for connections from trusted_proxies",
        "larkfire.yaml:8: gate.paths./alert: accepts nothing that is configured",
        "larkfire.yaml:9: gate.paths./alert/: is none of",
        "larkfire.yaml:10: gate.paths./api/alert.accept: must be bearer, basic or hmac",
        "larkfire.yaml:11: gate.paths./api/alert/x: accepts nothing",
    ] {
        assert!(message.contains(part), "{part:?} is missing in:\n{message}");
    }
}

#[test]
fn a_webhook_url_that_is_wrong_is_reported_once_with_its_key_and_what_is_wrong() {
    let must = "must be a custom bot's webhook URL";
    for (text, variables, key) in [
        (
            "receivers: { ops: { webhook_url: 'https://h/hook/a SECRET' } }",
            vec![],
            "receivers.ops.webhook_url",
        ),
        (
            "receivers: { ops: { webhook_url: \"https://h/hook/a\\nSECRET\" } }",
            vec![],
            "receivers.ops.webhook_url",
        ),
        (
            "receivers: { ops: { webhook_url: SECRET } }\nroutes: [{ receiver: ops }]",
            vec![],
            "receivers.ops.webhook_url",
        ),
        (
            "routes: [{ receiver: default }]",
            vec![("FEISHU_WEBHOOK_URL", "https://h/hook/a SECRET"), ("FEISHU_SECRET", "s")],
            "FEISHU_WEBHOOK_URL",
        ),
    ] {
        let said = read(text, &variables).unwrap_err();
        assert_eq!(said.lines().count(), 2, "the title and one line: {said}");
        assert!(said.contains(&format!("{key}: {must}")) && !said.contains("SECRET"), "{said}");
    }
    let said = read("receivers: { ops: { webhook_url: 'https://h/hook/a b' } }", &[]).unwrap_err();
    assert!(said.ends_with("without a blank or a line's end inside"), "{said}");
    let said = read("receivers: { ops: { webhook_url: '${GONE}' } }", &[]).unwrap_err();
    assert_eq!(said.lines().count(), 2, "the title and one line: {said}");
}

#[test]
fn a_receiver_with_an_empty_list_of_bots_still_needs_a_place_to_send_to() {
    let said = read("receivers: { ops: { bots: [] } }", &[]).unwrap_err();
    assert!(said.contains("receivers.ops: needs a webhook_url"), "{said}");
}

#[test]
fn problems_are_listed_by_the_lines_of_the_file_and_those_of_variables_after_them() {
    let text = "
routes: [{ receiver: nobody }]
receivers:
  ops: { webhook_url: https://h/x, sercet: x }
  dev: {}
locale: xx
app:
  id: cli_a
  resolvd: x
gate: { hmac_header: 'a b' }
listen: nowhere
unknown: 1
";
    let said = read(text, &[("LARKFIRE_ADMIN_LISTEN", "nonsense")]).unwrap_err();
    let line = |line: &str| {
        let rest = line.trim_start().strip_prefix("larkfire.yaml:");
        rest.and_then(|rest| rest.split(':').next()).and_then(|number| number.parse::<u32>().ok())
    };
    let lines: Vec<_> = said.lines().skip(1).map(line).collect();
    let expected = [Some(2), Some(4), Some(5), Some(6), Some(7), Some(9), Some(10), Some(11), Some(12), None];
    assert_eq!(lines, expected, "{said}");
}

#[test]
fn what_is_set_and_wrong_is_not_said_to_be_missing_as_well() {
    for (text, problems) in [
        ("app: { id: 'a b', secret: s }", 1),
        ("app: { id: cli_a, secret: '${GONE}' }", 1),
        ("app: { id: cli_a }", 1),
        ("alertmanagers: { one: { url: 'http://a b/' } }", 1),
        ("alertmanagers: { one: {} }", 1),
        ("rotations: { r: { people: a, start: soon } }", 1),
        ("rotations: { r: { people: [''], start: soon } }", 2),
        ("owners: { rotations: { r: { people: a, starts: soon } } }", 1),
        ("owners: { table: { host: h, database: '${GONE}', user: u } }", 1),
    ] {
        let said = read(text, &[]).unwrap_err();
        assert_eq!(said.lines().count(), 1 + problems, "{text}: {said}");
    }
}

#[test]
fn a_word_that_was_renamed_is_refused_by_the_name_it_has_now() {
    let of = |word: &str| read(&format!("delivery:\n  broken_receiver: {word}\n"), &[]);
    assert_eq!(of("dead_letter").unwrap().delivery.broken_receiver, BrokenReceiver::DeadLetter);
    let problems = of("bury").unwrap_err();
    let said = "larkfire.yaml:2: delivery.broken_receiver: must be wait or dead_letter, which is what `bury` is called now";
    assert!(problems.contains(said), "{problems}");
}

#[test]
fn a_fallback_is_another_receiver_that_has_none_itself() {
    let read =
        |receivers: &str| parse("test.yaml", &format!("receivers: {receivers}"), Environment::default());
    let hook = "webhook_url: 'https://h/x'";
    let one = format!("{{ ops: {{ {hook}, fallback_receiver: dev }}, dev: {{ {hook} }} }}");
    let config = read(&one).unwrap();
    let fallback = config.receivers.iter().find_map(|receiver| receiver.fallback.as_ref()).unwrap();
    assert_eq!((fallback.receiver.as_str(), fallback.after), ("dev", Duration::from_mins(10)));
    for (receivers, says) in [
        (one.replace("dev: {", "dev: { fallback_receiver: ops,"), "there are no chains"),
        (one.replace("fallback_receiver: dev", "fallback_receiver: ops"), "is the same receiver"),
        (
            one.replace("fallback_receiver: dev", "fallback_receiver: sre"),
            "fallback_receiver sre of ops is not there",
        ),
        (
            one.replace("fallback_receiver: dev", "unreachable_for: 5m"),
            "unreachable_for needs fallback_receiver",
        ),
        (
            one.replace(
                &format!("dev: {{ {hook}"),
                "dev: { bots: [{ webhook_url: 'https://h/y' }, { webhook_url: 'https://h/z' }]",
            ),
            "is several",
        ),
    ] {
        let said = read(&receivers).unwrap_err().to_string();
        assert!(said.contains(says), "{receivers}: {said}");
    }
}

//! The tables of settings, and that the registry says what the code makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use config::registry::{DefaultValue, GROUPS, Setting, settings};
use config::{
    AppConfig, Config, ConsoleConfig, Environment, EscalationConfig, ReceiverConfig, ReceiverDestination,
    Reloads, Rotation, Secret, StepMethod, parse,
};
use serde_json::{Value, json};

use super::examples::EXAMPLES;
use super::language::{Language, code, table};
use super::page::hold;

/// Settings that processes go by themselves, not by way of their role's own settings: nobody can see there who reads them.
const OF_PROCESSES: [&str; 10] = [
    "admin_listen",
    "admin_tls.",
    "admin_hosts",
    "probes_listen",
    "log_format",
    "shutdown_grace",
    "shutdown_delay",
    "preview",
    "queue.",
    "spool.",
];

/// A hash as the configuration has it, of no password that anybody knows.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$SqlVijFGiPG+935vDSGEsA";

/// A configuration in which no setting is without effect because another one is missing.
fn complete() -> Value {
    json!({
        "tls": { "cert_file": "Cargo.toml", "key_file": "Cargo.toml", "client_ca_file": "Cargo.toml" },
        "admin_tls": { "cert_file": "Cargo.toml", "key_file": "Cargo.toml" },
        "queue": { "url": "amqps://broker", "tls": { "cert_file": "Cargo.toml", "key_file": "Cargo.toml" } },
        "database": {
            "url": "mysql://broker/database", "tls": { "cert_file": "Cargo.toml", "key_file": "Cargo.toml" }
        },
        "spool": { "dir": "/var/spool/larkfire" },
        "app": { "id": "cli_1", "secret": "s" },
        "receivers": { "NAME": { "bots": [{ "webhook_url": "https://h/1" }], "fallback_receiver": "other" }, "other": { "webhook_url": "https://h/2" } },
        "heartbeats": { "NAME": { "match": "a=b", "every": "5m" } },
        "trouble": { "receiver": "other" },
        "routes": [{ "match": "a=b", "receiver": "other", "routes": [{ "match": "c=d" }] }],
        "templates": { "NAME": { "title": "t", "body": "b" }, "second": { "title": "t" } },
        "gate": {
            "api_keys": ["k"], "basic_auth": ["u:p"], "hmac_secrets": ["s"], "trusted_proxies": ["192.0.2.1"],
            "paths": { "/alert": { "accept": ["bearer"] } }
        },
        "links": { "grafana_url": "https://grafana", "loki": { "datasource_uid": "u" } },
        "owners": {
            "table": {
                "host": "h", "database": "d", "user": "u", "tls": { "cert_file": "Cargo.toml", "key_file": "Cargo.toml" }
            }
        },
        "escalations": { "NAME": { "steps": [{ "after": "5m", "who": "e" }] } },
        "rotations": { "NAME": {
            "people": ["c"], "start": "2024-01-15",
            "overrides": [{ "person": "d", "from": "2024-02-01", "until": "2024-02-02" }]
        } },
        "alertmanagers": { "NAME": { "url": "http://am" } },
        "sources": { "NAME": { "name": ["/needed"] } },
        "console": {
            "url": "https://larkfire.example.com",
            "users": [{ "name": "ann", "password_hash": HASH }],
            "feishu": { "operators": ["ou_1"] },
            "trusted_header": { "name": "X-User", "from": ["192.0.2.1"] }
        }
    })
}

/// What becomes of it: the whole configuration, or everything that is wrong with it.
fn outcome(text: &Value, variables: &[(&str, &str)]) -> String {
    match parse("test.yaml", &text.to_string(), variables.iter().copied().collect::<Environment>()) {
        Ok(config) => shown(&config),
        Err(errors) => errors.to_string(),
    }
}

/// The whole configuration, with the secrets that are set in the complete one, which are hidden otherwise.
fn shown(config: &Config) -> String {
    let queue = config.queue.as_ref().map(|queue| queue.url.expose());
    format!(
        "{config:?} {queue:?} {:?} {:?}",
        secrets(config.app.as_ref(), &config.receivers, Some(&config.console)),
        secrets_of_calls(&config.escalations, &config.rotations)
    )
}

fn secrets_of_calls<'c>(escalations: &'c [EscalationConfig], rotations: &'c [Rotation]) -> Vec<&'c str> {
    let steps = escalations.iter().flat_map(|escalation| &escalation.steps);
    let of_steps = steps.flat_map(|step| match &step.method {
        StepMethod::Webhook { url, secret } => [Some(url), secret.as_ref()],
        StepMethod::Mention | StepMethod::Urgent(_) | StepMethod::Receiver(_) => [None, None],
    });
    let tokens = rotations.iter().map(|rotation| rotation.calendar_token.as_ref());
    of_steps.chain(tokens).flatten().map(Secret::expose).collect()
}

fn secrets<'c>(
    app: Option<&'c AppConfig>,
    receivers: &'c [ReceiverConfig],
    console: Option<&'c ConsoleConfig>,
) -> Vec<&'c str> {
    let bots = receivers.iter().flat_map(|receiver| match &receiver.destination {
        ReceiverDestination::CustomBot { webhook_url, .. } => vec![webhook_url.expose()],
        ReceiverDestination::Bots { bots, .. } => bots.iter().map(|bot| bot.webhook_url.expose()).collect(),
        ReceiverDestination::AppChat { .. } => Vec::new(),
    });
    let users = console.map(|console| console.users.iter()).into_iter().flatten();
    let hashes = users.map(|user| user.password_hash.expose());
    app.map(|app| app.secret.expose()).into_iter().chain(bots).chain(hashes).collect()
}

fn read(text: &Value) -> Config {
    parse("test.yaml", &text.to_string(), Environment::default())
        .unwrap_or_else(|errors| panic!("{errors} in {text}"))
}

/// The place of a setting in a configuration, made where it is missing.
fn place<'t>(text: &'t mut Value, key: &str) -> &'t mut Value {
    key.replace("[]", ".[]").split('.').fold(text, |node, part| match part {
        "[]" => {
            if node.is_null() {
                *node = json!([{}]);
            }
            &mut node[0]
        }
        "PATH" => &mut node["/alert"],
        "URL" => &mut node["http://inside"],
        name => &mut node[name],
    })
}

/// The complete configuration with one setting as this.
fn with(key: &str, value: Value) -> Value {
    let mut text = without(key);
    // A destination of another kind takes the place of the bots.
    if matches!(key, "receivers.NAME.webhook_url" | "receivers.NAME.chat_id") {
        text["receivers"]["NAME"] = json!({});
    }
    *place(&mut text, key.strip_suffix("[]").unwrap_or(key)) = value;
    text
}

/// What that is compared with: the same without it, and with what it needs beside it.
fn without(key: &str) -> Value {
    let mut text = complete();
    match key {
        "receivers.NAME.secret" => text["receivers"]["NAME"] = json!({ "webhook_url": "https://h/1" }),
        "database.url" => text["database"] = json!({}),
        "escalations.NAME.steps[].webhook_secret" => {
            text["escalations"]["NAME"]["steps"][0]["webhook_url"] = json!("https://h/1");
        }
        "feishu_secret" => text["feishu_webhook_url"] = json!("https://h/1"),
        "receivers.NAME.fallback_receiver" => {
            text["receivers"]["NAME"] = json!({ "bots": [{ "webhook_url": "https://h/1" }] });
        }
        "preview" => {
            text["receivers"] = json!({});
            text["routes"] = json!([]);
            text["trouble"] = json!({});
        }
        _ => {}
    }
    text
}

/// A value that is right and not the default.
fn example(setting: &Setting) -> Value {
    let found = EXAMPLES.iter().find(|(key, _)| *key == setting.key);
    let (_, text) = found.unwrap_or_else(|| panic!("{} has no example", setting.key));
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

#[test]
fn the_tables_of_settings_are_those_of_the_registry() {
    for language in Language::ALL {
        let head = match language {
            Language::English => ["key", "variable", "default", "read by", "without restart", "meaning"],
            Language::Chinese => ["键", "环境变量", "默认值", "读取者", "无需重启", "含义"],
        };
        let groups = GROUPS.map(|group| {
            let about = language.say(group.about);
            let about = if about.is_empty() { String::new() } else { format!("{about}\n\n") };
            let rows = group.settings.iter().map(|setting| row(setting, language));
            format!("## {}\n\n{about}{}", language.say(group.title), table(&head, rows))
        });
        hold(&format!("{}configuration.md", language.folder()), &groups.join("\n"));
    }
}

fn row(setting: &Setting, language: Language) -> Vec<String> {
    let names = |name: &str, file: &str| {
        let file = setting.is_secret.then(|| code(&format!("{name}{file}")));
        language.list(&[code(name)].into_iter().chain(file).collect::<Vec<_>>())
    };
    let default = match setting.default {
        DefaultValue::Values(values) => {
            language.list(&values.iter().map(|value| code(value)).collect::<Vec<_>>())
        }
        DefaultValue::Words(words) => language.say(words).to_owned(),
    };
    vec![
        names(setting.key, "_file"),
        setting.variable.map(|name| names(name, "_FILE")).unwrap_or_default(),
        default,
        language.roles(setting.read_by).to_owned(),
        if setting.is_reloaded { language.yes().to_owned() } else { String::new() },
        language.say(setting.meaning).to_owned(),
    ]
}

#[test]
fn the_defaults_are_what_the_code_takes_where_nothing_is_set() {
    for setting in settings() {
        let DefaultValue::Values(values) = setting.default else { continue };
        let value = if let [value] = values { json!(value) } else { json!(values) };
        let written = outcome(&with(setting.key, value), &[]);
        assert_eq!(written, outcome(&without(setting.key), &[]), "the default of {}", setting.key);
    }
}

#[test]
fn each_setting_changes_something() {
    for setting in settings() {
        let changed = with(setting.key, example(setting));
        let _right = read(&changed);
        assert_ne!(outcome(&changed, &[]), outcome(&without(setting.key), &[]), "{}", setting.key);
    }
}

#[test]
fn each_variable_is_read_and_so_is_the_file_it_may_name() {
    for setting in settings() {
        let Some(variable) = setting.variable else { continue };
        // No kind takes this, and where any text is taken it is another one than before.
        let set = outcome(&complete(), &[(variable, "no / such : 值, x")]);
        assert_ne!(set, outcome(&complete(), &[]), "{variable}");
        let file = format!("{variable}_FILE");
        let read = outcome(&json!({}), &[(&file, "/does/not/exist")]).contains("cannot read");
        assert_eq!(read, setting.is_secret, "{file}");
    }
}

#[test]
fn the_roles_go_by_the_settings_the_registry_says_they_read() {
    let ingest = |config: &Config| {
        let settings = ingest::Settings::from_config(config, Reloads::none());
        format!("{settings:?}")
    };
    let worker = |config: &Config| {
        let settings = worker::Settings::from_config(config, Reloads::none());
        let console = settings.console.as_ref().map(|console| &console.config);
        let of_calls = secrets_of_calls(&settings.escalations, &settings.rotations);
        format!(
            "{settings:?} {:?} {of_calls:?}",
            secrets(settings.app.as_ref(), &settings.receivers, console)
        )
    };
    let of_a_role = |setting: &&Setting| !OF_PROCESSES.iter().any(|key| setting.key.starts_with(key));
    for setting in settings().filter(of_a_role) {
        let before = read(&without(setting.key));
        let after = read(&with(setting.key, example(setting)));
        let reads = (ingest(&before) != ingest(&after), worker(&before) != worker(&after));
        let said = (setting.read_by.ingest(), setting.read_by.worker());
        assert_eq!(said, reads, "whether ingest and worker go by {}", setting.key);
    }
}

/// Who follows the reloads. Another one makes further settings changeable without a restart: then say so in the registry.
#[test]
fn nobody_else_uses_a_changed_configuration_without_a_restart() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for folder in ["ingest/src", "worker/src", "standalone/src"] {
        look(&root.join(folder), &mut |path, text| {
            if text.contains("reloads.next()") {
                let _new = found.insert(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        });
    }
    // The gate; the heartbeats; the escalations, and which of them receivers go by; who is on call; the routes; the templates, and
    // which of them receivers go by.
    let known = ["heartbeats.rs", "live_gate.rs", "live_plans.rs", "oncall.rs", "routes.rs", "templates.rs"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), known);
    for Setting { key, is_reloaded, .. } in settings() {
        let follows = [
            "gate.",
            "heartbeats.",
            "escalations.",
            "rotations.",
            "routes[]",
            "template",
            "tls.",
            "admin_tls.",
        ]
        .iter()
        .any(|part| key.starts_with(part));
        let is_of_receiver = ["receivers.NAME.template", "receivers.NAME.escalation"].contains(key);
        assert_eq!(*is_reloaded, follows || is_of_receiver, "{key}");
    }
}

fn look(folder: &Path, see: &mut impl FnMut(&PathBuf, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, see);
        } else {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

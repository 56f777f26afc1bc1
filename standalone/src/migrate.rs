//! `larkfire migrate`: what another bridge is configured with, as our YAML. Pure but for reading the file.
//!
//! Webhooks are credentials, so none is printed: each receiver names a file for its own, and the line it stands in is said.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::ValueEnum;

/// Which bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bridge {
    /// PrometheusAlert: its app.conf, or an alertmanager.yml whose addresses have `fsurl=`
    #[value(name = "prometheusalert")]
    PrometheusAlert,
    /// prometheus-webhook-dingtalk: its config.yml
    Dingtalk,
}

/// A receiver as it was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// The lines its webhooks stand in, from 1.
    lines: Vec<usize>,
    /// Whether one of its bots is to be chosen each time.
    spreads: bool,
    /// Whom each of its messages names.
    people: Vec<String>,
}

/// Our YAML for what `text` configures; what is wrong with it if there is nothing in it.
pub fn migrated(bridge: Bridge, text: &str) -> Result<String, &'static str> {
    let found = match bridge {
        Bridge::PrometheusAlert => of_prometheus_alert(text),
        Bridge::Dingtalk => of_dingtalk(text),
    };
    if found.is_empty() {
        return Err(match bridge {
            Bridge::PrometheusAlert => "there is no `fsurl=` in it",
            Bridge::Dingtalk => "there are no `targets:` in it",
        });
    }
    Ok(yaml(bridge, &found))
}

fn yaml(bridge: Bridge, found: &BTreeMap<String, Found>) -> String {
    let note = match bridge {
        Bridge::PrometheusAlert => "the webhook of the line named beside it",
        Bridge::Dingtalk => {
            "the webhook of a Feishu bot, in place of the DingTalk robot of the line named beside it"
        }
    };
    let mut yaml =
        format!("# Put into each file {note}; only Larkfire should be able to read it.\nreceivers:\n");
    for (name, Found { lines, spreads, people }) in found {
        // Writing to a string cannot fail, here and below.
        let _written = writeln!(yaml, "  {}:", quoted(name));
        if let [line] = lines.as_slice() {
            let _written = writeln!(yaml, "    webhook_url_file: {}   # line {line}", file(name, None));
        } else {
            let _written = writeln!(yaml, "    bots:");
            for (index, line) in lines.iter().enumerate() {
                let _written = writeln!(
                    yaml,
                    "      - webhook_url_file: {}   # line {line}",
                    file(name, Some(index + 1))
                );
            }
            if *spreads {
                yaml.push_str("    mode: spread\n");
            }
        }
        if !people.is_empty() {
            let names: Vec<_> = people.iter().map(|name| quoted(name)).collect();
            let _written = writeln!(yaml, "    fallback: [{}]", names.join(", "));
        }
        if people.iter().any(|name| name == "all") {
            yaml.push_str("    allow_mention_all: true\n");
        }
    }
    yaml.push_str(match bridge {
        Bridge::PrometheusAlert => {
            "# Addresses stay as they are but for host and port: /prometheusalert?type=fs&fsurl=… leads to the receiver with this webhook.\n"
        }
        Bridge::Dingtalk => "# Addresses stay as they are but for host and port: /dingtalk/NAME/send.\n",
    });
    yaml
}

/// JSON's quotation is YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn file(name: &str, number: Option<usize>) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_') { letter } else { '-' }
    };
    let name: String = name.chars().map(plain).collect();
    let number = number.map(|number| format!("-{number}")).unwrap_or_default();
    format!("/etc/larkfire/{name}{number}")
}

/// Every `fsurl=`, in a configuration or in an address; each under the name of Alertmanager's receiver it belongs to.
fn of_prometheus_alert(text: &str) -> BTreeMap<String, Found> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut name = "default".to_owned();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let after_name = line.trim_start_matches(['-', ' ']).strip_prefix("name:");
        if let Some(named) = after_name {
            named.trim().trim_matches(['"', '\'']).clone_into(&mut name);
        }
        let is_comment = line.starts_with(['#', ';']);
        let Some((before, urls)) = line.split_once("fsurl=").filter(|_| !is_comment) else { continue };
        let urls = urls.split(['&', ' ', '"', '\'']).next().unwrap_or_default();
        let urls = urls.split(',').filter(|url| url.contains("://")).count();
        if urls == 0 {
            continue;
        }
        let of_name = found.entry(name.clone()).or_default();
        of_name.lines.extend(std::iter::repeat_n(index + 1, urls));
        let query = format!("{before}&{line}");
        of_name.spreads |= query.contains("rr=true");
        let at = query.split(['&', '?', ' ', '"', '\'']).find_map(|pair| pair.strip_prefix("at="));
        for person in at.unwrap_or_default().split(',').filter(|person| !person.is_empty()) {
            if !of_name.people.iter().any(|known| known == person) {
                of_name.people.push(person.to_owned());
            }
        }
    }
    found
}

/// The targets, by their indentation: whatever stands deeper than a target's name is its own.
fn of_dingtalk(text: &str) -> BTreeMap<String, Found> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut of_targets: Option<usize> = None;
    let mut name = None;
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indentation = line.len() - line.trim_start().len();
        if indentation == 0 {
            of_targets = (content == "targets:").then_some(0);
            name = None;
            continue;
        }
        let Some(depth) = of_targets else { continue };
        if depth == 0 || indentation == depth {
            of_targets = Some(indentation);
            name = content.split_once(':').map(|(name, _)| name.trim_matches(['"', '\'', ' ']).to_owned());
            continue;
        }
        let Some(name) = &name else { continue };
        let target = found.entry(name.clone()).or_default();
        match content.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
            Some(("url", _)) => target.lines.push(index + 1),
            Some(("all", "true")) => target.people.push("all".to_owned()),
            Some(("mobiles", list)) => target.people.extend(numbers(list)),
            _ => target.people.extend(content.strip_prefix('-').into_iter().flat_map(numbers)),
        }
    }
    found.retain(|_, target| !target.lines.is_empty());
    found
}

fn numbers(list: &str) -> impl Iterator<Item = String> {
    let parts = list.split([',', '[', ']', '"', '\'', ' ']);
    let is_number = |part: &&str| part.len() >= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.filter(is_number).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::*;

    const ALERTMANAGER: &str = "receivers:
- name: 'ops'
  webhook_configs:
  - url: 'http://pa:8080/prometheusalert?type=fs&tpl=prometheus-fs&fsurl=https://open.feishu.cn/open-apis/bot/v2/hook/SECRET1&at=ou_1,a@b.c'
- name: shop
  webhook_configs:
  - url: http://pa:8080/prometheusalert?type=fs&rr=true&fsurl=https://open.feishu.cn/hook/SECRET2,https://open.feishu.cn/hook/SECRET3
  # fsurl=https://old
";
    const DINGTALK: &str = "timeout: 5s
targets:
  webhook1:
    url: https://oapi.dingtalk.com/robot/send?access_token=SECRET4
    secret: SECRET5
    mention:
      mobiles: ['13800138000', \"13900139000\"]
  \"webhook 2\":
    url: https://oapi.dingtalk.com/robot/send?access_token=SECRET6
    mention:
      all: true
templates:
  - x
";

    /// What a configuration comes to, with files instead of what they are to hold.
    fn receivers(yaml: &str) -> Vec<(String, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let mut number = 0;
        let lines = yaml.lines().map(|line| {
            let Some((before, _)) = line.split_once("webhook_url_file: ") else { return line.to_owned() };
            number += 1;
            let file = folder.path().join(number.to_string());
            std::fs::write(&file, format!("https://h/hook/{number}")).unwrap();
            format!("{before}webhook_url_file: {}", file.display())
        });
        let yaml = lines.collect::<Vec<_>>().join("\n");
        let config = parse("migrated.yaml", &yaml, Environment::default()).unwrap();
        config
            .receivers
            .iter()
            .map(|receiver| (receiver.name.clone(), receiver.bot_addresses().len()))
            .collect()
    }

    #[test]
    fn what_is_printed_is_a_configuration_and_holds_no_secret() {
        let printed = migrated(Bridge::PrometheusAlert, ALERTMANAGER).unwrap();
        assert_eq!(receivers(&printed), [("ops".to_owned(), 0), ("shop".to_owned(), 2)]);
        for part in ["/etc/larkfire/ops   # line 4", "fallback: [\"ou_1\", \"a@b.c\"]", "mode: spread"] {
            assert!(printed.contains(part), "{part} in\n{printed}");
        }
        let dingtalk = migrated(Bridge::Dingtalk, DINGTALK).unwrap();
        assert_eq!(receivers(&dingtalk), [("webhook 2".to_owned(), 0), ("webhook1".to_owned(), 0)]);
        for part in [
            "[\"13800138000\", \"13900139000\"]",
            "allow_mention_all: true",
            "/etc/larkfire/webhook-2   # line 9",
        ] {
            assert!(dingtalk.contains(part), "{part} in\n{dingtalk}");
        }
        assert!(!printed.contains("SECRET") && !dingtalk.contains("SECRET"));
    }

    #[test]
    fn a_file_without_anything_to_migrate_is_refused() {
        assert!(migrated(Bridge::PrometheusAlert, "httpport = 8080\n#fsurl=https://x\nfsurl=\n").is_err());
        assert!(migrated(Bridge::Dingtalk, "timeout: 5s\n").is_err());
        let plain = migrated(Bridge::PrometheusAlert, "open-feishu=1\nfsurl=https://open.feishu.cn/hook/x\n")
            .unwrap();
        assert_eq!(receivers(&plain), [("default".to_owned(), 0)]);
    }
}

//! Variables that look like ours and set nothing: a slip in a name is a setting that is silently not made. Pure.

use std::collections::HashSet;

use super::environment::Environment;
use super::problem::Problem;
use super::reader::nearest;
use super::registry;

/// Names the configuration file where no `--config` does.
pub(super) const FILE_VARIABLE: &str = "LARKFIRE_CONFIG";
/// How the names of our variables begin, as far as nobody else's do.
const PREFIXES: [&str; 3] = ["LARKFIRE_", "FEISHU_", "LARK_"];

/// A remark for each variable of such a name that no setting has and that the file does not use (`used`, as `${NAME}`).
pub(super) fn unknown_variables(environment: &Environment, used: &HashSet<String>) -> Vec<Problem> {
    let of_file = registry::settings()
        .filter(|setting| setting.is_secret)
        .filter_map(|setting| Some(format!("{}_FILE", setting.variable?)));
    let own = registry::settings().filter_map(|setting| setting.variable).map(str::to_owned);
    let known: Vec<String> = own.chain(of_file).chain([FILE_VARIABLE.to_owned()]).collect();
    let is_ours = |name: &&str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let mut unknown: Vec<_> = environment
        .names()
        .filter(is_ours)
        .filter(|name| {
            !known.iter().any(|known| known == name) && !used.contains(*name) && !is_of_kubernetes(name)
        })
        .collect();
    unknown.sort_unstable();
    let remark = |name: &str| {
        let hint = nearest(known.iter().map(String::as_str), name)
            .map(|known| format!(": is {known} meant?"))
            .unwrap_or_default();
        Problem::new(name, format!("is a variable of no setting and sets nothing{hint}"))
    };
    unknown.into_iter().map(remark).collect()
}

/// What Kubernetes sets in every pod for a Service whose name begins like ours (Kubernetes documentation, "Service",
/// "Environment variables"): `LARKFIRE_INGEST_SERVICE_HOST`, `LARKFIRE_INGEST_PORT_8080_TCP_ADDR` and the like.
fn is_of_kubernetes(name: &str) -> bool {
    let after_port = name.split_once("_PORT").map(|(_, rest)| rest);
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || after_port.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use crate::parse;

    fn remarks(text: &str, names: &[&str]) -> Vec<String> {
        let environment = names.iter().map(|name| (*name, "1")).collect();
        parse("test.yaml", text, environment).unwrap().notes
    }

    #[test]
    fn a_slip_in_the_name_of_a_variable_is_said_with_the_name_that_is_meant() {
        assert_eq!(
            remarks(
                "",
                &["FEISHU_WEBHOOKURL", "LARKFIRE_LISTENS", "LARK_ENCRYPTKEY", "LARKFIRE_SOMETHING_ELSE"]
            ),
            [
                "FEISHU_WEBHOOKURL: is a variable of no setting and sets nothing: is FEISHU_WEBHOOK_URL meant?",
                "LARKFIRE_LISTENS: is a variable of no setting and sets nothing: is LARKFIRE_LISTEN meant?",
                "LARKFIRE_SOMETHING_ELSE: is a variable of no setting and sets nothing",
                "LARK_ENCRYPTKEY: is a variable of no setting and sets nothing: is LARK_ENCRYPT_KEY meant?",
            ]
        );
    }

    #[test]
    fn what_is_used_what_names_a_file_and_what_kubernetes_sets_is_no_slip() {
        let names = [
            "LARKFIRE_CONFIG",
            "LARKFIRE_TOKEN",
            "FEISHU_SECRET_FILE",
            "LARKFIRE_SERVICE_HOST",
            "LARKFIRE_INGEST_SERVICE_PORT_HTTP",
            "LARKFIRE_INGEST_PORT",
            "LARKFIRE_INGEST_PORT_8080_TCP_ADDR",
            "PATH",
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "s").unwrap();
        let environment = names.iter().map(|name| match *name {
            "FEISHU_SECRET_FILE" => (*name, file.display().to_string()),
            _ => (*name, "https://h/x".to_owned()),
        });
        let text = "receivers: { default: { webhook_url: '${LARKFIRE_TOKEN}' } }";
        assert_eq!(parse("test.yaml", text, environment.collect()).unwrap().notes, [""; 0]);
    }
}

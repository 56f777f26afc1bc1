use super::*;
use crate::{Config, Environment, parse};

fn read(text: &str) -> Result<Config, String> {
    parse("larkfire.yaml", text, Environment::default()).map_err(|errors| errors.to_string())
}

#[test]
fn a_word_means_what_the_file_says_in_upper_and_lower_case() {
    let words = read("severities: { Apocalypse: critical, '5': critical, 三级: info }").unwrap().severities;
    for (word, severity) in [
        ("apocalypse", Some(NamedSeverity::Critical)),
        ("APOCALYPSE", Some(NamedSeverity::Critical)),
        ("5", Some(NamedSeverity::Critical)),
        ("三级", Some(NamedSeverity::Info)),
        ("critical", None),
        ("", None),
    ] {
        assert_eq!(words.get(word), severity, "{word}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_its_key() {
    let long = "x".repeat(65);
    let text = format!("severities:\n  urgent: page\n  {long}: info\n  quiet: [info]\n");
    let errors = read(&text).unwrap_err();
    for problem in [
        "larkfire.yaml:2: severities.urgent: must be critical, warning or info".to_owned(),
        format!("larkfire.yaml:3: severities.{long}: must be a word that senders use"),
        "larkfire.yaml:4: severities.quiet: must be a single value".to_owned(),
    ] {
        assert!(errors.contains(&problem), "{errors}");
    }
}

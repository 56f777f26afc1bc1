use super::*;
use crate::{Environment, parse};

fn read(text: &str) -> Result<Vec<SourceConfig>, String> {
    let config = parse("larkfire.yaml", text, Environment::default()).map_err(|errors| errors.to_string())?;
    Ok(config.sources)
}

#[test]
fn a_format_is_read_with_its_parts() {
    let text = "
sources:
  watch:
    when: [/rule_name, /event/type=problem]
    name: [/rule_name, '{/host}, unnamed']
    status: /status
    resolved: [recovered, 已恢复]
    identity: /fingerprint
    labels: { host: /host, team: dba }
    labels_from: /labels
    answer: 200
";
    let source = read(text).unwrap().remove(0);
    assert_eq!(
        source.when,
        [
            Condition { pointer: "/rule_name".to_owned(), value: None },
            Condition { pointer: "/event/type".to_owned(), value: Some("problem".to_owned()) },
        ]
    );
    assert_eq!(
        source.alert_name,
        [Part::Pointer("/rule_name".to_owned()), Part::Text("{/host}, unnamed".to_owned())]
    );
    assert_eq!(source.labels[1], ("team".to_owned(), Part::Text("dba".to_owned())));
    assert_eq!((source.resolved.len(), source.answer), (2, SuccessStatus::Ok));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_key() {
    for (source, says) in [
        ("{ status: /s }", "sources.x: needs a name"),
        ("{ name: /n, items: alerts }", "sources.x.items: must be a JSON pointer"),
        ("{ name: /n, answer: 204 }", "sources.x.answer: must be 200 or 202"),
        ("{ name: /n, whenn: /a }", "unknown key `sources.x.whenn`; did you mean `when`?"),
        ("{ name: /n, labels: { 'a b': /c } }", "the name of a label, without blanks"),
    ] {
        let said = read(&format!("sources: {{ x: {source} }}")).unwrap_err();
        assert!(said.contains(says), "{source}: {said}");
    }
}

//! `docs/console-openapi.json` against the answers: nothing is answered that it does not say.

use hyper::Method;
use serde_json::Value;

use crate::harness::Harness;

/// What every form takes; each leaves the rest.
const FORM: &str = "id=7&reason=r&alertmanager=eu&matchers=a%3Db&until=2026-01-02T03:04:05Z&count=1";
const DOCUMENT: &str = include_str!("../../../docs/console-openapi.json");

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is wrong with the value, and where.
fn fault(document: &Value, schema: &Value, value: &Value, place: &str) -> Option<String> {
    let schema = resolved(document, schema);
    if let Some(several) = schema["anyOf"].as_array() {
        let faults: Vec<_> = several.iter().map(|one| fault(document, one, value, place)).collect();
        return faults.into_iter().min_by_key(Option::is_some).flatten();
    }
    let found = type_of(value);
    let allowed = &schema["type"];
    let several = || allowed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let allowed: Vec<_> = allowed.as_str().map_or_else(several, |one| vec![one]);
    let fits =
        allowed.iter().any(|allowed| *allowed == found || (*allowed == "number" && found == "integer"));
    if !fits {
        return Some(format!("{place} is {found}, not {allowed:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{place} is {value}"));
    }
    match value {
        Value::Array(items) => {
            items.iter().find_map(|item| fault(document, &schema["items"], item, &format!("{place}[]")))
        }
        Value::Object(members) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.into_iter().find(|name| !members.contains_key(*name));
            missing.map(|name| format!("{place}.{name} is missing")).or_else(|| {
                members.iter().find_map(|(name, member)| {
                    let known = schema["properties"].get(name);
                    match known.or(schema.get("additionalProperties").filter(|other| other.is_object())) {
                        Some(known) => fault(document, known, member, &format!("{place}.{name}")),
                        None => Some(format!("{place}.{name} is not documented")),
                    }
                })
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[tokio::test]
async fn every_answer_is_as_documented_and_every_page_is_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let harness = Harness::new().await;
    let paths = document["paths"].as_object().unwrap();
    for (template, methods) in paths {
        let path = template.replace("{number}", "7").replace("{fingerprint}", "a%2Fb").replace("{card}", "7");
        let path = path.replace("{receiver}", "7").replace("{envelopes}", "e1,e2");
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut seen = Vec::new();
            for (form, path) in [(FORM, path.clone()), ("", path.replace('7', "700"))] {
                let path = format!("{path}?format=json");
                let headers = [("content-type", "application/x-www-form-urlencoded")];
                seen.push(harness.send(method.clone(), &path, &headers, form).await);
            }
            *harness.backend.away.lock().unwrap() = Some("away".to_owned());
            seen.push(harness.send(method.clone(), &format!("{path}?format=json"), &[], FORM).await);
            *harness.backend.away.lock().unwrap() = None;
            for answer in seen {
                let documented = &operation["responses"][answer.status.to_string()];
                assert!(documented.is_object(), "{method} {path}: {} is not documented", answer.status);
                let schema = &documented["content"]["application/json"]["schema"];
                assert_eq!(fault(&document, schema, &answer.json(), "it"), None, "{method} {path}");
            }
        }
    }
    assert!(paths.len() >= 18, "{}", paths.len());
}

#[test]
fn what_is_not_documented_is_found() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let schema = serde_json::json!({ "$ref": "#/components/schemas/Begun" });
    let found = |text: &str| fault(&document, &schema, &serde_json::from_str(text).unwrap(), "it");
    assert_eq!(found(r#"{"action":1}"#), None);
    for wrong in ["{}", r#"{"action":"1"}"#, r#"{"action":1,"more":2}"#, "[]"] {
        assert!(found(wrong).is_some(), "{wrong}");
    }
}

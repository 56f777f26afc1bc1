//! `docs/console-openapi.json` against the answers: nothing is answered that it does not say.

use std::sync::atomic::Ordering;

use hyper::Method;
use serde_json::Value;
use testkit::http::Answer;

use crate::fake_entrance::EntranceHarness;
use crate::harness::Harness;

/// What every form takes; each leaves the rest.
const FORM: &str = "id=7&reason=r&alertmanager=eu&matchers=a%3Db&until=2026-01-02T03:04:05Z&count=1";
const DOCUMENT: &str = include_str!("../../../docs/console-openapi.json");
const FORM_HEADERS: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];
/// Where refusals are put together; their codes are read out of it, because they are nobody else's business.
const REFUSALS: [&str; 2] =
    [include_str!("../../src/handling.rs"), include_str!("../../src/entrance/reasons.rs")];
/// Codes of the pages to log in at, which are no pages for programs.
const OF_LOGGING_IN: [&str; 12] = [
    "slowed",
    "no_such_way",
    "unknown_state",
    "used_before",
    "access_denied",
    "another_company",
    "not_allowed",
    "begin_again",
    "app_not_open",
    "no_account",
    "feishu_configuration",
    "foreign_form",
];

/// A request for a page that is documented.
struct Operation<'d> {
    document: &'d Value,
    method: Method,
    path: String,
    responses: &'d Value,
}

impl Operation<'_> {
    fn all(document: &Value) -> Vec<Operation<'_>> {
        let mut all = Vec::new();
        for (template, methods) in document["paths"].as_object().unwrap() {
            let path = template.replace("{number}", "7").replace("{fingerprint}", "a%2Fb");
            let path = path.replace("{card}", "7").replace("{receiver}", "7").replace("{envelopes}", "e1,e2");
            for (method, operation) in methods.as_object().unwrap() {
                let method = method.to_uppercase().parse().unwrap();
                all.push(Operation {
                    document,
                    method,
                    path: path.clone(),
                    responses: &operation["responses"],
                });
            }
        }
        assert!(all.len() >= 18, "{}", all.len());
        all
    }

    fn in_json(&self) -> String {
        format!("{}?format=json", self.path)
    }

    fn check(&self, answer: &Answer) {
        let Self { document, method, path, responses } = self;
        let documented = resolved(document, &responses[answer.status.to_string()]);
        assert!(documented.is_object(), "{method} {path}: {} is not documented", answer.status);
        let kind = answer.header("content-type").unwrap_or_default();
        let content = &documented["content"][kind.split(';').next().unwrap_or_default()];
        assert!(content.is_object(), "{method} {path}: {} in {kind} is not documented", answer.status);
        if kind == "application/json" {
            assert_eq!(fault(document, &content["schema"], &answer.json(), "it"), None, "{method} {path}");
        }
    }
}

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
    for operation in Operation::all(&document) {
        let path = operation.in_json();
        let method = &operation.method;
        for (form, path) in [(FORM, path.clone()), ("", path.replace('7', "700"))] {
            operation.check(&harness.send(method.clone(), &path, &FORM_HEADERS, form).await);
        }
        *harness.backend.away.lock().unwrap() = Some("away".to_owned());
        operation.check(&harness.send(method.clone(), &path, &[], FORM).await);
        *harness.backend.away.lock().unwrap() = None;
    }
}

#[tokio::test]
async fn whoever_does_not_get_in_is_answered_as_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let door = EntranceHarness::new().await;
    let too_long = "x".repeat((1 << 20) + 1);
    for operation in Operation::all(&document) {
        let path = operation.in_json();
        let ask = async |host, form| {
            let headers = [FORM_HEADERS[0], ("host", host)];
            let answer = door.harness.send(operation.method.clone(), &path, &headers, form).await;
            operation.check(&answer);
            answer
        };
        assert_eq!(ask("larkfire.example.com", FORM).await.status, 401);
        // The one is refused by the console, which is behind more names than its own; the other by the admin port.
        for (host, kind) in
            [("evil.example", "application/json"), ("other.example", "text/plain; charset=utf-8")]
        {
            let answer = ask(host, FORM).await;
            assert_eq!((answer.status, answer.header("content-type")), (421, Some(kind)), "{host}");
        }
        if operation.method == Method::POST {
            assert_eq!(ask("larkfire.example.com", &too_long).await.status, 413);
        }
    }
}

#[tokio::test]
async fn of_more_pages_than_are_made_at_once_one_is_told_to_come_again() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let operations = Operation::all(&document);
    let overview = operations.iter().find(|operation| operation.path == "/").unwrap();
    let harness = Harness::new().await;
    harness.backend.is_mute.store(true, Ordering::SeqCst);
    // Eight wait for the database; whichever is the ninth is the only one that is answered.
    let path = overview.in_json();
    let asked = (0..9).map(|_| Box::pin(harness.get(&path)));
    let (answer, ..) = futures_util::future::select_all(asked).await;
    overview.check(&answer);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
    assert_eq!(answer.json()["code"], "busy");
}

#[test]
fn every_code_of_a_refusal_is_documented() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let listed = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"].as_array().unwrap();
    let mut found = 0;
    for source in REFUSALS {
        // Each stands behind its status.
        for behind in source.split("StatusCode::").skip(1) {
            let Some((_, rest)) = behind.split_once(',') else { continue };
            let Some(code) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            found += 1;
            assert!(
                listed.iter().any(|known| known == code) || OF_LOGGING_IN.contains(&code),
                "{code} is not documented"
            );
        }
    }
    assert!(found > 15, "{found} codes are found");
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

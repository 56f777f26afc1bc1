//! As much of JSON Schema as `docs/openapi.yaml` uses. A keyword that is not checked here is a failed test.

use serde_json::Value;

use super::document::Document;

/// Keywords that say something to people.
const REMARKS: [&str; 2] = ["description", "format"];

/// What is wrong with `value` by this schema; `None` if nothing is.
pub(crate) fn fault(document: &Document, schema: &Value, value: &Value) -> Option<String> {
    let schema = document.resolve(schema);
    let keywords = schema.as_object().unwrap_or_else(|| panic!("{schema} is no schema"));
    keywords.iter().find_map(|(keyword, rule)| match keyword.as_str() {
        "type" => wrong_type(rule, value).then(|| format!("{value} is not of type {rule}")),
        "const" => (rule != value).then(|| format!("{value} is not {rule}")),
        "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("{value} is none of {rule}")),
        "required" => missing(rule, value),
        "properties" => properties(document, rule, value),
        "additionalProperties" => surplus(schema, rule, value),
        "minItems" => {
            let is_short = value.as_array()?.len() < usize::try_from(rule.as_u64().unwrap()).unwrap();
            is_short.then(|| format!("{value} has fewer than {rule} items"))
        }
        "items" => value.as_array()?.iter().find_map(|item| fault(document, rule, item)),
        "allOf" => rule.as_array().unwrap().iter().find_map(|part| fault(document, part, value)),
        "anyOf" => {
            let faults = rule.as_array().unwrap().iter().map(|part| fault(document, part, value));
            faults.collect::<Option<Vec<_>>>().map(|faults| faults.join("; "))
        }
        remark => {
            assert!(REMARKS.contains(&remark), "{remark} is a keyword that this test does not know");
            None
        }
    })
}

fn wrong_type(rule: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("{other} is a type that this test does not know"),
    };
    match rule.as_array() {
        Some(kinds) => !kinds.iter().any(is),
        None => !is(rule),
    }
}

fn missing(rule: &Value, value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let name = rule.as_array().unwrap().iter().find(|name| !fields.contains_key(name.as_str().unwrap()))?;
    Some(format!("{name} is missing in {value}"))
}

fn properties(document: &Document, rule: &Value, value: &Value) -> Option<String> {
    let known = rule.as_object().unwrap().iter();
    known
        .filter_map(|(name, schema)| fault(document, schema, value.get(name)?).map(|fault| (name, fault)))
        .map(|(name, fault)| format!("{name}: {fault}"))
        .next()
}

fn surplus(schema: &Value, rule: &Value, value: &Value) -> Option<String> {
    assert_eq!(rule, &Value::Bool(false));
    let known = |name: &String| schema.get("properties").is_some_and(|known| known.get(name).is_some());
    let name = value.as_object()?.keys().find(|name| !known(name))?;
    Some(format!("{name} is not documented"))
}

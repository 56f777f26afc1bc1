//! The members of a call's body. What has the wrong type never reaches a service; what is missing or too long is named.

use serde_json::{Map, Value};

use super::ApiRequest;
use crate::refusal::Refusal;

pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn read(request: &ApiRequest) -> Result<Self, Refusal> {
        if !request.is_json {
            return Err(Refusal::bad_request("the content type is not application/json"));
        }
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Refusal::bad_request("the body is no JSON object")),
            Err(_) => Err(Refusal::bad_request("the body is no JSON")),
        }
    }

    /// A string that has to be there.
    pub(super) fn text(&self, name: &str) -> Result<&str, Refusal> {
        match self.optional_text(name)? {
            None | Some("") => Err(Refusal::field(&format!("{name} is required"))),
            Some(text) => Ok(text),
        }
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad_request(&format!("{name} is no string"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::bad_request(&format!("{name} is no boolean"))),
        }
    }

    /// An array of strings, of so many at most.
    pub(super) fn texts(&self, name: &str, max: usize) -> Result<Vec<&str>, Refusal> {
        let items = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Refusal::bad_request(&format!("{name} is no array"))),
        };
        if items.len() > max {
            return Err(Refusal::field(&format!("the max len of {name} is {max}")));
        }
        let wrong = || Refusal::bad_request(&format!("{name} holds something that is no string"));
        items.iter().map(|item| item.as_str().ok_or_else(wrong)).collect()
    }
}

//! The rich text of `msg_type: post`: paragraphs of text, links, mentions and images, per language.

use serde_json::{Map, Value};

use crate::audience::Audience;
use crate::card::legal_link;
use crate::message::notified;
use crate::refusal::Refusal;

const LOCALES: [&str; 2] = ["zh_cn", "en_us"];

/// Checks every paragraph of every language and returns the mentioned members' ids.
pub(super) fn check(locales: &Map<String, Value>, audience: &Audience) -> Result<Vec<String>, Refusal> {
    let texts: Vec<&Value> = LOCALES.iter().filter_map(|locale| locales.get(*locale)).collect();
    if texts.is_empty() {
        return Err(Refusal::bad_request("content.post has neither zh_cn nor en_us"));
    }
    let mut mentioned = Vec::new();
    for text in texts {
        if text.get("title").is_some_and(|title| !title.is_string()) {
            return Err(Refusal::bad_request("the title of a post is no string"));
        }
        for paragraph in array(text.get("content"))? {
            for node in array(Some(paragraph))? {
                check_node(node, &mut mentioned)?;
            }
        }
    }
    notified(mentioned.into_iter(), audience)
}

fn array(value: Option<&Value>) -> Result<&Vec<Value>, Refusal> {
    value
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::bad_request("the content of a post is no array of paragraphs, each an array"))
}

fn check_node<'a>(node: &'a Value, mentioned: &mut Vec<&'a str>) -> Result<(), Refusal> {
    let string = |name: &str| {
        node.get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::bad_request(&format!("{name} of a post's node is no string")))
    };
    match string("tag")? {
        "text" => string("text").map(drop),
        "a" => {
            string("text")?;
            // The guide: an illegal href makes the whole message fail. It names no code.
            if legal_link(string("href")?) {
                Ok(())
            } else {
                Err(Refusal::bad_request("illegal href in a post"))
            }
        }
        "at" => {
            mentioned.push(string("user_id")?);
            Ok(())
        }
        "img" if string("image_key")?.starts_with("img_") => Ok(()),
        "img" => Err(Refusal::bad_request("image_key of a post is no key of the platform")),
        _ => Err(Refusal::bad_request("unknown tag of a post's node")),
    }
}

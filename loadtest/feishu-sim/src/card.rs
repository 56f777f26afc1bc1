//! Cards, JSON 1.0 and schema 2.0: what the platform would refuse to make a message of.
//!
//! Schema 1.0 ignores properties it does not know; 2.0 refuses them.

mod button;
mod component;
mod frame;
mod names;
mod spot;
mod table;
#[cfg(test)]
mod tests;
mod text;

use serde_json::{Map, Value};

use crate::audience::Audience;
use crate::refusal::Refusal;
use crate::settings::BotSettings;
use spot::Spot;

pub(crate) use text::legal_link;

/// Schema 2.0 takes no more components and elements than this, counted by their `tag`.
const ELEMENTS_MAX: usize = 200;

/// "element exceeds the limit", "card table number over limit".
const TOO_MANY: u32 = 11310;

/// The template is not released, or not shared with this bot.
const TEMPLATE_NOT_SHARED: u32 = 200_381;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Schema {
    V1,
    V2,
}

/// One look through a card, with what has to be counted on the way.
struct Inspection<'a> {
    schema: Schema,
    audience: &'a Audience,
    tables: usize,
    element_ids: Vec<&'a str>,
    mentioned: Vec<String>,
}

/// Checks a card and returns the mentioned members' ids, `all` for everybody.
pub(crate) fn check(card: &Map<String, Value>, audience: &Audience) -> Result<Vec<String>, Refusal> {
    let root = Spot::root(card);
    if root.optional_string("type")? == Some("template") {
        return check_template(&root, audience).map(|()| Vec::new());
    }
    let schema = match root.optional_string("schema")? {
        None | Some("1.0") => Schema::V1,
        Some("2.0") => Schema::V2,
        Some(_) => return Err(root.broken("unknown schema")),
    };
    if schema == Schema::V2 && card.values().map(tags).sum::<usize>() > ELEMENTS_MAX {
        return Err(root.refuse(TOO_MANY, "element exceeds the limit"));
    }
    let mut inspection =
        Inspection { schema, audience, tables: 0, element_ids: Vec::new(), mentioned: Vec::new() };
    inspection.frame(&root)?;
    Ok(inspection.mentioned)
}

/// Whether the platform would make a message of this card, in a group with these members, all of whom may be mentioned
/// at once.
pub fn judge_card(card: &Value, members: &[&str]) -> Result<(), Refusal> {
    let bot = members.iter().fold(BotSettings::new(""), |bot, member| bot.known_id(*member));
    let Some(card) = card.as_object() else { return Err(Refusal::params("card is no object")) };
    check(card, &bot.audience).map(|_| ())
}

fn check_template(root: &Spot<'_>, audience: &Audience) -> Result<(), Refusal> {
    if audience.templates.contains(root.object("data")?.string("template_id")?) {
        Ok(())
    } else {
        Err(root.refuse(TEMPLATE_NOT_SHARED, "the template is not shared with this bot"))
    }
}

fn tags(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            usize::from(members.contains_key("tag")) + members.values().map(tags).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(tags).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

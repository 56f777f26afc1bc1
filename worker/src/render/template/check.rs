//! What is wrong with a template, before any alert is told by it. Pure.

use std::collections::HashSet;

use minijinja::machinery::{Token, tokenize};
use minijinja::{Environment, Value};

use super::{TemplatePart, names, syntax};

/// Functions of the engine.
const FUNCTIONS: [&str; 3] = ["range", "dict", "namespace"];

/// One thing that is wrong, and where in the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Adds the text to the engine under the part's name; returns the names it uses that are not its own.
pub(super) fn add(
    engine: &mut Environment<'static>,
    part: TemplatePart,
    text: &str,
) -> Result<HashSet<String>, Vec<TemplateFault>> {
    engine.add_template_owned(part.as_str(), text.to_owned()).map_err(|error| {
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        vec![TemplateFault { line: error.line().unwrap_or(1), message: format!("{}{detail}", error.kind()) }]
    })?;
    let used = engine
        .get_template(part.as_str())
        .map(|template| template.undeclared_variables(false))
        .unwrap_or_default();
    let tokens = tokens(text);
    let mut faults = Vec::from_iter(controls(text));
    faults.extend(tokens.iter().filter_map(|(token, line)| mention(token, *line)));
    faults.extend(unknown_tools(engine, &tokens));
    faults.extend(unknown_names(&used, part, &tokens));
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(used) } else { Err(faults) }
}

/// The tokens and the line each begins on. The text has been compiled, so there are no errors among them.
fn tokens(text: &str) -> Vec<(Token<'_>, usize)> {
    tokenize(text, false, syntax())
        .map_while(Result::ok)
        .map(|(token, span)| (token, span.start_line.into()))
        .collect()
}

/// What cannot be seen in the file would be on the card.
fn controls(text: &str) -> Option<TemplateFault> {
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let before = &text[..text.find(is_control)?];
    Some(TemplateFault {
        line: before.matches('\n').count() + 1,
        message: "has a control character".to_owned(),
    })
}

/// Whom a card mentions is for `owners` to say, which asks whether everybody may be.
fn mention(token: &Token<'_>, line: usize) -> Option<TemplateFault> {
    let Token::TemplateData(own) = token else { return None };
    let own = own.to_ascii_lowercase();
    let before = &own[..own.find("<at")?];
    let message =
        "mentions somebody with <at>: set `owners`, or a receiver's `fallback` and `allow_mention_all`";
    Some(TemplateFault { line: line + before.matches('\n').count(), message: message.to_owned() })
}

/// Filters and tests the engine does not have. By itself it finds out when they are used.
fn unknown_tools(engine: &Environment<'_>, tokens: &[(Token<'_>, usize)]) -> Vec<TemplateFault> {
    let mut faults = Vec::new();
    for (index, (token, line)) in tokens.iter().enumerate() {
        let Token::Ident(name) = token else { continue };
        let before = |back: usize| index.checked_sub(back).map(|index| &tokens[index].0);
        let is = |back, word| matches!(before(back), Some(Token::Ident(found)) if *found == word);
        let kind = match before(1) {
            Some(Token::Pipe) => "filter",
            Some(Token::Ident("filter")) if matches!(before(2), Some(Token::BlockStart)) => "filter",
            Some(Token::Ident("is")) if !matches!(before(2), Some(Token::Dot)) && *name != "not" => "test",
            Some(Token::Ident("not")) if is(2, "is") => "test",
            _ => continue,
        };
        if !has(engine, kind, name) {
            faults.push(TemplateFault { line: *line, message: format!("there is no {kind} `{name}`") });
        }
    }
    faults
}

/// Whether the engine has such a filter, or test.
fn has(engine: &Environment<'_>, kind: &str, name: &str) -> bool {
    let asked = format!("name is {kind}");
    let known = engine
        .compile_expression(&asked)
        .and_then(|asked| asked.eval(Value::from_pairs([("name", name)])).map(|known| known.is_true()));
    known.unwrap_or(false)
}

fn unknown_names(
    used: &HashSet<String>,
    part: TemplatePart,
    tokens: &[(Token<'_>, usize)],
) -> Vec<TemplateFault> {
    let offered = names::names(part);
    let is_known = |name: &str| offered.contains(&name) || FUNCTIONS.contains(&name);
    let fault = |name: &String| {
        let is_it = |(token, _): &&(Token<'_>, usize)| matches!(token, Token::Ident(found) if found == name);
        let line = tokens.iter().find(is_it).map_or(1, |(_, line)| *line);
        TemplateFault {
            line,
            message: format!("there is no value `{name}`; there are: {}", offered.join(", ")),
        }
    };
    used.iter().filter(|name| !is_known(name)).map(fault).collect()
}

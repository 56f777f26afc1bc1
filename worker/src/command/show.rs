//! `dead-letters show`: everything about a letter that can be read, and the rest as bytes.

use std::io::Write;
use std::process::ExitCode;

use config::process;
use model::alert::{Alert, Labels};
use model::envelope::{Envelope, decode};
use serde_json::{Value, json};

use super::arguments::ShowArguments;
use super::context::CommandContext;
use super::terminal::{count, plain, time};
use super::{CommandError, Terminal, list};
use crate::dead_letters::{DeadLetterContent, Filter, Order, StoredDeadLetter};

/// Bytes shown of what nobody can read.
const BYTES_SHOWN_MAX: usize = 4 * 1024;

pub(super) async fn show(
    context: &CommandContext,
    asked: &ShowArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let filter = Filter { ids: asked.letters.clone(), ..Filter::default() };
    let letters = context.letters.find(&filter, Order::OldestFirst, asked.letters.len()).await?;
    let mut shown = Vec::new();
    for letter in &letters {
        let contents = context.letters.contents(&[letter.id]).await?;
        let Some((_, kept)) = contents.into_iter().next() else { continue };
        if asked.json {
            shown.push(as_json(letter, &kept)?);
        } else {
            print(terminal.out, letter, &kept)?;
        }
    }
    if asked.json {
        list::print_json(terminal.out, &json!({ "letters": shown }))?;
    }
    let mut code = ExitCode::SUCCESS;
    for missing in asked.letters.iter().filter(|id| letters.iter().all(|letter| letter.id != **id)) {
        writeln!(
            terminal.progress,
            "there is no letter {missing}; `dead-letters list` shows which there are"
        )?;
        code = process::FAILED.into();
    }
    Ok(code)
}

fn print(
    out: &mut dyn Write,
    letter: &StoredDeadLetter,
    content: &DeadLetterContent,
) -> Result<(), CommandError> {
    let named = |name: &str| if name.is_empty() { "not known".to_owned() } else { plain(name) };
    let code = letter.code.map(|code| format!(", code {code}")).unwrap_or_default();
    let outcome =
        letter.outcome.as_ref().map(|outcome| format!("; its replay: {outcome}")).unwrap_or_default();
    writeln!(out, "letter {}", letter.id)?;
    writeln!(out, "  state      {} since {}{outcome}", letter.state, time(letter.changed_at))?;
    writeln!(out, "  receiver   {}", named(&letter.receiver))?;
    writeln!(out, "  reason     {}{code}: {}", letter.reason, plain(&letter.message))?;
    writeln!(
        out,
        "  failed     first {}, last {}, after {}",
        time(letter.first_failed_at),
        time(letter.last_failed_at),
        count(usize::try_from(letter.attempts).unwrap_or_default(), "attempt")
    )?;
    match decode(content.body.trim_ascii_end()) {
        Ok(envelope) => print_envelope(out, &envelope)?,
        Err(error) => {
            let shown = &content.body[..content.body.len().min(BYTES_SHOWN_MAX)];
            writeln!(out, "  unreadable {}", plain(&error.to_string()))?;
            writeln!(out, "  bytes      {} of {}: {}", shown.len(), letter.body_bytes, shown.escape_ascii())?;
        }
    }
    if let Some(card) = &content.card {
        writeln!(out, "  refused    {}", card_text(card)?)?;
    }
    Ok(writeln!(out)?)
}

fn print_envelope(out: &mut dyn Write, envelope: &Envelope<'_>) -> Result<(), CommandError> {
    let Envelope { id, received_at, source, .. } = envelope;
    writeln!(out, "  envelope   {id} from {}, received {}", source.as_str(), time(*received_at))?;
    writeln!(out, "  meant for  {}, group {}", plain(&envelope.receiver), plain(&envelope.group_key))?;
    if envelope.truncated > 0 {
        writeln!(out, "  cut off    {} alerts, by the sender", envelope.truncated)?;
    }
    for (name, text) in [("title", &envelope.notice.title), ("message", &envelope.notice.message)] {
        if !text.is_empty() {
            writeln!(out, "  {name:<10} {}", plain(text))?;
        }
    }
    for alert in &envelope.alerts {
        print_alert(out, alert)?;
    }
    Ok(())
}

fn print_alert(out: &mut dyn Write, alert: &Alert<'_>) -> Result<(), CommandError> {
    let since = alert.starts_at.map(|start| format!(" since {}", time(start))).unwrap_or_default();
    let until = alert.ends_at.map(|end| format!(" until {}", time(end))).unwrap_or_default();
    writeln!(out, "  {:8}   {}{since}{until}", alert.status.as_str(), plain(&alert.fingerprint.to_string()))?;
    print_pairs(out, "labels", &alert.labels)?;
    print_pairs(out, "annotated", &alert.annotations)?;
    if !alert.generator_url.is_empty() {
        writeln!(out, "    rule     {}", plain(&alert.generator_url))?;
    }
    let mention = &alert.mention;
    if !mention.is_empty() {
        // Numbers of telephones are for nobody's terminal.
        let mobiles = count(mention.mobiles.len(), "mobile number");
        let names: Vec<_> =
            mention.usernames.iter().chain(&mention.open_ids).map(|name| plain(name)).collect();
        writeln!(out, "    mention  {}; {mobiles}", names.join(", "))?;
    }
    Ok(())
}

fn print_pairs(out: &mut dyn Write, what: &str, pairs: &Labels<'_>) -> Result<(), CommandError> {
    for (name, value) in pairs.iter() {
        writeln!(out, "    {what:9} {}: {}", plain(name), plain(value))?;
    }
    Ok(())
}

/// The card, indented; escaped where it is no JSON, as a cut one is not.
fn card_text(card: &[u8]) -> Result<String, CommandError> {
    let Ok(card) = serde_json::from_slice::<Value>(card) else { return Ok(card.escape_ascii().to_string()) };
    // JSON escapes what a terminal would obey, but for one range.
    let text = serde_json::to_string_pretty(&card["card"]).map_err(std::io::Error::from)?;
    Ok(text.lines().map(plain).collect::<Vec<_>>().join("\n  "))
}

fn as_json(letter: &StoredDeadLetter, content: &DeadLetterContent) -> Result<Value, CommandError> {
    let mut shown = serde_json::to_value(letter).map_err(std::io::Error::from)?;
    match serde_json::from_slice::<Value>(&content.body) {
        Ok(mut envelope) => {
            hide_mobiles(&mut envelope);
            shown["content"] = envelope;
        }
        Err(_) => shown["bytes"] = json!(content.body.escape_ascii().to_string()),
    }
    if let Some(card) = &content.card {
        let parsed = serde_json::from_slice::<Value>(card);
        shown["refused"] =
            parsed.map_or_else(|_| json!(card.escape_ascii().to_string()), |mut card| card["card"].take());
    }
    Ok(shown)
}

/// Numbers of telephones are personal data: shown by how many there are.
pub(crate) fn hide_mobiles(envelope: &mut Value) {
    let alerts = envelope.get_mut("alerts").and_then(Value::as_array_mut);
    for alert in alerts.into_iter().flatten() {
        let mobiles = alert.pointer_mut("/mention/mobiles").and_then(Value::as_array_mut);
        mobiles.into_iter().flatten().for_each(|mobile| *mobile = json!("(hidden)"));
    }
}

//! `users import`, `users remove` and `users list`: our own user table.

mod csv;
mod reading;

use std::path::Path;
use std::process::ExitCode;

use config::Config;
use serde_json::json;

use super::arguments::UsersCommand;
use super::context::CommandContext;
use super::terminal::{count, plain};
use super::{CommandError, Terminal, list, terminal};
use crate::directory::users::{self, User};
use crate::people::person::Mobile;

/// How large a file with users may be.
const FILE_BYTES_MAX: u64 = 32 << 20;
/// Problems shown of one file; whoever made it sees what they have in common.
const PROBLEMS_SHOWN_MAX: usize = 20;
const THEIRS: &str = "the user table is on a server and yours: change it there. Larkfire only has one of its own \
                      where its database is a file and no MYSQL_HOST (owners.table.host) is set";

/// Whether the table is ours to change; said before a database is looked for.
fn check(config: &Config) -> Result<(), CommandError> {
    let url = config.database.url.as_ref().map_or("", config::Secret::expose);
    let is_theirs = config.owners.table.server.is_some() || !(url.is_empty() || url.starts_with("sqlite:"));
    if is_theirs { Err(CommandError::Usage(THEIRS.to_owned())) } else { Ok(()) }
}

pub(super) async fn users(
    config: &Config,
    command: UsersCommand,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    check(config)?;
    match command {
        UsersCommand::Import { file, json } => {
            // Who imports users before the first start is right to.
            let context = CommandContext::open_or_make(config).await?;
            let users = read(&file, &config.owners.table.id_prefix)?;
            users::import(&context.store, &users).await?;
            if json {
                list::print_json(
                    terminal.out,
                    &json!({ "imported": users.len(), "file": file.display().to_string() }),
                )?;
            } else {
                writeln!(
                    terminal.out,
                    "imported {} of {}",
                    count(users.len(), "user"),
                    plain(&file.display().to_string())
                )?;
            }
        }
        UsersCommand::Remove { usernames, json } => {
            let context = CommandContext::open(config).await?;
            let removed = users::remove(&context.store, &usernames).await?;
            let unknown: Vec<_> = usernames.iter().filter(|name| !removed.contains(name)).collect();
            if json {
                list::print_json(terminal.out, &json!({ "removed": removed, "unknown": unknown }))?;
            } else {
                writeln!(terminal.out, "removed {}", count(removed.len(), "user"))?;
            }
            if !unknown.is_empty() {
                let names: Vec<_> = unknown.into_iter().map(|name| plain(name)).collect();
                return Err(CommandError::Failed(format!("not in the table: {}", names.join(", "))));
            }
        }
        UsersCommand::List { json } => {
            // Whoever looks at an empty database is in the wrong place.
            let users = users::all(&CommandContext::open(config).await?.store).await?;
            if json {
                let row = |user: &User| {
                    let [username, nickname, mobile, source_user_id] = cells(user);
                    json!({
                        "username": username, "nickname": nickname, "mobile": mobile, "source_user_id": source_user_id
                    })
                };
                let rows: Vec<_> = users.iter().map(row).collect();
                list::print_json(terminal.out, &json!({ "users": rows }))?;
            } else {
                let rows: Vec<_> = users.iter().map(cells).collect();
                terminal::print(terminal.out, ["USERNAME", "NICKNAME", "MOBILE", "SOURCE_USER_ID"], &rows)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path, id_prefix: &str) -> Result<Vec<User>, CommandError> {
    let failed = |message: String| CommandError::Failed(format!("{}: {message}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(failed(format!("{length} bytes, and {FILE_BYTES_MAX} are the most")));
    }
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    // Spreadsheets write the characters of their own system.
    let text = String::from_utf8(bytes)
        .map_err(|_| failed("this is not UTF-8: save it as `CSV UTF-8`, or convert it".to_owned()))?;
    let read = reading::read(text.trim_start_matches('\u{feff}'), id_prefix);
    read.map_err(|mut problems| {
        let more = problems.len().saturating_sub(PROBLEMS_SHOWN_MAX);
        problems.truncate(PROBLEMS_SHOWN_MAX);
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        CommandError::Problems { what: format!("{}: nothing was imported", file.display()), problems }
    })
}

/// A row for people; of a number only as much as tells it from others.
fn cells(user: &User) -> [String; 4] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mobile = user.mobile.as_ref().map(Mobile::as_str).unwrap_or_default();
    let end = mobile.len().saturating_sub(4);
    let masked = if mobile.is_empty() { String::new() } else { format!("…{}", &mobile[end..]) };
    [user.username.clone(), text(&user.nickname), masked, text(&user.id)]
}

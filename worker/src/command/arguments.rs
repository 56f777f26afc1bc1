//! The command line of the operator commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use model::envelope::Source;
use model::matcher::Matcher;
use model::when::{When, duration};
use queue::{DeadLetterId, Reason};

use crate::dead_letters::DeadLetterState;
use crate::history::HistoryOutcome;

const EXAMPLES: &str = "\
Examples:
  dead-letters list                                    what waits, the newest first
  dead-letters show 17                                 everything about letter 17
  dead-letters replay 17 18                            send two again
  dead-letters replay --receiver ops --since 2h        what failed for ops in two hours
  dead-letters replay --all --dry-run                  what would be sent if everything were
  dead-letters discard --label 'alertname=\"Watchdog\"'  give up all of an alert
  dead-letters audit                                   who did what

A replay goes through the front of the pipeline: what was delivered or resolved
since the letter was written is not delivered again, unless --force says so. A letter
that cannot be delivered waits as before, with the new reason.

Exit codes: 0 done, 1 failed or not all of it done, 64 bad configuration or usage.";

const TRACE_EXAMPLES: &str = "\
Examples:
  trace DiskFull                                       what became of alerts of this name
  trace --label 'alertname=\"DiskFull\"' --since 2h     the same, of the last two hours
  trace 9f86d081                                       by the beginning of a fingerprint
  trace 0192e4a1-6c00-7aaa-8000-000000000001           by the id in the answer to a request
  trace --receiver ops --outcome deferred --since 1d   what ops had to wait for

It knows what history.keep keeps (7 days), what the ledger knows for longer, and dead
letters. Times are in the configured timezone.

Exit codes: 0 something is known, 1 nothing is, or it failed, 64 bad configuration or usage.";

const USERS_EXAMPLES: &str = "\
Examples:
  users import people.csv     username,nickname,mobile,source_user_id
                              zhangsan,张三,13800138000,ou_7d8a6e6d
  users list                  who is known
  users remove zhangsan       takes somebody out

source_user_id is Feishu's open_id. With an app (FEISHU_APP_ID, FEISHU_APP_SECRET) a mobile is enough.

Exit codes: 0 done, 1 failed or not all of it done, 64 bad configuration or usage.";

const CONSOLE_EXAMPLES: &str = "\
Examples:
  read -rs PASSWORD; printf '%s' \"$PASSWORD\" | larkfire console hash-password
                                   $argon2id$v=19$m=19456,t=2,p=1$…, for console.users[].password_hash

Exit codes: 0 done, 1 failed, 64 bad configuration or usage.";

const REASON_HELP: &str = "Those with this reason: refused, gave_up, undecodable, no_receiver, undeliverable";
const OUTCOME_HELP: &str = "What became of them: delivered, summarised, duplicate, superseded, dead_lettered, expected, deferred; \
                            or what somebody did: acknowledged, unacknowledged, silenced, unsilenced";
const SOURCE_HELP: &str =
    "Those that came in this format: alertmanager, grafana, zabbix …, as `source` of the metrics has them";

/// What operators can do.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Lists, shows, sends again and discards what could not be delivered
    #[command(subcommand, after_help = EXAMPLES)]
    DeadLetters(DeadLettersCommand),
    /// Says what became of alerts, and why: by their name, labels, fingerprint, envelope, card or time
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(TraceArguments),
    /// Says which alerts a card counts and could not list
    #[command(subcommand)]
    Cards(CardsCommand),
    /// Sends a test alert to a receiver, on the way of any other, and says what became of it
    SendTest(SendTestArguments),
    /// Says where alerts with these labels would go, and why
    #[command(subcommand)]
    Routes(RoutesCommand),
    /// Says which heartbeats come and which are missing
    #[command(subcommand)]
    Heartbeats(HeartbeatsCommand),
    /// Reads, shows and changes the user table, where Larkfire has one of its own
    #[command(subcommand, after_help = USERS_EXAMPLES)]
    Users(UsersCommand),
    /// Helps to say who may log in to the console
    #[command(subcommand, after_help = CONSOLE_EXAMPLES)]
    Console(ConsoleCommand),
    /// Shows who did what, at the command line and in Feishu, the newest first
    Audit(TrailArguments),
    /// Makes the database this installation's: after its broker was replaced, or when another one has given it up
    AdoptDatabase(AdoptArguments),
}

/// What can be done for the console.
#[derive(Debug, Subcommand)]
pub enum ConsoleCommand {
    /// Makes of a password, read from standard input, the hash that the configuration has
    HashPassword,
}

/// What can be done with cards.
#[derive(Debug, Subcommand)]
pub enum CardsCommand {
    /// Lists the alerts that a card counts and had no room to list, by the name in its last line
    Show(ShowCardArguments),
}

/// Arguments of `cards show`.
#[derive(Args, Debug)]
pub struct ShowCardArguments {
    /// The card's name, as its last line says it
    #[arg(value_name = "CARD")]
    pub card: String,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with routes.
#[derive(Debug, Subcommand)]
pub enum RoutesCommand {
    /// Asks the routes of the configuration about one alert; sends nothing
    Test(TestRoutesArguments),
}

/// Arguments of `routes test`.
#[derive(Args, Debug)]
pub struct TestRoutesArguments {
    /// The alert's labels: severity=critical team=shop
    #[arg(value_name = "LABEL=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with heartbeats.
#[derive(Debug, Subcommand)]
pub enum HeartbeatsCommand {
    /// Lists them with when each was last heard of; exits with 1 where one is missing
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Adds and changes users, all that are in the file or none
    #[command(after_help = USERS_EXAMPLES)]
    Import {
        /// CSV whose first line names the columns, or JSON: a list of objects
        file: PathBuf,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes users out of the table
    Remove {
        /// Their user names
        #[arg(required = true, value_name = "USERNAME")]
        usernames: Vec<String>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows who is in the table; of mobiles the last digits
    List {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Lists letters, the newest first; those that wait or are being sent again, if no state is asked for
    #[command(after_help = EXAMPLES)]
    List(ListArguments),
    /// Shows everything about letters: the reason, the alerts, what was refused
    Show(ShowArguments),
    /// Sends letters through the pipeline again, the oldest first
    #[command(after_help = EXAMPLES)]
    Replay(ReplayArguments),
    /// Gives letters up: they are never delivered, and forgotten after 30 days
    #[command(after_help = EXAMPLES)]
    Discard(DiscardArguments),
    /// Shows who replayed and discarded what, the newest first
    Audit(AuditArguments),
}

/// Which letters are meant.
#[derive(Args, Clone, Debug)]
pub struct Choice {
    /// The letters' numbers, as `list` shows them
    #[arg(value_name = "LETTER", value_parser = letter)]
    pub letters: Vec<DeadLetterId>,
    /// Those for this receiver or one of its bots ("" for those that never had one)
    #[arg(long, value_name = "NAME")]
    pub receiver: Option<String>,
    /// Those with this reason
    #[arg(long, value_parser = reason, help = REASON_HELP)]
    pub reason: Option<Reason>,
    /// Those that Feishu refused with this code
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub code: Option<i64>,
    /// Those that came in this format
    #[arg(long, value_name = "FORMAT", value_parser = source, help = SOURCE_HELP)]
    pub source: Option<Source>,
    /// Those with an alert that matches, in Alertmanager's syntax: 'severity="critical"', 'team=~"a|b"'. May be
    /// given several times: then one alert has to match all of them
    #[arg(long = "label", value_name = "MATCHER")]
    pub labels: Vec<Matcher>,
    /// Those that failed at this time or later: RFC 3339, or so long ago (30m, 2h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<When>,
    /// Those that failed before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<When>,
}

/// What acts on letters.
#[derive(Args, Clone, Debug)]
pub struct Acting {
    #[command(flatten)]
    pub choice: Choice,
    /// Means every letter that waits; needed where nothing else says which
    #[arg(long)]
    pub all: bool,
    /// Only says which letters are meant
    #[arg(long)]
    pub dry_run: bool,
    /// Who does it, for the audit trail; otherwise the system's user and host
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    #[command(flatten)]
    pub choice: Choice,
    /// Those in this state: waiting, replaying, replayed, discarded; may be given several times
    #[arg(long = "state", value_parser = state)]
    pub states: Vec<DeadLetterState>,
    /// Letters shown at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct ShowArguments {
    /// The letters' numbers, as `list` shows them
    #[arg(required = true, value_name = "LETTER", value_parser = letter)]
    pub letters: Vec<DeadLetterId>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `replay`.
#[derive(Args, Debug)]
pub struct ReplayArguments {
    #[command(flatten)]
    pub acting: Acting,
    /// Delivers it even if it was delivered or resolved since
    #[arg(long)]
    pub force: bool,
    /// Also those that are being sent again and were not heard of, as after a crash; numbers always mean those as well
    #[arg(long)]
    pub stuck: bool,
    /// Letters sent in a second, at most
    #[arg(long, default_value = "20/s", value_name = "N/s", value_parser = rate)]
    pub rate: u32,
    /// How long to wait for what becomes of them; 0 is not at all
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = duration)]
    pub wait: Duration,
}

/// Arguments of `discard`.
#[derive(Args, Debug)]
pub struct DiscardArguments {
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `audit`.
#[derive(Args, Debug)]
pub struct TrailArguments {
    /// What was done at this time or later: RFC 3339, or so long ago (30m, 2h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<When>,
    /// What was done by this person, as the second column says it
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
    /// What the third column calls this: replay, discard, acknowledge, silence, …
    #[arg(long, value_name = "WORD")]
    pub action: Option<String>,
    #[command(flatten)]
    pub listed: AuditArguments,
}

/// How much of the trail is shown, and how.
#[derive(Args, Debug)]
pub struct AuditArguments {
    /// Lines shown at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `adopt-database`.
#[derive(Args, Debug)]
pub struct AdoptArguments {
    /// Who does it, for the audit trail; otherwise the system's user and host
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `trace`.
#[derive(Args, Debug)]
pub struct TraceArguments {
    /// An alert's name, its fingerprint or the beginning of that (4 characters or more), or the id of an envelope, as in the
    /// answer to a request or in the log
    #[arg(value_name = "NAME|FINGERPRINT|ENVELOPE", required_unless_present_any = ["labels", "receiver", "since", "outcome", "card"])]
    pub what: Option<String>,
    /// Alerts that match, in Alertmanager's syntax: 'alertname="Disk"', 'team=~"a|b"'. May be given several times
    #[arg(long = "label", value_name = "MATCHER")]
    pub labels: Vec<Matcher>,
    /// What was for this receiver
    #[arg(long, value_name = "NAME")]
    pub receiver: Option<String>,
    /// What became of them
    #[arg(long, value_parser = history_outcome, help = OUTCOME_HELP)]
    pub outcome: Option<HistoryOutcome>,
    /// What is on this card
    #[arg(long, value_name = "CARD")]
    pub card: Option<String>,
    /// What happened at this time or later: RFC 3339, or so long ago (30m, 2h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<When>,
    /// What happened before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<When>,
    /// Entries of the history shown at most, the newest
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = pair.ok_or_else(|| "expected a label, such as severity=critical".to_owned())?;
    Ok((name.to_owned(), value.trim_matches('"').to_owned()))
}

fn letter(text: &str) -> Result<DeadLetterId, String> {
    let number = text.parse().ok().filter(|number| *number > 0).map(DeadLetterId);
    number.ok_or_else(|| "expected a letter's number, as `dead-letters list` shows it".to_owned())
}

fn reason(text: &str) -> Result<Reason, String> {
    one_of(text, Reason::ALL, Reason::as_str)
}

fn source(text: &str) -> Result<Source, String> {
    one_of(text, Source::ALL, Source::as_str)
}

fn history_outcome(text: &str) -> Result<HistoryOutcome, String> {
    one_of(text, HistoryOutcome::ALL, HistoryOutcome::as_str)
}

fn state(text: &str) -> Result<DeadLetterState, String> {
    one_of(text, DeadLetterState::ALL, DeadLetterState::as_str)
}

fn one_of<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    word: fn(T) -> &'static str,
) -> Result<T, String> {
    let known = all.into_iter().find(|one| word(*one) == text);
    known.ok_or_else(|| format!("expected one of {}", all.map(word).join(", ")))
}

fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let number = number.parse().ok().filter(|rate| (1..=1_000).contains(rate));
    number.ok_or_else(|| "expected letters per second, from 1/s to 1000/s".to_owned())
}

/// Arguments of `send-test`.
#[derive(Args, Debug)]
pub struct SendTestArguments {
    /// The receiver's name, as in the configuration
    pub receiver: String,
    /// How long to wait for what becomes of it
    #[arg(long, default_value = "20s", value_name = "TIME", value_parser = duration)]
    pub wait: Duration,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct OperatorCli {
        #[command(subcommand)]
        command: OperatorCommand,
    }

    fn parse(line: &str) -> Result<OperatorCommand, String> {
        let words = std::iter::once("test").chain(line.split(' '));
        OperatorCli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_examples_show_can_be_typed() {
        for line in EXAMPLES.lines().filter_map(|line| line.strip_prefix("  dead-letters ")) {
            let (command, _) = line.split_once("  ").unwrap();
            let command = command.replace("'alertname=\"Watchdog\"'", "alertname=\"Watchdog\"");
            parse(&format!("dead-letters {command}")).unwrap();
        }
    }

    #[test]
    fn what_the_examples_of_trace_show_can_be_typed() {
        let examples = TRACE_EXAMPLES.lines().filter_map(|line| line.strip_prefix("  trace "));
        let typed = examples.map(|line| line.split_once("  ").unwrap().0.replace('\'', ""));
        let typed: Vec<_> = typed.collect();
        assert_eq!(typed.len(), 5);
        for words in typed {
            parse(&format!("trace {words}")).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_words_that_help() {
        for (line, says) in [
            ("dead-letters show seven", "a letter's number"),
            ("dead-letters show", "LETTER"),
            ("dead-letters list --reason bored", "expected one of refused, gave_up"),
            ("dead-letters list --state asleep", "expected one of waiting, replaying"),
            ("dead-letters list --source nagios", "expected one of alertmanager"),
            ("dead-letters list --label severity", "expected something like severity=\"critical\""),
            ("dead-letters list --since yesterday", "2024-01-15T10:30:00Z"),
            ("trace", "NAME|FINGERPRINT|ENVELOPE"),
            ("trace --outcome lost", "expected one of delivered, summarised"),
            ("dead-letters replay --all --rate 0/s", "from 1/s to 1000/s"),
            ("dead-letters replay --all --wait long", "expected a time"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(said.contains(says), "{line}: {said}");
        }
    }
}

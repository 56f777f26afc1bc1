//! The way in: file and environment → a complete, checked `Config`, or everything that is wrong.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::problem::{ConfigErrors, Problem};
use super::reader::Reader;
use super::tree::{self, Node, Value};
use super::variables::{FILE_VARIABLE, unknown_variables};
use super::{Config, settings};

/// What a role asks of the settings beyond what holds for all roles: everything that is wrong for it.
pub type RoleCheck = fn(&Config) -> Vec<Problem>;

/// Reads the file (or the one `LARKFIRE_CONFIG` names, or none) and the environment over it. What is wrong with them and what
/// `checks` find is reported together.
pub fn load(file: Option<&Path>, checks: &[RoleCheck]) -> Result<Config, ConfigErrors> {
    let one = |problem: Problem| ConfigErrors(vec![problem]);
    let (environment, dotenv) = Environment::of_process(file).map_err(one)?;
    let file = file.map(PathBuf::from).or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
    let with = |config: Config, read: Option<PathBuf>| Config {
        files: config.files.into_iter().chain(read).chain(dotenv).collect(),
        ..config
    };
    let Some(path) = file else { return read("", "", environment, checks).map(|config| with(config, None)) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| one(Problem::new(&name, format!("cannot be read: {error}"))))?;
    read(&name, &text, environment, checks).map(|config| with(config, Some(path)))
}

/// Refuses settings without RabbitMQ, for the roles that cannot do without it.
pub fn needs_queue(config: &Config) -> Vec<Problem> {
    let needed = "is needed: set AMQP_URL, or run `larkfire`, which brings a queue of its own";
    config.queue.is_none().then(|| Problem::new("queue.url", needed)).into_iter().collect()
}

/// Refuses settings without a receiver where nobody has asked for the preview: for a process beside others, whose alerts it would
/// show to nobody.
pub fn needs_receiver(config: &Config) -> Vec<Problem> {
    let needed = "are needed: set FEISHU_WEBHOOK_URL, or receivers in the file. To look at cards here instead of sending \
                  them, set preview: true (LARKFIRE_PREVIEW=true); every alert this process takes off the queue is then \
                  shown and not sent";
    let is_missing = config.receivers.is_empty() && !config.preview;
    is_missing.then(|| Problem::new("receivers", needed)).into_iter().collect()
}

/// Reads the text of a file called `name`; for `load`, and for tests with a literal environment.
pub fn parse(name: &str, text: &str, environment: Environment) -> Result<Config, ConfigErrors> {
    read(name, text, environment, &[])
}

fn read(
    name: &str,
    text: &str,
    environment: Environment,
    checks: &[RoleCheck],
) -> Result<Config, ConfigErrors> {
    let reader = Reader::new(name, environment);
    // A file that cannot be read as YAML still leaves the variables to be checked.
    let tree = tree::parse(text).unwrap_or_else(|error| {
        reader.report(name, error.to_string());
        Node { line: 1, value: Value::Map(Vec::new()) }
    });
    let config = settings::read(&reader, &tree);
    let unknown = unknown_variables(&reader.environment, &reader.expanded.borrow());
    let config = Config { files: reader.files.take(), ..config };
    for check in checks {
        reader.problems.borrow_mut().extend(check(&config));
    }
    match reader.problems.into_inner() {
        problems if problems.is_empty() => {
            let notes = config.notes.into_iter().chain(unknown.iter().map(ToString::to_string)).collect();
            Ok(Config { notes, ..config })
        }
        // A slip in a name may be the reason why something is missing.
        problems => Err(ConfigErrors::sorted(problems.into_iter().chain(unknown).collect())),
    }
}

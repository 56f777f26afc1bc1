//! The way in: file and environment → a complete, checked `Config`, or everything that is wrong.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::problem::{ConfigErrors, Problem};
use super::reader::Reader;
use super::tree::{self, Node, Value};
use super::{Config, settings};

/// Names the configuration file where no `--config` does.
const FILE_VARIABLE: &str = "LARKFIRE_CONFIG";

/// Reads the file (or the one `LARKFIRE_CONFIG` names, or none) and the environment over it.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    let one = |problem: Problem| ConfigErrors(vec![problem]);
    let (environment, dotenv) = Environment::of_process(file).map_err(one)?;
    let file = file.map(PathBuf::from).or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
    let with = |config: Config, read: Option<PathBuf>| Config {
        files: config.files.into_iter().chain(read).chain(dotenv).collect(),
        ..config
    };
    let Some(path) = file else { return parse("", "", environment).map(|config| with(config, None)) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| one(Problem::new(&name, format!("cannot be read: {error}"))))?;
    parse(&name, &text, environment).map(|config| with(config, Some(path)))
}

/// Refuses settings without RabbitMQ, for the roles that cannot do without it.
pub fn with_queue(config: Config) -> Result<Config, ConfigErrors> {
    if config.queue.is_some() {
        return Ok(config);
    }
    let needed = "is needed: set AMQP_URL, or run `larkfire`, which brings a queue of its own";
    Err(ConfigErrors(vec![Problem::new("queue.url", needed)]))
}

/// Reads the text of a file called `name`; for `load`, and for tests with a literal environment.
pub fn parse(name: &str, text: &str, environment: Environment) -> Result<Config, ConfigErrors> {
    let reader = Reader::new(name, environment);
    // A file that cannot be read as YAML still leaves the variables to be checked.
    let tree = tree::parse(text).unwrap_or_else(|error| {
        reader.report(name, error.to_string());
        Node { line: 1, value: Value::Map(Vec::new()) }
    });
    let config = settings::read(&reader, &tree);
    let config = Config { files: reader.files.into_inner(), ..config };
    match reader.problems.into_inner() {
        problems if problems.is_empty() => Ok(config),
        problems => Err(ConfigErrors::sorted(problems)),
    }
}

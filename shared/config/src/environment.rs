//! The environment as a value: the process's variables over those of a `.env` file, so that tests hand in
//! literal pairs and nothing ever changes the process's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::problem::Problem;

const DOTENV: &str = ".env";

/// Names and values. A variable that is set but empty counts as not set, as Compose files and charts mean it.
#[derive(Clone, Debug, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The variables of this process, and below them those of a `.env` beside `file` or in the working
    /// directory, whichever is found first; that file, too.
    pub(super) fn of_process(file: Option<&Path>) -> Result<(Self, Option<PathBuf>), Problem> {
        let beside = file.and_then(Path::parent).map(|folder| folder.join(DOTENV));
        let found = beside.into_iter().chain([PathBuf::from(DOTENV)]).find(|path| path.is_file());
        let mut variables = found.as_deref().map_or_else(|| Ok(HashMap::new()), read_dotenv)?;
        // What is not UTF-8 is none of ours, and `vars` would panic over it, printing the value.
        let set = std::env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        variables.extend(set.filter(|(_, value)| !value.is_empty()));
        Ok((Self(variables), found))
    }

    /// The value of `name`, unless it is not set or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The names of all that are set.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.as_str())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

fn read_dotenv(path: &Path) -> Result<HashMap<String, String>, Problem> {
    // The library's own message would quote the line, and the line may hold a secret.
    let unreadable =
        |_| Problem::new(path.display().to_string(), "is not of the form NAME=value, line by line");
    dotenvy::from_path_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)
}

//! Settings of the operators' console.

use super::kinds::Must;
use super::reader::{Section, key_or};

/// The operators' console on the admin port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// Stands before the path of every page: empty, or with a slash at its beginning and none at its end.
    pub path_prefix: String,
}

pub(super) fn console(section: Section<'_>) -> ConsoleConfig {
    let path_prefix = section.value(key_or("path_prefix", "LARKFIRE_CONSOLE_PATH_PREFIX"), path_prefix);
    section.finish();
    ConsoleConfig { path_prefix: path_prefix.unwrap_or_default() }
}

/// A path such as `/larkfire`; a slash alone is none.
fn path_prefix(text: &str) -> Result<String, Must> {
    let path = text.trim_end_matches('/');
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
    let is_path = path.is_empty() || (path.starts_with('/') && !path.contains("//") && !path.contains("/."));
    if is_path && path.chars().all(is_usual) && path.len() <= 200 {
        return Ok(path.to_owned());
    }
    Err("a path such as /larkfire, of letters, digits, dashes and slashes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_plain_path() {
        for (text, path) in
            [("/larkfire", "/larkfire"), ("/larkfire/", "/larkfire"), ("/a/b-c", "/a/b-c"), ("/", "")]
        {
            assert_eq!(path_prefix(text).as_deref(), Ok(path), "{text}");
        }
        for text in ["larkfire", "//x", "/a//b", "/../x", "/a b", "/a?b", "/a\"b", "https://h/x"] {
            assert!(path_prefix(text).is_err(), "{text}");
        }
    }
}

//! Which receiver an envelope is for. Pure.

use shared::config::DEFAULT_RECEIVER;

/// The receiver for what the sender asked for: the one of that name, else the one called `default`, else the only
/// one there is. Returns its place among `names`; `None` if nothing says which of several it should be.
pub fn choose(asked: &str, names: &[String]) -> Option<usize> {
    let place_of = |name: &str| names.iter().position(|known| known == name);
    place_of(asked).or_else(|| place_of(DEFAULT_RECEIVER)).or((names.len() == 1).then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_configured_name_is_taken_at_its_word() {
        assert_eq!(choose("ops", &names(&["default", "ops"])), Some(1));
    }

    #[test]
    fn anything_else_goes_to_the_default_or_the_only_one() {
        assert_eq!(choose("nobody", &names(&["ops", "default"])), Some(1));
        assert_eq!(choose("", &names(&["ops"])), Some(0));
    }

    #[test]
    fn among_several_without_a_default_nothing_is_guessed() {
        assert_eq!(choose("nobody", &names(&["ops", "dev"])), None);
        assert_eq!(choose("nobody", &[]), None);
    }
}

//! Patterns with `*` for anything and `?` for one character. Pure.

/// Whether a text is a pattern rather than a name.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether the whole text fits the pattern. Takes at most the product of their lengths.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern;
    let mut left = text;
    // Where to go on if what follows the last `*` does not fit: there the `*` takes one character more.
    let mut retry: Option<(&str, &str)> = None;
    loop {
        match (rest.chars().next(), left.chars().next()) {
            (Some('*'), _) => {
                rest = &rest[1..];
                retry = Some((rest, left));
                continue;
            }
            (None, None) => return true,
            (Some(one), Some(other)) if one == '?' || one == other => {
                rest = &rest[one.len_utf8()..];
                left = &left[other.len_utf8()..];
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = retry else { return false };
        let Some(taken) = from.chars().next() else { return false };
        left = &from[taken.len_utf8()..];
        rest = after;
        retry = Some((after, left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_anything_and_a_question_mark_one_character() {
        for (pattern, text, fits) in [
            ("pay-*", "pay-api", true),
            ("pay-*", "pay-", true),
            ("pay-*", "pay", false),
            ("*", "", true),
            ("*-api", "pay-api-v2", false),
            ("*-api*", "pay-api-v2", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("服务-?", "服务-一", true),
            ("服务-?", "服务-", false),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}

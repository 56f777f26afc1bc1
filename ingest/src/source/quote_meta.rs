//! Alertmanager and Grafana pass receiver names through Go's `regexp.QuoteMeta`; this undoes it. Pure.

use std::borrow::Cow;

/// What `regexp.QuoteMeta` puts a backslash before.
const QUOTED: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'];

/// The name as it was configured. A backslash before anything else is part of the name.
pub(super) fn unquoted(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains('\\') {
        return name;
    }
    let mut plain = String::with_capacity(name.len());
    let mut rest = name.chars().peekable();
    while let Some(letter) = rest.next() {
        let quoted = if letter == '\\' { rest.next_if(|next| QUOTED.contains(next)) } else { None };
        plain.push(quoted.unwrap_or(letter));
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_read_back() {
        let names = [
            ("web.hook", r"web\.hook"),
            ("ops+oncall (sms)", r"ops\+oncall \(sms\)"),
            (r"back\slash", r"back\\slash"),
            ("飞书", "飞书"),
        ];
        for (plain, quoted) in names {
            assert_eq!(unquoted(quoted.into()), plain);
        }
        assert_eq!(unquoted(r"not\quoted\".into()), r"not\quoted\");
    }
}

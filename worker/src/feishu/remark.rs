//! What the other side said, made fit for logs and dead letters: short, one line, without URLs.

/// How much of a remark is kept, in characters; Feishu's longest useful ones have about 200.
const REMARK_CHARACTERS_MAX: usize = 300;

/// Makes a remark short and printable, and takes URLs out: some answers repeat the webhook they came from.
pub(super) fn shorten(said: &str) -> String {
    let words = said.split(|character: char| character.is_whitespace() || character.is_control());
    let mut kept = String::new();
    for word in words.filter(|word| !word.is_empty()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        match word.find("://") {
            Some(_) => kept.push_str("(URL)"),
            None => kept.push_str(word),
        }
    }
    match kept.char_indices().nth(REMARK_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &kept[..end]),
        None => kept,
    }
}

/// An error and what caused it, as one line. For reqwest's errors only after `without_url`.
pub(super) fn of_error(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(said) = runtime::tls::said_of(error) {
        return shorten(&said);
    }
    let causes = std::iter::successors(Some(error), |error| error.source());
    shorten(&causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remark_is_one_short_line_without_urls() {
        assert_eq!(
            shorten("bad\n\tthing\u{1b}[31m at https://open.feishu.cn/open-apis/bot/v2/hook/abc, see"),
            "bad thing [31m at (URL) see"
        );
        assert_eq!(shorten(&"字".repeat(400)).chars().count(), REMARK_CHARACTERS_MAX + 1);
    }
}

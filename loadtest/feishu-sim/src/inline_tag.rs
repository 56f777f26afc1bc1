//! Finds inline tags such as `<at …>` and `<a …>` in texts and reads their attributes.

/// The attributes of one inline tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InlineTag<'a>(Vec<(&'a str, &'a str)>);

impl<'a> InlineTag<'a> {
    pub(crate) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }
}

/// Every complete tag of this name, inside code fences too: that a fence protects them is not documented.
pub(crate) fn inline_tags<'a>(text: &'a str, name: &str) -> Vec<InlineTag<'a>> {
    text.split(&format!("<{name}"))
        .skip(1)
        .filter(|rest| rest.starts_with(char::is_whitespace))
        .filter_map(|rest| rest.split_once('>'))
        .map(|(inside, _)| InlineTag(attributes(inside)))
        .collect()
}

fn attributes(inside: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = inside.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let after = &after[1..];
                after.split_once(quote).unwrap_or((after, ""))
            }
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        found.push((name.trim(), value));
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids<'a>(text: &'a str, attribute: &str) -> Vec<Option<&'a str>> {
        inline_tags(text, "at").iter().map(|tag| tag.attribute(attribute)).collect()
    }

    #[test]
    fn reads_quoted_and_bare_attributes() {
        assert_eq!(
            ids("<at id=ou_1></at> <at id=\"ou_2\"></at><at x='a b' id='ou_3'>", "id"),
            [Some("ou_1"), Some("ou_2"), Some("ou_3")]
        );
    }

    #[test]
    fn a_tag_without_the_attribute_is_still_a_tag() {
        assert_eq!(ids("<at user_id=\"ou_1\">Ann</at>", "id"), [None]);
    }

    #[test]
    fn escaped_unfinished_and_other_tags_are_not_found() {
        let text = "&#60;at id=ou_1&#62; <attach id=1> < at id=1> <at id=ou_1";
        assert!(inline_tags(text, "at").is_empty());
    }
}

//! Whose alerts these are: one line, whatever the number of alerts. An id in a mention consists of letters, digits and
//! dashes by its type, and everything else is text from outside. Pure.

use super::card::Element;
use super::escape::{clean_line, markdown, untagged};
use super::icons;
use super::view::View;
use crate::people::mentions::{At, MentionedOwner, Name};

/// How much of a name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;
/// From so many digits on a number in a name may be somebody's mobile.
const DIGITS_MAX: usize = 6;
/// How long the line gets, in bytes: the alerts are what the card is for.
const LINE_BYTES_MAX: usize = 2_000;
const BETWEEN: &str = " · ";

/// The line on a card.
pub(super) fn element(view: &View<'_>) -> Option<Element> {
    let shown = |owner: &MentionedOwner| match &owner.at {
        Some(At::All) => Some("<at id=all></at>".to_owned()),
        Some(At::OpenId(id)) => Some(format!("<at id={}></at>", id.as_str())),
        Some(At::UserId(id)) => Some(format!("<at id={}></at>", id.as_str())),
        None => name(view, owner).map(|name| markdown(&name)),
    };
    line(view, shown).map(Element::paragraph)
}

/// The same in plain text, where only an open id is a mention for every bot.
pub(super) fn text(view: &View<'_>) -> Option<String> {
    let shown = |owner: &MentionedOwner| {
        let name = name(view, owner).map(|name| untagged(&name));
        let id = match &owner.at {
            Some(At::All) => "all",
            Some(At::OpenId(id)) => id.as_str(),
            Some(At::UserId(_)) | None => return name,
        };
        Some(format!("<at user_id=\"{id}\">{}</at>", name.unwrap_or_default()))
    };
    line(view, shown)
}

/// The names of those who have one, without marks.
pub(super) fn names(view: &View<'_>) -> Vec<String> {
    let owners = view.besides.owners.map_or(&[][..], |mentions| &mentions.owners);
    owners.iter().filter_map(|owner| name(view, owner)).collect()
}

fn line(view: &View<'_>, shown: impl Fn(&MentionedOwner) -> Option<String>) -> Option<String> {
    let mentions = view.besides.owners?;
    let mut bytes = 0;
    let fits = |person: &String| {
        bytes += person.len() + BETWEEN.len();
        bytes <= LINE_BYTES_MAX
    };
    let mut people: Vec<_> = mentions.owners.iter().filter_map(shown).take_while(fits).collect();
    let more = mentions.more + mentions.owners.len() - people.len();
    if more > 0 {
        people.push(view.words.more_people(more));
    }
    (!people.is_empty()).then(|| format!("{} {}", icons::OWNERS, people.join(BETWEEN)))
}

fn name(view: &View<'_>, owner: &MentionedOwner) -> Option<String> {
    match owner.name.as_ref()? {
        Name::Everybody => Some(view.words.everybody.to_owned()),
        Name::Text(text) => {
            Some(clean_line(&masked(text), NAME_CHARACTERS_MAX)).filter(|name| !name.is_empty())
        }
    }
}

/// The name without what may be a phone number.
fn masked(name: &str) -> String {
    let mut masked = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        masked.push_str(before);
        masked.push_str(if digits.len() > DIGITS_MAX { "***" } else { digits });
        rest = after;
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_a_name_is_not_shown() {
        assert_eq!(masked("张三 13800138000"), "张三 ***");
        assert_eq!(masked("+8613800138000 (x) 12"), "+*** (x) 12");
        assert_eq!(masked("zhang3"), "zhang3");
    }
}

//! What a header of card JSON 2.0 has besides its title: how bad it is, how many and whether it is news as tags, where it
//! is as a subtitle, and all of it in one line for a notification. Pure.

use super::attention_lines;
use super::card::{CardText, Header, HeaderBesides, HeaderTag, Template};
use super::header;
use super::view::View;

/// The header; what stands in it besides takes the badge and the place out of the title.
pub(super) fn of(view: &View<'_>) -> Header {
    let whole = header::of(view);
    let summary = whole.title.content().to_owned();
    // Whoever words a title says in it what they want to say.
    let (title, subtitle) = match &view.title {
        Some(title) => (title.clone(), String::new()),
        None => (header::bare_title(view), header::bare_place(view)),
    };
    let besides = HeaderBesides { subtitle, tags: tags(view, whole.template), summary };
    Header { title: CardText::Plain { content: title }, besides: Some(besides), ..whole }
}

fn tags(view: &View<'_>, colour: Template) -> Vec<HeaderTag> {
    let header::Badge { standing, state } = header::badge_of(view);
    let all = view.summary.all;
    let state = (!state.is_empty()).then(|| HeaderTag { text: state.join(" · "), colour });
    let count = (all.total() > 1).then(|| HeaderTag { text: view.words.counts(all), colour: Template::Grey });
    let is_taken_on = attention_lines::is_all_taken_on(view);
    let standing = (!standing.is_empty()).then(|| HeaderTag {
        text: standing.join(" · "),
        colour: if is_taken_on { Template::Blue } else { Template::Purple },
    });
    state.into_iter().chain(count).chain(standing).collect()
}

//! What a wording says of the alerts of a card, in place of the built-in words. Pure.

mod values;

use super::alert_text::TITLE_CHARACTERS_MAX;
use super::escape::title_line;
use super::template::{AppliedTemplate, TemplatePart, WordedText};
use super::view::View;

/// Puts the words of one's own, if there are any, into the view.
pub(super) fn reword(view: &mut View<'_>) {
    let Some(worded) = view.besides.worded else { return };
    view.title = title(worded, view);
    let bodies = bodies(worded, view);
    view.alert_views.iter_mut().zip(bodies).for_each(|(alert_view, body)| alert_view.body = body);
}

/// The title in its words; nothing where it has none, or says nothing.
fn title(worded: &AppliedTemplate<'_>, view: &View<'_>) -> Option<String> {
    let (text, _) = worded.say(TemplatePart::Title, || values::of_card(view, worded.receiver()))?;
    Some(title_line(&text, TITLE_CHARACTERS_MAX)).filter(|title| !title.is_empty())
}

/// What it says of the view's alerts that are told in detail, one by one.
fn bodies(worded: &AppliedTemplate<'_>, view: &View<'_>) -> Vec<Option<WordedText>> {
    let body = |alert_view| {
        let links = values::links(view, alert_view);
        let (text, spans) =
            worded.say(TemplatePart::Body, || Some(values::of_alert(view, alert_view, worded.receiver())))?;
        Some(WordedText::of(&text, &spans, &links)).filter(|text| !text.is_empty())
    };
    view.alert_views.iter().map(body).collect()
}

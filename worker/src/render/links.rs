//! Where to look further, and what to call it. Pure.

use std::borrow::Cow;

use super::alert_view::AlertView;
use super::escape::clean_line;
use super::group_view::GroupView;
use super::i18n::Words;
use super::view::View;
use crate::link::{self, Link, LinkContext, LinkKind, annotated};

/// The links of an alert; of several those that lead to the same page for all of them.
pub(super) fn of(view: &View<'_>, alert_view: &AlertView<'_>) -> Vec<Link> {
    let item = &alert_view.item;
    let mut context = LinkContext::of(item.envelope, view.now);
    // A card with buttons of its own is of the app's bot, and silences by them.
    let is_silenced_by_link = view.besides.buttons.is_empty();
    if !is_silenced_by_link || alert_view.group.is_some() {
        context = context.without_silence();
    }
    let mut links = link::of(item.alert, context, view.links);
    if picture_of(alert_view).is_some() {
        links.retain(|link| link.kind != LinkKind::Image);
    }
    if let Some(group) = &alert_view.group {
        links.retain(|link| group.shares_link(link));
        let is_missing = links.iter().all(|link| link.kind != LinkKind::Silence);
        if is_silenced_by_link && is_missing && item.is_firing() {
            links.extend(silence_of_group(view, group));
        }
    }
    links
}

/// By which key Feishu shows what an alert looked like; of several alerts only what is the same for all of them.
pub(super) fn picture_of<'e>(alert_view: &AlertView<'e>) -> Option<&'e str> {
    let is_of_all = alert_view.group.as_ref().is_none_or(GroupView::shares_picture);
    alert_view.item.picture.filter(|_| is_of_all)
}

/// The form that silences a group by the labels its alerts share; none where it would end in one Alertmanager only, or
/// match alerts of other names.
fn silence_of_group(view: &View<'_>, group: &GroupView<'_>) -> Option<Link> {
    let labels = group.same();
    if !labels.iter().any(|(name, _)| *name == "alertname") {
        return None;
    }
    let mut forms = group
        .alertmanagers
        .iter()
        .map(|sender| link::silence_of(labels.iter().copied(), sender, view.links).ok());
    let url = forms.next()??;
    forms.all(|other| other.as_ref() == Some(&url)).then_some(Link {
        kind: LinkKind::Silence,
        annotation: None,
        url,
    })
}

/// What to call a link of this alert, or of these.
pub(super) fn name_in(alert_view: &AlertView<'_>, link: &Link, words: &Words) -> Cow<'static, str> {
    let is_of_group = link.kind == LinkKind::Silence && alert_view.group.is_some();
    if is_of_group { words.silence_group.into() } else { name(link, words) }
}

/// How much of an annotation's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;

/// What to call a link, as clean text.
pub(super) fn name(link: &Link, words: &Words) -> Cow<'static, str> {
    let name = match link.kind {
        LinkKind::Annotated => {
            let annotation = link.annotation.as_deref().unwrap_or_default();
            return clean_line(annotated::title(annotation), NAME_CHARACTERS_MAX).into();
        }
        LinkKind::Logs => words.logs,
        LinkKind::Errors => words.errors,
        LinkKind::Source => words.source,
        LinkKind::Dashboard => words.dashboard,
        LinkKind::Panel => words.panel,
        LinkKind::Runbook => words.runbook,
        LinkKind::Image => words.image,
        LinkKind::Silence => words.silence,
    };
    name.into()
}

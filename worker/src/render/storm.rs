//! What is new on a card since the one before it, and what all cards of the same storm told. Pure.

use jiff::Timestamp;

use super::count::Count;
use super::summary::DETAILS_MAX;
use super::view::View;

/// The line that says it; nothing in calm.
pub(super) fn line(view: &View<'_>) -> Option<String> {
    let storm = view.besides.storm?;
    let all = view.summary.all;
    let news = Count { firing: all.firing - view.summary.reminders.count, resolved: all.resolved };
    let in_all = Count { firing: storm.firing + news.firing, resolved: storm.resolved + news.resolved };
    let is_storm = in_all.total() > DETAILS_MAX && all.total() > 1 && news.total() > 0;
    let time = |at: Timestamp| at.to_zoned(view.timezone.clone()).strftime("%H:%M").to_string();
    is_storm.then(|| {
        let since = view.words.since_last_card(news, &time(storm.last_card_at));
        let cards = view.words.in_storm(in_all, storm.cards + 1, &time(storm.begun_at));
        format!("{since} · {cards}")
    })
}

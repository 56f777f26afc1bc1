//! The buttons of a card in a chat of the app's: what can be done about its alerts now. Pure.

pub mod value;

use config::Locale;
use jiff::Timestamp;
use model::alert::Labels;
use model::envelope::Source;

use crate::render::{Attention, Button, Item};

use value::{Keys, Press, Pressed};

/// Alerts silenced at once: each is a silence of its own, and a long list of them helps nobody in Alertmanager.
pub(crate) const SILENCED_TOGETHER_MAX: usize = 10;

/// Whether there is an Alertmanager that could silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SilenceButtons {
    Offered,
    Absent,
}

/// What can be done about the alerts of a card, and what cannot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CardButtons {
    pub(crate) buttons: Vec<Button>,
    /// Why there is no button where people look for one.
    pub(crate) note: Option<&'static str>,
}

/// How the alerts of a card can be silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SilenceChoice {
    /// Each by itself.
    Each,
    /// Together, by the labels they share.
    Together,
    /// They are too many for one each, and have no name in common.
    TooMany,
    /// Not from here.
    Elsewhere,
}

/// The labels that all of these have with the same value, if the alert's name is among them: a silence of those is for one
/// kind of alert.
pub(crate) fn shared_labels<'l>(mut all: impl Iterator<Item = &'l Labels<'l>>) -> Option<Labels<'static>> {
    let first = all.next()?;
    let mut shared: Vec<(&str, &str)> = first.iter().collect();
    for labels in all {
        shared.retain(|(name, value)| labels.get(name) == Some(*value));
    }
    let is_named = shared.iter().any(|(name, value)| *name == "alertname" && !value.is_empty());
    let owned = |(name, value): (&str, &str)| (name.to_owned().into(), value.to_owned().into());
    is_named.then(|| shared.into_iter().map(owned).collect())
}

/// What buttons cards get.
#[derive(Clone, Debug)]
pub(crate) struct Buttons {
    keys: Keys,
    silence: SilenceButtons,
    locale: Locale,
}

impl Buttons {
    pub(crate) const fn new(keys: Keys, silence: SilenceButtons, locale: Locale) -> Self {
        Self { keys, silence, locale }
    }

    /// Those of the card of this name, which shows these alerts.
    pub(crate) fn of(&self, receiver: &str, card: &str, items: &[Item<'_>], now: Timestamp) -> CardButtons {
        let button = |press| {
            let pressed = Pressed { press, receiver: receiver.to_owned(), card: card.to_owned() };
            Some(Button::calling_back(self.words(press), self.keys.sign(&pressed, now)?))
        };
        let firing: Vec<_> = items.iter().filter(|item| item.is_firing()).collect();
        let silencing = self.silencing(&firing);
        let buttons: Vec<_> = presses(&firing, silencing, now).into_iter().filter_map(button).collect();
        let is_missed = silencing == SilenceChoice::TooMany && !buttons.is_empty();
        CardButtons { buttons, note: is_missed.then(|| self.too_many()) }
    }

    fn silencing(&self, firing: &[&Item<'_>]) -> SilenceChoice {
        let Some(first) = firing.first() else { return SilenceChoice::Elsewhere };
        let is_here = |item: &&Item<'_>| item.envelope.source == Source::Alertmanager;
        if self.silence != SilenceButtons::Offered || !firing.iter().all(is_here) {
            return SilenceChoice::Elsewhere;
        }
        if firing.len() <= SILENCED_TOGETHER_MAX {
            return SilenceChoice::Each;
        }
        let is_of_one = firing.iter().all(|item| item.envelope.external_url == first.envelope.external_url);
        let shared = shared_labels(firing.iter().map(|item| &item.alert.labels));
        if is_of_one && shared.is_some() { SilenceChoice::Together } else { SilenceChoice::TooMany }
    }

    const fn too_many(&self) -> &'static str {
        match self.locale {
            Locale::ZhCn => "超过 10 条且名称不同，无法在此一并静默；请在 Alertmanager 或控制台中静默。",
            Locale::En => {
                "More than 10 alerts of different names: silence them in Alertmanager or in the console."
            }
        }
    }

    const fn words(&self, press: Press) -> &'static str {
        let (zh, en) = match press {
            Press::Acknowledge => ("认领", "Acknowledge"),
            Press::Unacknowledge => ("取消认领", "Undo acknowledge"),
            Press::Silence(1) => ("静默 1 小时", "Silence 1h"),
            Press::Silence(4) => ("静默 4 小时", "Silence 4h"),
            Press::Silence(_) => ("静默 24 小时", "Silence 24h"),
            Press::SilenceShared(1) => ("整组静默 1 小时", "Silence all 1h"),
            Press::SilenceShared(4) => ("整组静默 4 小时", "Silence all 4h"),
            Press::SilenceShared(_) => ("整组静默 24 小时", "Silence all 24h"),
            Press::Unsilence => ("取消静默", "End silence"),
        };
        match self.locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }
}

fn presses(firing: &[&Item<'_>], silencing: SilenceChoice, now: Timestamp) -> Vec<Press> {
    if firing.is_empty() {
        return Vec::new();
    }
    let is_taken_on = |attention: &Attention| attention.acknowledged.is_some();
    let is_silenced =
        |attention: &Attention| attention.silenced.as_ref().is_some_and(|silenced| silenced.until > now);
    let all_taken_on = firing.iter().all(|item| item.attention.is_some_and(is_taken_on));
    let mut presses = vec![if all_taken_on { Press::Unacknowledge } else { Press::Acknowledge }];
    let any_silenced = firing.iter().any(|item| item.attention.is_some_and(is_silenced));
    let silence: &[Press] = match silencing {
        SilenceChoice::TooMany | SilenceChoice::Elsewhere => &[],
        SilenceChoice::Each | SilenceChoice::Together if any_silenced => &[Press::Unsilence],
        SilenceChoice::Each => &[Press::Silence(1), Press::Silence(4), Press::Silence(24)],
        SilenceChoice::Together => {
            &[Press::SilenceShared(1), Press::SilenceShared(4), Press::SilenceShared(24)]
        }
    };
    presses.extend(silence);
    presses
}

#[cfg(test)]
mod tests {
    use config::Secret;
    use model::envelope::{Envelope, decode};

    use super::*;
    use crate::render::{Acknowledged, Silenced};

    fn envelope(source: &str, statuses: &[&str]) -> Envelope<'static> {
        let alert = |(index, status): (usize, &&str)| {
            format!(r#"{{"fingerprint":"f{index}","status":"{status}","labels":{{"alertname":"A"}}}}"#)
        };
        let alerts: Vec<_> = statuses.iter().enumerate().map(alert).collect();
        let line = format!(
            r#"{{"v":1,"id":"019cad67-6574-7707-8707-070707070707","received_at":"2026-03-02T07:16:00Z",
               "source":"{source}","receiver":"ops","alerts":[{}]}}"#,
            alerts.join(",")
        );
        decode(line.as_bytes()).unwrap().into_owned()
    }

    fn now() -> Timestamp {
        "2026-03-02T08:00:00Z".parse().unwrap()
    }

    fn words(silence_buttons: SilenceButtons, items: &[Item<'_>]) -> Vec<String> {
        let keys = Keys::of(&[Secret::new("a-secret-of-the-app")]);
        let CardButtons { buttons, .. } =
            Buttons::new(keys, silence_buttons, Locale::En).of("ops", "c1", items, now());
        buttons.iter().map(|button| button.text.content().to_owned()).collect()
    }

    #[test]
    fn a_card_offers_what_can_be_done_now() {
        let delivered = envelope("alertmanager", &["firing"]);
        let mut items = Item::all_of(&delivered);
        assert_eq!(
            words(SilenceButtons::Offered, &items),
            ["Acknowledge", "Silence 1h", "Silence 4h", "Silence 24h"]
        );
        assert_eq!(words(SilenceButtons::Absent, &items), ["Acknowledge"], "nobody could silence it");
        let acknowledged = Some(Acknowledged { by: "Ann".to_owned(), at: now() });
        let until =
            |hour: i8| Some(Silenced { by: "Bob".to_owned(), until: now() + jiff::Span::new().hours(hour) });
        let attention = Attention { acknowledged, silenced: until(1), ..Attention::default() };
        items[0].attention = Some(&attention);
        assert_eq!(words(SilenceButtons::Offered, &items), ["Undo acknowledge", "End silence"]);
        let attention = Attention { silenced: until(-1), ..Attention::default() };
        items[0].attention = Some(&attention);
        assert_eq!(words(SilenceButtons::Offered, &items).len(), 4, "that silence is over");
    }

    #[test]
    fn what_cannot_be_silenced_from_here_has_no_button_for_it() {
        for (source, statuses, expected) in
            [("grafana", vec!["firing"], vec!["Acknowledge"]), ("alertmanager", vec!["resolved"], vec![])]
        {
            let delivered = envelope(source, &statuses);
            assert_eq!(
                words(SilenceButtons::Offered, &Item::all_of(&delivered)),
                expected,
                "{source} {statuses:?}"
            );
        }
    }

    #[test]
    fn without_a_key_there_are_no_buttons() {
        let delivered = envelope("alertmanager", &["firing"]);
        let buttons = Buttons::new(Keys::of(&[]), SilenceButtons::Offered, Locale::En);
        assert_eq!(buttons.of("ops", "c1", &Item::all_of(&delivered), now()), CardButtons::default());
    }

    #[test]
    fn too_many_for_one_each_are_silenced_by_what_they_share_or_it_is_said_why_not() {
        let mut delivered = envelope("alertmanager", &["firing"; SILENCED_TOGETHER_MAX + 1]);
        let all = ["Acknowledge", "Silence all 1h", "Silence all 4h", "Silence all 24h"];
        assert_eq!(words(SilenceButtons::Offered, &Item::all_of(&delivered)), all);
        let keys = || Keys::of(&[Secret::new("a-secret-of-the-app")]);
        let buttons = Buttons::new(keys(), SilenceButtons::Offered, Locale::En);
        assert_eq!(buttons.of("ops", "c1", &Item::all_of(&delivered), now()).note, None);
        delivered.alerts[3].labels = [("alertname".into(), "B".into())].into_iter().collect();
        let CardButtons { buttons, note } = buttons.of("ops", "c1", &Item::all_of(&delivered), now());
        assert_eq!(buttons.len(), 1, "they have no name in common");
        assert!(note.unwrap().contains("different names"));
    }

    #[test]
    fn what_all_have_is_shared_and_is_nothing_without_a_name() {
        let labels = |pairs: &[(&'static str, &'static str)]| -> Labels<'static> {
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        };
        let one = labels(&[("alertname", "A"), ("pod", "1"), ("team", "shop")]);
        let other = labels(&[("alertname", "A"), ("pod", "2"), ("team", "shop")]);
        let shared = shared_labels([&one, &other].into_iter()).unwrap();
        assert_eq!(shared.iter().collect::<Vec<_>>(), [("alertname", "A"), ("team", "shop")]);
        assert_eq!(shared_labels([&one, &labels(&[("team", "shop")])].into_iter()), None);
    }
}

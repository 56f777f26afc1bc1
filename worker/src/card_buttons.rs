//! The buttons of a card in a chat of the app's: what can be done about its alerts now. Pure.

pub mod value;

use config::Locale;
use jiff::Timestamp;
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
    pub(crate) fn of(&self, receiver: &str, card: &str, items: &[Item<'_>], now: Timestamp) -> Vec<Button> {
        let button = |press| {
            let pressed = Pressed { press, receiver: receiver.to_owned(), card: card.to_owned() };
            Some(Button::calling_back(self.words(press), self.keys.sign(&pressed, now)?))
        };
        self.presses(items, now).into_iter().filter_map(button).collect()
    }

    fn presses(&self, items: &[Item<'_>], now: Timestamp) -> Vec<Press> {
        let firing: Vec<_> = items.iter().filter(|item| item.is_firing()).collect();
        if firing.is_empty() {
            return Vec::new();
        }
        let is_taken_on = |attention: &Attention| attention.acknowledged.is_some();
        let is_silenced =
            |attention: &Attention| attention.silenced.as_ref().is_some_and(|silenced| silenced.until > now);
        let all_taken_on = firing.iter().all(|item| item.attention.is_some_and(is_taken_on));
        let mut presses = vec![if all_taken_on { Press::Unacknowledge } else { Press::Acknowledge }];
        let silenceable = self.silence == SilenceButtons::Offered
            && firing.len() <= SILENCED_TOGETHER_MAX
            && firing.iter().all(|item| item.envelope.source == Source::Alertmanager);
        if silenceable {
            let any_silenced = firing.iter().any(|item| item.attention.is_some_and(is_silenced));
            let silence: &[Press] = if any_silenced {
                &[Press::Unsilence]
            } else {
                &[Press::Silence(1), Press::Silence(4), Press::Silence(24)]
            };
            presses.extend(silence);
        }
        presses
    }

    const fn words(&self, press: Press) -> &'static str {
        let (zh, en) = match press {
            Press::Acknowledge => ("认领", "Acknowledge"),
            Press::Unacknowledge => ("取消认领", "Undo acknowledge"),
            Press::Silence(1) => ("静默 1 小时", "Silence 1h"),
            Press::Silence(4) => ("静默 4 小时", "Silence 4h"),
            Press::Silence(_) => ("静默 24 小时", "Silence 24h"),
            Press::Unsilence => ("取消静默", "End silence"),
        };
        match self.locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }
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
        let buttons = Buttons::new(keys, silence_buttons, Locale::En).of("ops", "c1", items, now());
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
        let attention = Attention { acknowledged, silenced: until(1), unheard_since: None };
        items[0].attention = Some(&attention);
        assert_eq!(words(SilenceButtons::Offered, &items), ["Undo acknowledge", "End silence"]);
        let attention = Attention { silenced: until(-1), ..Attention::default() };
        items[0].attention = Some(&attention);
        assert_eq!(words(SilenceButtons::Offered, &items).len(), 4, "that silence is over");
    }

    #[test]
    fn what_cannot_be_silenced_from_here_has_no_button_for_it() {
        for (source, statuses, expected) in [
            ("grafana", vec!["firing"], vec!["Acknowledge"]),
            ("alertmanager", vec!["resolved"], vec![]),
            ("alertmanager", vec!["firing"; SILENCED_TOGETHER_MAX + 1], vec!["Acknowledge"]),
        ] {
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
        assert_eq!(buttons.of("ops", "c1", &Item::all_of(&delivered), now()), []);
    }
}

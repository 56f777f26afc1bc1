//! Where an alert for a chat of the app's goes: onto a card of its own, or onto one that is there already. Pure.

use model::alert::Status;
use model::envelope::EnvelopeId;

use crate::card_store::{CardId, Whereabouts};

/// The way of an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CardPlacement {
    /// Onto a card of its own; of these, which are about to be sent, it is the end.
    Afresh(Vec<CardId>),
    /// It is on a card that Feishu has: only our record of it was lost.
    Delivered,
    /// It is on a card of which nobody knows whether Feishu has it.
    Again(CardId),
    /// It is the end of what is on these, the newest first.
    Onto(Vec<CardId>),
}

/// The way of an alert that is on these cards, the newest first.
pub(super) fn of(status: Status, envelope: EnvelopeId, cards: &[Whereabouts]) -> CardPlacement {
    if let Some(same) = cards.iter().find(|on| on.envelope == envelope) {
        return if same.is_sent { CardPlacement::Delivered } else { CardPlacement::Again(same.card.clone()) };
    }
    let names =
        |is_sent: bool| cards.iter().filter(move |on| on.is_sent == is_sent).map(|on| on.card.clone());
    match status {
        Status::Firing => CardPlacement::Afresh(Vec::new()),
        Status::Resolved if cards.iter().any(|on| on.is_sent) => {
            CardPlacement::Onto(names(true).chain(names(false)).collect())
        }
        Status::Resolved => CardPlacement::Afresh(names(false).collect()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn id(index: u32) -> EnvelopeId {
        EnvelopeId::new(Timestamp::UNIX_EPOCH, [0; 10]).part(index)
    }

    fn card(name: &str) -> CardId {
        CardId::of(name, &[], "")
    }

    fn on(name: &str, envelope: u32, is_sent: bool) -> Whereabouts {
        Whereabouts { card: card(name), envelope: id(envelope), is_sent }
    }

    #[test]
    fn what_fires_gets_a_card_of_its_own_also_if_it_fired_before() {
        for cards in [vec![], vec![on("a", 1, true)], vec![on("a", 1, false)]] {
            assert_eq!(of(Status::Firing, id(2), &cards), CardPlacement::Afresh(Vec::new()));
        }
    }

    #[test]
    fn what_came_again_after_a_crash_is_delivered_or_sent_as_the_same_card() {
        for status in [Status::Firing, Status::Resolved] {
            assert_eq!(of(status, id(1), &[on("a", 2, true), on("b", 1, true)]), CardPlacement::Delivered);
            assert_eq!(
                of(status, id(1), &[on("a", 2, true), on("b", 1, false)]),
                CardPlacement::Again(card("b"))
            );
        }
    }

    #[test]
    fn an_end_goes_onto_the_cards_that_are_sent_and_marks_those_that_are_about_to_be() {
        let cards = [on("a", 3, false), on("b", 2, true), on("c", 1, true)];
        assert_eq!(
            of(Status::Resolved, id(9), &cards),
            CardPlacement::Onto(vec![card("b"), card("c"), card("a")])
        );
        assert_eq!(of(Status::Resolved, id(9), &cards[..1]), CardPlacement::Afresh(vec![card("a")]));
        assert_eq!(of(Status::Resolved, id(9), &[]), CardPlacement::Afresh(Vec::new()));
    }
}

//! The forms a message can be sent in, from the best to the plainest.

use super::verdict::Repair;

/// In what form an envelope is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What kind of message it is.
    pub shape: Shape,
    /// Whether it mentions anybody; if not, people are only named.
    pub mentions: bool,
}

/// The kinds of messages, from the best to the plainest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A card with everything that fits.
    Card,
    /// A card of about half the size, for a receiver that finds the whole one too large.
    ShortCard,
    /// Plain text, which nearly everything accepts.
    Text,
}

impl Form {
    /// The best form, for a card with or without anybody to mention.
    pub const fn best(mentions: bool) -> Self {
        Self { shape: Shape::Card, mentions }
    }

    /// The word in what makes a message one.
    pub const fn as_str(self) -> &'static str {
        match (self.shape, self.mentions) {
            // Whether anybody is mentioned may differ between tries at the same card: that makes no second message.
            (Shape::Card, _) => "card",
            (Shape::ShortCard, _) => "short_card",
            (Shape::Text, _) => "text",
        }
    }

    /// The form to try after a refusal; `None` if there is nothing plainer that would help.
    ///
    /// A bad mention on a message that has none can only have been read into text: plain text it is.
    pub const fn repaired(self, repair: Repair) -> Option<Self> {
        let Self { shape, mentions } = self;
        match (shape, repair) {
            (_, Repair::Mention) if mentions => Some(Self { shape, mentions: false }),
            (Shape::Card, Repair::TooLarge) => Some(Self { shape: Shape::ShortCard, mentions }),
            (Shape::Card, Repair::Mention | Repair::Card)
            | (Shape::ShortCard, Repair::Mention | Repair::Card | Repair::TooLarge) => {
                Some(Self { shape: Shape::Text, mentions })
            }
            (_, Repair::Signature) | (Shape::Text, Repair::Mention | Repair::Card | Repair::TooLarge) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_end() {
        for repair in Repair::ALL {
            let forms = std::iter::successors(Some(Form::best(true)), |form| form.repaired(repair));
            assert!(forms.take(10).count() <= 4, "{repair:?}");
        }
    }

    #[test]
    fn a_refused_mention_costs_the_mentions_first_and_then_the_card() {
        let quiet = Form::best(true).repaired(Repair::Mention).unwrap();
        assert_eq!(quiet, Form { shape: Shape::Card, mentions: false });
        assert_eq!(quiet.repaired(Repair::Mention), Some(Form { shape: Shape::Text, mentions: false }));
        let text = Form { shape: Shape::Text, mentions: true };
        assert_eq!(text.repaired(Repair::Mention), Some(Form { mentions: false, ..text }));
    }
}

//! The forms a message can be sent in, from the best to the plainest.

use config::CardFormat;

use super::verdict::Repair;

/// In what form an envelope is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What kind of message it is.
    pub shape: Shape,
    /// Whether it mentions anybody; if not, people are only named.
    pub mentions: bool,
    /// Whether it shows pictures; if not, they are linked.
    pub pictures: bool,
    /// What a card is written in.
    pub format: CardFormat,
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
    /// The best form of this format, for a card with or without anybody to mention.
    pub const fn best(mentions: bool, format: CardFormat) -> Self {
        Self { shape: Shape::Card, mentions, pictures: true, format }
    }

    /// The word in what makes a message one.
    pub const fn as_str(self) -> &'static str {
        // Whether anybody is mentioned, and which pictures are shown, may differ between tries at the same card: that
        // makes no second message.
        match (self.shape, self.format) {
            (Shape::Card, CardFormat::V1) => "card",
            (Shape::Card, CardFormat::V2) => "card_2.0",
            (Shape::ShortCard, CardFormat::V1) => "short_card",
            (Shape::ShortCard, CardFormat::V2) => "short_card_2.0",
            (Shape::Text, _) => "text",
        }
    }

    /// The form to try after a refusal; `None` if there is nothing plainer that would help.
    ///
    /// A bad mention on a message that has none can only have been read into text: plain text it is. What is wrong with a
    /// card of 2.0 may be right in 1.0, which knows less.
    pub const fn repaired(self, repair: Repair) -> Option<Self> {
        let Self { shape, mentions, pictures, format } = self;
        match (shape, repair) {
            (_, Repair::Mention) if mentions => Some(Self { mentions: false, ..self }),
            (_, Repair::Picture) if pictures => Some(Self { pictures: false, ..self }),
            (Shape::Card, Repair::TooLarge) => Some(Self { shape: Shape::ShortCard, ..self }),
            (
                Shape::Card | Shape::ShortCard,
                Repair::Mention | Repair::Picture | Repair::Card | Repair::TooLarge,
            ) if matches!(format, CardFormat::V2) => Some(Self { format: CardFormat::V1, ..self }),
            (Shape::Card, Repair::Mention | Repair::Picture | Repair::Card)
            | (Shape::ShortCard, Repair::Mention | Repair::Picture | Repair::Card | Repair::TooLarge) => {
                Some(Self { shape: Shape::Text, ..self })
            }
            (_, Repair::Signature)
            | (Shape::Text, Repair::Mention | Repair::Picture | Repair::Card | Repair::TooLarge) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_end() {
        for repair in Repair::ALL {
            let best = Form::best(true, CardFormat::V2);
            let forms: Vec<_> =
                std::iter::successors(Some(best), |form| form.repaired(repair)).take(10).collect();
            assert!(forms.len() <= 6, "{repair:?}");
            let mut keys: Vec<_> =
                forms.iter().map(|form| (form.as_str(), form.mentions, form.pictures)).collect();
            keys.dedup();
            assert_eq!(keys.len(), forms.len(), "another content is another message: {repair:?}");
        }
    }

    #[test]
    fn a_refused_mention_costs_the_mentions_first_and_then_the_card() {
        let best = Form::best(true, CardFormat::V1);
        let quiet = best.repaired(Repair::Mention).unwrap();
        assert_eq!(quiet, Form { mentions: false, ..best });
        assert_eq!(quiet.repaired(Repair::Mention), Some(Form { shape: Shape::Text, ..quiet }));
        let text = Form { shape: Shape::Text, ..best };
        assert_eq!(text.repaired(Repair::Mention), Some(Form { mentions: false, ..text }));
    }

    #[test]
    fn a_picture_that_is_not_known_costs_the_pictures_first_and_then_the_card() {
        let best = Form::best(true, CardFormat::V1);
        let linked = best.repaired(Repair::Picture).unwrap();
        assert_eq!(linked, Form { pictures: false, ..best });
        assert_eq!(linked.repaired(Repair::Picture), Some(Form { shape: Shape::Text, ..linked }));
    }

    #[test]
    fn a_card_of_2_0_that_is_refused_is_one_of_1_0_before_it_is_a_text() {
        let best = Form::best(false, CardFormat::V2);
        let older = best.repaired(Repair::Card).unwrap();
        assert_eq!(older, Form { format: CardFormat::V1, ..best });
        assert_eq!(older.repaired(Repair::Card), Some(Form { shape: Shape::Text, ..older }));
    }
}

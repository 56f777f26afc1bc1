//! The forms a message can be told in, from the best to the plainest.

use super::verdict::Repair;

/// How an envelope is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A card with everything that fits.
    Card,
    /// A card of about half the size, for a receiver that finds the whole one too large.
    ShortCard,
    /// Plain text, which nearly everything accepts.
    Text,
}

impl Form {
    /// The word in what makes a message one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::ShortCard => "short_card",
            Self::Text => "text",
        }
    }

    /// The form to try after a refusal; `None` if there is nothing plainer that would help.
    ///
    /// Cards carry no mentions yet, so a bad one can only have been read into text: plain text it is.
    pub const fn repaired(self, repair: Repair) -> Option<Self> {
        match (self, repair) {
            (Self::Card, Repair::TooLarge) => Some(Self::ShortCard),
            (Self::Card, Repair::Mention | Repair::Card)
            | (Self::ShortCard, Repair::Mention | Repair::Card | Repair::TooLarge) => Some(Self::Text),
            (Self::Text, Repair::Mention | Repair::Card | Repair::TooLarge) | (_, Repair::Signature) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_end() {
        for repair in Repair::ALL {
            let forms = std::iter::successors(Some(Form::Card), |form| form.repaired(repair));
            assert!(forms.take(10).count() <= 3, "{repair:?}");
        }
    }
}

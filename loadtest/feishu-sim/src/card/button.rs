//! Buttons: their text, their look and where they lead. A custom bot's buttons can only open links.

use crate::card::names::{BUTTON_SIZES, BUTTON_TYPES, CALLBACK_2_0, OPEN_URL_2_0};
use crate::card::spot::Spot;
use crate::card::text::legal_link;
use crate::card::{Inspection, Schema};
use crate::refusal::Refusal;

/// Characters of a button's text.
const TEXT_CHARS_MAX: usize = 100;

impl<'a> Inspection<'a> {
    pub(super) fn button(&mut self, button: &Spot<'a>) -> Result<(), Refusal> {
        let text = button.object("text")?;
        self.text(&text, &["plain_text"])?;
        if text.string("content")?.chars().count() > TEXT_CHARS_MAX {
            return Err(text.broken("the text of a button has more than 100 characters"));
        }
        button.one_of("type", &BUTTON_TYPES)?;
        button.one_of("size", &BUTTON_SIZES)?;
        if let Some(confirm) = button.optional_object("confirm")? {
            self.text(&confirm.object("title")?, &["plain_text"])?;
            self.text(&confirm.object("text")?, &["plain_text"])?;
        }
        let behaviours = button.objects("behaviors")?;
        if self.schema == Schema::V2 && button.get("behaviors").is_none() {
            return Err(button.broken("behaviors is missing"));
        }
        behaviours.iter().try_for_each(|behaviour| self.behaviour(behaviour))?;
        // The members of JSON 1.0; in schema 2.0 they were refused as unknown properties.
        self.url(button, "url")?;
        if let Some(urls) = button.optional_object("multi_url")? {
            if button.get("url").is_some() {
                return Err(button.broken("url and multi_url exclude each other"));
            }
            self.urls(&urls, "url")?;
        }
        Ok(())
    }

    fn behaviour(&self, behaviour: &Spot<'_>) -> Result<(), Refusal> {
        match (behaviour.string("type")?, self.schema) {
            ("open_url", schema) => {
                if schema == Schema::V2 {
                    behaviour.only(&OPEN_URL_2_0)?;
                }
                behaviour.string("default_url")?;
                self.urls(behaviour, "default_url")
            }
            // Nobody hears of the click, but the card is made.
            ("callback", Schema::V2) => {
                behaviour.only(&CALLBACK_2_0)?;
                behaviour.object("value").map(|_| ())
            }
            ("callback" | "form_action", Schema::V1) => Ok(()),
            (kind, _) => Err(behaviour.broken(&format!("unknown behaviour {kind}"))),
        }
    }

    fn urls(&self, spot: &Spot<'_>, default: &str) -> Result<(), Refusal> {
        self.url(spot, default)?;
        for name in ["pc_url", "ios_url", "android_url"] {
            self.platform_link(spot, name)?;
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "reads like the other checks at its calls")]
    fn url(&self, spot: &Spot<'_>, name: &str) -> Result<(), Refusal> {
        match spot.optional_string(name)? {
            Some(url) if !legal_link(url) => Err(spot.broken(&format!("{name} is no http or https link"))),
            _ => Ok(()),
        }
    }
}

//! What stands round the components: config, link, header and body of a card.

use crate::card::component::Place;
use crate::card::names::{
    BODY_2_0, CONFIG_2_0, HEADER_2_0, HEADER_TEMPLATES, ROOT_2_0, SUMMARY_2_0, TAG_COLOURS, TEXT_TAG_2_0,
    WIDTH_MODES,
};
use crate::card::spot::Spot;
use crate::card::{Inspection, Schema};
use crate::refusal::Refusal;

/// Tags beside the title.
const TEXT_TAGS_MAX: usize = 3;

impl<'a> Inspection<'a> {
    pub(super) fn frame(&mut self, root: &Spot<'a>) -> Result<(), Refusal> {
        if let Some(config) = root.optional_object("config")? {
            self.config(&config)?;
        }
        if let Some(link) = root.optional_object("card_link")? {
            for name in ["url", "pc_url", "ios_url", "android_url"] {
                self.platform_link(&link, name)?;
            }
        }
        if let Some(header) = root.optional_object("header")? {
            self.header(&header)?;
        }
        match self.schema {
            Schema::V1 => self.components(root, "elements", Place::ROOT),
            Schema::V2 => {
                root.only(&ROOT_2_0)?;
                let body = root.object("body")?;
                body.only(&BODY_2_0)?;
                body.one_of("direction", &["vertical", "horizontal"])?;
                self.components(&body, "elements", Place::ROOT)
            }
        }
    }

    fn config(&self, config: &Spot<'_>) -> Result<(), Refusal> {
        config.one_of("width_mode", &WIDTH_MODES)?;
        if self.schema == Schema::V1 {
            return Ok(());
        }
        config.only(&CONFIG_2_0)?;
        if let Some(summary) = config.optional_object("summary")? {
            summary.only(&SUMMARY_2_0)?;
            summary.optional_string("content")?;
        }
        match config.get("update_multi") {
            None | Some(serde_json::Value::Bool(true)) => Ok(()),
            Some(_) => Err(config.broken("update_multi can only be true in schema 2.0")),
        }
    }

    fn header(&mut self, header: &Spot<'a>) -> Result<(), Refusal> {
        let texts: &[&str] = match self.schema {
            Schema::V1 => &["plain_text"],
            Schema::V2 => &["plain_text", "lark_md"],
        };
        if self.schema == Schema::V2 {
            header.only(&HEADER_2_0)?;
        }
        header.one_of("template", &HEADER_TEMPLATES)?;
        self.text(&header.object("title")?, texts)?;
        if let Some(subtitle) = header.optional_object("subtitle")? {
            self.text(&subtitle, texts)?;
        }
        let tags = header.objects("text_tag_list")?;
        if tags.len() > TEXT_TAGS_MAX {
            return Err(header.broken("text_tag_list has more than 3 tags"));
        }
        for tag in &tags {
            if tag.string("tag")? != "text_tag" {
                return Err(tag.broken("a text_tag_list holds text_tag only"));
            }
            if self.schema == Schema::V2 {
                tag.only(&TEXT_TAG_2_0)?;
            }
            tag.one_of("color", &TAG_COLOURS)?;
            self.text(&tag.object("text")?, &["plain_text"])?;
        }
        Ok(())
    }
}

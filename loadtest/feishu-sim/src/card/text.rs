//! Texts of a card: text objects, and the mentions, links and images inside markdown.

use crate::card::names::TEXT_2_0;
use crate::card::spot::Spot;
use crate::card::{Inspection, Schema};
use crate::inline_tag::{InlineTag, inline_tags};
use crate::refusal::Refusal;

/// An id in an `<at>` that is nobody's in the group's tenant.
const UNKNOWN_PERSON: u32 = 100_290;

/// An image key that the platform did not give out.
pub(super) const UNKNOWN_IMAGE: u32 = 200_570;

/// Turns the click off on one platform.
const NO_CLICK: &str = "lark://msgcard/unsupported_action";

impl<'a> Inspection<'a> {
    /// A text object with one of these tags.
    pub(super) fn text(&mut self, text: &Spot<'a>, tags: &[&str]) -> Result<(), Refusal> {
        let tag = text.string("tag")?;
        if !tags.contains(&tag) {
            return Err(text.broken(&format!("a text with tag {tag} cannot stand here")));
        }
        if self.schema == Schema::V2 {
            text.only(&TEXT_2_0)?;
        }
        let content = text.string("content")?;
        if tag == "plain_text" { Ok(()) } else { self.markdown(text, content) }
    }

    /// The content of `markdown` or `lark_md`.
    pub(super) fn markdown(&mut self, spot: &Spot<'_>, content: &str) -> Result<(), Refusal> {
        for tag in inline_tags(content, "at") {
            self.mention(spot, &tag)?;
        }
        let prose = outside_code(content);
        for tag in inline_tags(&prose, "a") {
            if !tag.attribute("href").is_some_and(legal_link) {
                return Err(spot.broken("illegal href in markdown"));
            }
        }
        for (index, _) in prose.match_indices("](") {
            let before = &prose[..index];
            let after = &prose[index + 2..];
            let (Some(opening), Some((target, _))) = (before.rfind('['), after.split_once(')')) else {
                continue;
            };
            if before[..opening].ends_with('!') {
                if !target.starts_with("img_") {
                    return Err(spot.refuse(UNKNOWN_IMAGE, "invalid image key in markdown"));
                }
            } else if !legal_link(target) {
                return Err(spot.broken("illegal link in markdown"));
            }
        }
        Ok(())
    }

    /// Everybody in an `<at>` has to be known under what stands there, or the whole card is refused. Custom bots know
    /// people by their `open_id` only.
    fn mention(&mut self, spot: &Spot<'_>, tag: &InlineTag<'_>) -> Result<(), Refusal> {
        let named = ["ids", "id", "email"].into_iter().find_map(|name| tag.attribute(name));
        let ids = named.unwrap_or_default();
        for id in ids.split(',').map(str::trim) {
            if id == "all" && !self.audience.at_all {
                return Err(Refusal::at_all());
            }
            if id != "all" && !self.audience.known_ids.contains(id) {
                return Err(spot.refuse(UNKNOWN_PERSON, "invalid user resource of at or person"));
            }
            self.mentioned.push(id.to_owned());
        }
        Ok(())
    }

    /// A link that may be left out, left empty, or turned off.
    #[expect(clippy::unused_self, reason = "reads like the other checks at its calls")]
    pub(super) fn platform_link(&self, spot: &Spot<'_>, name: &str) -> Result<(), Refusal> {
        match spot.optional_string(name)? {
            None | Some("" | NO_CLICK) => Ok(()),
            Some(url) if legal_link(url) => Ok(()),
            Some(_) => Err(spot.broken(&format!("{name} is no http or https link"))),
        }
    }
}

/// Whether this is a link with an explicit `http` or `https` scheme and a host.
pub(crate) fn legal_link(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
    http && host && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Markdown without its code fences and code spans, where brackets are no links.
fn outside_code(content: &str) -> String {
    content
        .split("```")
        .step_by(2)
        .flat_map(|prose| prose.split('`').step_by(2))
        .collect::<Vec<_>>()
        .join(" ")
}

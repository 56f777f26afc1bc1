//! Style and script of the pages: in the binary, and named by a hash of what is in them, so that a browser may keep them for
//! ever.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use runtime::telemetry::admin::{PageAnswer, page};

/// Draws a card of Feishu's from its JSON, in a browser: `renderCard(card)`. The preview's page has it as well.
pub const CARD_SCRIPT: &str = include_str!("../assets/card.js");
/// How drawn cards look.
pub const CARD_STYLE: &str = include_str!("../assets/card.css");
const STYLE: &str = concat!(include_str!("../assets/console.css"), include_str!("../assets/card.css"));
const SCRIPT: &str = concat!(include_str!("../assets/card.js"), include_str!("../assets/console.js"));
const ICON: &str = include_str!("../assets/icon.svg");

/// A file the pages ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    name: &'static str,
    ending: &'static str,
    media_type: &'static str,
    text: &'static str,
    hash: u64,
}

const fn asset(
    name: &'static str,
    ending: &'static str,
    media_type: &'static str,
    text: &'static str,
) -> Asset {
    Asset { name, ending, media_type, text, hash: hash(text.as_bytes()) }
}

/// How the pages look.
pub(crate) const CSS: Asset = asset("console", "css", "text/css; charset=utf-8", STYLE);
/// What makes them move.
pub(crate) const JS: Asset = asset("console", "js", "text/javascript; charset=utf-8", SCRIPT);
/// The icon of the window.
pub(crate) const SVG: Asset = asset("icon", "svg", "image/svg+xml", ICON);

impl Asset {
    /// Its path below the prefix.
    pub(crate) fn path(&self) -> String {
        let Self { name, ending, hash, .. } = self;
        format!("/assets/{name}.{hash:016x}.{ending}")
    }
}

/// The asset at this path below the prefix. One of another version is answered as well: its page is still open somewhere.
pub(crate) fn find(path: &str) -> Option<PageAnswer> {
    let file = path.strip_prefix("/assets/")?;
    let asset = [CSS, JS, SVG].into_iter().find(|asset| {
        let rest = file.strip_prefix(asset.name).and_then(|rest| rest.strip_suffix(asset.ending));
        rest.is_some_and(|hash| hash.starts_with('.') && hash.ends_with('.'))
    })?;
    let mut answer = page(asset.media_type, Bytes::from_static(asset.text.as_bytes()));
    let is_this_one = asset.path() == path;
    let kept = if is_this_one { "public, max-age=31536000, immutable" } else { "no-store" };
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    Some(answer)
}

/// FNV-1a: tells one version of a text from another, and is known when the program is built.
pub(crate) const fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_by_its_hash_is_kept_for_ever_and_nothing_else_is() {
        let kept = |path: &str| {
            let answer = find(path)?;
            Some(answer.headers()[CACHE_CONTROL].to_str().unwrap().to_owned())
        };
        for asset in [CSS, JS, SVG] {
            assert!(kept(&asset.path()).unwrap().contains("immutable"), "{}", asset.path());
        }
        assert_eq!(kept("/assets/console.0123.css").unwrap(), "no-store", "of a version before");
        assert!(kept("/assets/other.css").is_none() && kept("/assets/console.css/x").is_none());
    }

    #[test]
    fn the_style_is_small_and_the_script_makes_no_html_of_data() {
        // Besides that of drawn cards.
        let own = STYLE.len() - CARD_STYLE.len();
        assert!((8_000..=15_500).contains(&own), "{own}");
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
        {
            assert!(!SCRIPT.contains(way), "{way}");
        }
        assert!(!STYLE.contains("@import") && !STYLE.contains("url("), "everything comes from here");
    }
}

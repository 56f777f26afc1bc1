//! The preview on the admin port. The page is static; it fetches the cards and draws them in the browser.

use bytes::Bytes;
use runtime::telemetry::admin::{Page, PageBody};

use super::Preview;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// The page that shows the newest cards.
#[derive(Clone, Debug)]
pub struct PreviewPage(pub(crate) Preview);

impl Page for PreviewPage {
    fn get(&self, path: &str) -> Option<PageBody> {
        let fixed = |content_type, text: &'static str| PageBody {
            content_type,
            body: Bytes::from_static(text.as_bytes()),
        };
        Some(match path {
            "/" | "/preview" => fixed(HTML, include_str!("../../assets/preview.html")),
            "/preview/preview.js" => fixed(SCRIPT, include_str!("../../assets/preview.js")),
            "/preview/preview.css" => fixed(STYLE, include_str!("../../assets/preview.css")),
            "/preview/card.js" => fixed(SCRIPT, include_str!("../../assets/card.js")),
            "/preview/card.css" => fixed(STYLE, include_str!("../../assets/card.css")),
            "/preview/cards.json" => PageBody { content_type: JSON, body: self.0.json().into() },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use runtime::telemetry::admin::Page;

    use super::*;
    use crate::feishu::CardContent;
    use crate::render::Card;

    #[test]
    fn the_page_and_everything_it_asks_for_are_there() {
        let page = PreviewPage(Preview::default());
        let html = page.get("/").unwrap().body;
        let html = std::str::from_utf8(&html).unwrap();
        let asked: Vec<_> = html.split('"').filter(|part| part.starts_with("/preview/")).collect();
        assert_eq!(asked.len(), 5, "{asked:?}");
        assert!(asked.iter().all(|path| page.get(path).is_some()), "{asked:?}");
        assert!(page.get("/metrics").is_none());
    }

    #[test]
    fn no_asset_makes_html_of_data() {
        for script in [include_str!("../../assets/card.js"), include_str!("../../assets/preview.js")] {
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!script.contains(way), "{way}");
            }
        }
    }

    #[test]
    fn the_newest_cards_come_first_and_the_oldest_go() {
        let preview = Preview::default();
        for second in 0..60 {
            preview.show(&CardContent::Card(Box::<Card>::default()), Timestamp::from_second(second).unwrap());
        }
        let shown: serde_json::Value = serde_json::from_slice(&preview.json()).unwrap();
        assert_eq!(shown.as_array().unwrap().len(), super::super::CARDS_KEPT_MAX);
        assert_eq!(shown[0]["at"], "1970-01-01T00:00:59Z");
    }
}

//! The preview on the admin port. The page is static; it fetches the cards and draws them in the browser.

use bytes::Bytes;
use runtime::telemetry::admin::{Page, PageAnswer, PageFuture, PageRequest, only_get, page};

use super::Preview;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// The page that shows the newest cards.
#[derive(Clone, Debug)]
pub struct PreviewPage(pub(crate) Preview);

impl Page for PreviewPage {
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p> {
        let is_read = request.method == "GET" || request.method == "HEAD";
        let answer = self.get(request.uri.path()).map(|found| if is_read { found } else { only_get() });
        Box::pin(std::future::ready(answer))
    }
}

impl PreviewPage {
    fn get(&self, path: &str) -> Option<PageAnswer> {
        let fixed =
            |content_type, text: &'static str| page(content_type, Bytes::from_static(text.as_bytes()));
        Some(match path {
            "/" | "/preview" => fixed(HTML, include_str!("../../assets/preview.html")),
            "/preview/preview.js" => fixed(SCRIPT, include_str!("../../assets/preview.js")),
            "/preview/preview.css" => fixed(STYLE, include_str!("../../assets/preview.css")),
            "/preview/card.js" => fixed(SCRIPT, console::CARD_SCRIPT),
            "/preview/card.css" => fixed(STYLE, console::CARD_STYLE),
            "/preview/cards.json" => page(JSON, self.0.json().into()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use jiff::Timestamp;

    use super::*;
    use crate::feishu::CardContent;
    use crate::render::Card;

    async fn got(path: &str) -> Option<String> {
        let page = PreviewPage(Preview::default());
        let request = PageRequest {
            method: "GET".parse().unwrap(),
            uri: path.parse().unwrap(),
            headers: hyper::HeaderMap::new(),
            body: Bytes::new(),
            peer: "127.0.0.1:1".parse().unwrap(),
        };
        #[expect(clippy::disallowed_methods, reason = "the body is one of ours")]
        let body = page.answer(&request).await?.into_body().collect().await.unwrap().to_bytes();
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_page_and_everything_it_asks_for_are_there() {
        let html = got("/").await.unwrap();
        let asked: Vec<_> = html.split('"').filter(|part| part.starts_with("/preview/")).collect();
        assert_eq!(asked.len(), 5, "{asked:?}");
        for path in &asked {
            assert!(got(path).await.is_some(), "{path}");
        }
        assert!(got("/metrics").await.is_none());
    }

    #[test]
    fn no_asset_makes_html_of_data() {
        for script in [console::CARD_SCRIPT, include_str!("../../assets/preview.js")] {
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

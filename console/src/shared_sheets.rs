//! Pages that many look at, every few seconds: made once for all of them. What differs from one reader to another stands around
//! them, in the frame.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::frame::Sheet;
use crate::language::Language;

/// How long a page is shown as it was made.
const KEPT: Duration = Duration::from_secs(2);
/// What is kept at once, in bytes of pages.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a page was made for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SheetKey {
    /// Everything that is asked, as the address has it.
    pub(crate) query: String,
    pub(crate) language: Language,
}

/// The pages as they were made last. Whoever comes meanwhile waits for them and does not make others.
#[derive(Debug, Default)]
pub(crate) struct SharedSheets(Mutex<BTreeMap<SheetKey, MadeSheet>>);

#[derive(Debug)]
struct MadeSheet {
    at: Instant,
    sheet: Arc<Sheet>,
}

impl SharedSheets {
    /// The page that is asked for, made by `make` unless it was a moment ago.
    pub(crate) async fn get<E>(
        &self,
        key: SheetKey,
        make: impl Future<Output = Result<Sheet, E>>,
    ) -> Result<Arc<Sheet>, E> {
        let mut kept = self.0.lock().await;
        kept.retain(|_, sheet| sheet.at.elapsed() < KEPT);
        if let Some(known) = kept.get(&key) {
            return Ok(Arc::clone(&known.sheet));
        }
        let sheet = Arc::new(make.await?);
        let bytes: usize = kept.iter().map(|(key, known)| size(key, &known.sheet)).sum();
        if bytes + size(&key, &sheet) <= BYTES_MAX {
            kept.insert(key, MadeSheet { at: Instant::now(), sheet: Arc::clone(&sheet) });
        }
        Ok(sheet)
    }
}

fn size(key: &SheetKey, sheet: &Sheet) -> usize {
    key.query.len() + sheet.body.0.len()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use maud::PreEscaped;

    use super::*;

    fn key(query: &str, language: Language) -> SheetKey {
        SheetKey { query: query.to_owned(), language }
    }

    fn sheet(bytes: usize) -> Sheet {
        let body = PreEscaped("x".repeat(bytes));
        Sheet { title: String::new(), section: None, refreshed_s: None, body }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_is_made_once_for_all_who_ask_the_same_within_two_seconds() {
        let sheets = SharedSheets::default();
        let made = Cell::new(0);
        let ask = async |query: &str, language, bytes| {
            let sheet_made = async {
                made.set(made.get() + 1);
                Ok::<_, ()>(sheet(bytes))
            };
            sheets.get(key(query, language), sheet_made).await.map(drop)
        };
        for _ in 0..50 {
            ask("q=a", Language::English, 10).await.unwrap();
        }
        assert_eq!(made.get(), 1);
        ask("q=b", Language::English, 10).await.unwrap();
        ask("q=a", Language::Chinese, 10).await.unwrap();
        assert_eq!(made.get(), 3, "another question, another language");
        tokio::time::advance(KEPT).await;
        ask("q=a", Language::English, 10).await.unwrap();
        assert_eq!((made.get(), sheets.0.lock().await.len()), (4, 1), "the others are forgotten");
        ask("large", Language::English, BYTES_MAX).await.unwrap();
        assert_eq!(sheets.0.lock().await.len(), 1, "no room");
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_made_anew() {
        let sheets = SharedSheets::default();
        let failed = sheets.get(key("", Language::English), async { Err::<Sheet, _>("away") }).await;
        assert_eq!(failed.err(), Some("away"));
        assert!(sheets.get(key("", Language::English), async { Ok::<_, &str>(sheet(1)) }).await.is_ok());
    }
}

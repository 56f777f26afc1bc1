//! Pictures of what alerts are about, on the cards of an app's bot: fetched from hosts that are configured, uploaded once,
//! and shown on every card of theirs. Where that does not work they are linked, as custom bots' cards link them: a picture
//! holds no card back for longer than [`PATIENCE`], and no alert is lost for one.

mod address;
mod fetch;
mod metrics;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::ImagesConfig;
use futures_util::future::join_all;
use prometheus::Registry;
use reqwest::Url;
use runtime::clock::Clock;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::feishu::advice::advice;
use crate::feishu::limits::{AppCall, CallBudget, SLOW_DOWN_PAUSE};
use crate::feishu::picture::NoPicture;
use crate::feishu::sender::{NO_RECEIVER, Sender};
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{AppBot, HttpClientError};
use crate::render::Item;

use fetch::{Fetcher, Unfetched};
use metrics::PictureMetrics;

/// How long a card waits for its pictures at most, all of them together.
const PATIENCE: Duration = Duration::from_secs(3);
/// Of more alerts a card tells groups, which have names in place of pictures.
const ALERTS_MAX: usize = 15;
/// Pictures of one card: four fill two screens of a phone.
const PICTURES_MAX: usize = 4;
/// Pictures in memory at once, of the size that Feishu takes at most.
const AT_ONCE: usize = 4;
/// How long a picture is known by its address; on a card it is kept with the card. A sender gives each an address of its
/// own, so this is for reminders and several receivers.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// How long one that could not be shown is not tried again.
const LINKED_FOR: Duration = Duration::from_mins(5);
/// How long nothing is uploaded after Feishu has refused for a reason that is the app's.
const REFUSED_FOR: Duration = Duration::from_mins(10);
/// Pictures that are known at most.
const KNOWN_MAX: usize = 1_000;

/// The pictures of a worker. Clones share what is known.
#[derive(Clone, Debug)]
pub(crate) struct Pictures(Option<Arc<Gallery>>);

#[derive(Debug)]
struct Gallery {
    images: ImagesConfig,
    bot: Arc<AppBot>,
    sender: Arc<Sender>,
    fetcher: Fetcher,
    budgets: [CallBudget; 1],
    places: Semaphore,
    known: Mutex<HashMap<String, KnownPicture>>,
    refused_until: Mutex<Option<Instant>>,
    metrics: PictureMetrics,
    clock: Clock,
    stop: CancellationToken,
}

/// What is known of a picture, by its address.
#[derive(Clone, Debug)]
struct KnownPicture {
    /// The key of Feishu's; `None` where it is linked.
    key: Option<String>,
    until: Instant,
}

/// The keys of pictures by their addresses, for one card.
#[derive(Clone, Debug, Default)]
pub(crate) struct PictureKeys(HashMap<String, String>);

/// What became of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureOutcome {
    /// It is uploaded.
    Uploaded,
    /// Its host is not configured.
    NotAllowed,
    /// It took longer than a card waits.
    Late,
    /// Nobody was there, or there was no picture.
    Unreachable,
    /// It is larger than Feishu takes.
    TooLarge,
    /// What was there is no picture, or of another format.
    OtherFormat,
    /// Feishu did not take it.
    Refused,
}

/// Why a picture is linked.
struct Linked {
    outcome: PictureOutcome,
    code: Option<i64>,
    error: String,
    advice: &'static str,
}

impl PictureOutcome {
    pub(crate) const ALL: [Self; 7] = [
        Self::Uploaded,
        Self::NotAllowed,
        Self::Late,
        Self::Unreachable,
        Self::TooLarge,
        Self::OtherFormat,
        Self::Refused,
    ];

    /// The label value in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::NotAllowed => "not_allowed",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
            Self::TooLarge => "too_large",
            Self::OtherFormat => "other_format",
            Self::Refused => "refused",
        }
    }
}

impl PictureKeys {
    /// The same alerts, each with the key of its picture.
    pub(crate) fn on<'k>(&'k self, items: Vec<Item<'k>>) -> Vec<Item<'k>> {
        let key = |item: &Item<'_>| self.0.get(&*item.alert.links.image).map(String::as_str);
        items.into_iter().map(|item| Item { picture: item.picture.or_else(|| key(&item)), ..item }).collect()
    }
}

/// The same alerts, whose pictures are to be linked.
pub(crate) fn without_pictures(items: Vec<Item<'_>>) -> Vec<Item<'_>> {
    items.into_iter().map(|item| Item { picture: None, ..item }).collect()
}

impl Pictures {
    /// Those that `bot` shows; none without a bot, or where no host is configured. Besides the machine's authorities those in
    /// `ca_file` are believed.
    pub(crate) fn new(
        images: ImagesConfig,
        ca_file: Option<&Path>,
        bot: Option<Arc<AppBot>>,
        sender: Arc<Sender>,
        registry: &Registry,
        clock: Clock,
        stop: CancellationToken,
    ) -> Result<Self, PicturesError> {
        let metrics = PictureMetrics::register(registry)?;
        let Some(bot) = bot.filter(|_| !images.hosts.is_empty()) else { return Ok(Self(None)) };
        let budgets = [CallBudget::of_app(bot.app_id(), AppCall::Upload)];
        Ok(Self(Some(Arc::new(Gallery {
            images,
            bot,
            sender,
            fetcher: Fetcher::new(PATIENCE, ca_file)?,
            budgets,
            places: Semaphore::new(AT_ONCE),
            known: Mutex::default(),
            refused_until: Mutex::default(),
            metrics,
            clock,
            stop,
        }))))
    }

    /// Uploads the pictures of these alerts that are not known yet. Returns once it is done, and no later than after
    /// [`PATIENCE`], or at a stop.
    pub(crate) async fn fetch(&self, items: &[Item<'_>]) {
        let Some(gallery) = &self.0 else { return };
        let wanted = gallery.unknown_of(items);
        if wanted.is_empty() {
            return;
        }
        let each = join_all(wanted.iter().map(|address| gallery.upload(address)));
        let _stopped = gallery.stop.run_until_cancelled(timeout(PATIENCE, each)).await;
        for late in wanted.iter().filter(|address| gallery.known_of(address).is_none()) {
            gallery.link(late, &Linked::because(PictureOutcome::Late, "it took too long"));
        }
    }

    /// What is known of the pictures of these alerts.
    pub(crate) fn keys(&self, items: &[Item<'_>]) -> PictureKeys {
        let Some(gallery) = &self.0 else { return PictureKeys::default() };
        let known = |address: &str| Some((address.to_owned(), gallery.known_of(address)?.key?));
        PictureKeys(addresses(items).filter_map(known).take(PICTURES_MAX).collect())
    }
}

/// Why there can be no pictures.
#[derive(Debug, thiserror::Error)]
pub enum PicturesError {
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The HTTP client did not start.
    #[error(transparent)]
    Client(#[from] HttpClientError),
}

/// Where the pictures of these alerts are, each once; none of more alerts than are told one by one.
fn addresses<'i>(items: &'i [Item<'_>]) -> impl Iterator<Item = &'i str> {
    let are_told = items.len() <= ALERTS_MAX;
    let all = items
        .iter()
        .map(|item| &*item.alert.links.image)
        .filter(move |address| are_told && !address.is_empty());
    let mut seen: Vec<&'i str> = Vec::new();
    all.filter(move |address: &&'i str| {
        let is_new = !seen.contains(address);
        seen.push(*address);
        is_new
    })
}

impl Gallery {
    fn unknown_of<'i>(&self, items: &'i [Item<'_>]) -> Vec<&'i str> {
        let first = addresses(items).take(PICTURES_MAX);
        first.filter(|address| self.known_of(address).is_none()).collect()
    }

    fn known_of(&self, address: &str) -> Option<KnownPicture> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(address).filter(|known| known.until > Instant::now()).cloned()
    }

    fn know(&self, address: &str, key: Option<String>) {
        let now = Instant::now();
        let until = now + if key.is_some() { KNOWN_FOR } else { LINKED_FOR };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.retain(|_, known| known.until > now);
        }
        // Still full: whoever sends so many has none of them shown twice.
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(address.to_owned(), KnownPicture { key, until });
    }

    /// Fetches and uploads one picture, and knows it then.
    async fn upload(&self, address: &str) {
        match self.uploaded(address).await {
            Ok(key) => {
                self.metrics.became(PictureOutcome::Uploaded);
                self.know(address, Some(key));
            }
            Err(linked) => self.link(address, &linked),
        }
    }

    async fn uploaded(&self, address: &str) -> Result<String, Linked> {
        let url = Url::parse(address).ok();
        let range = url.as_ref().and_then(|url| self.images.range_of(url));
        let (Some(url), Some(range)) = (url, range) else {
            return Err(Linked::because(PictureOutcome::NotAllowed, "its host is not among images.hosts"));
        };
        if self.is_refused() {
            return Err(Linked::because(PictureOutcome::Refused, "Feishu has refused one a moment ago"));
        }
        // Never closed; without it one more picture is in memory.
        let _place = self.places.acquire().await;
        let picture =
            self.fetcher.fetch(url, range).await.map_err(|unfetched| Linked::unfetched(&unfetched))?;
        // Cards go first: a budget is taken where it has one to spare.
        if !self.sender.spare(&self.budgets, PATIENCE).await {
            return Err(Linked::because(PictureOutcome::Late, "too many pictures are uploaded"));
        }
        let mut key = None;
        let call = async {
            match self.bot.upload(&picture, self.clock.now()).await {
                Ok(uploaded) => {
                    key = Some(uploaded);
                    Verdict::Ok
                }
                Err(verdict) => verdict,
            }
        };
        let pause = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(SLOW_DOWN_PAUSE);
        let verdict = self.sender.send(NO_RECEIVER, &self.budgets, call, pause).await.verdict;
        if matches!(verdict, Verdict::Broken(_)) {
            let until = Instant::now() + REFUSED_FOR;
            *self.refused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        key.ok_or_else(|| Linked::refused(&verdict))
    }

    fn is_refused(&self) -> bool {
        let until = self.refused_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }

    /// It is linked for a while. Its address may be a secret: storage of pictures signs them.
    fn link(&self, address: &str, linked: &Linked) {
        let Linked { outcome, code, error, advice } = linked;
        self.metrics.became(*outcome);
        self.know(address, None);
        let url = Url::parse(address).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let reason = outcome.as_str();
        if *outcome == PictureOutcome::NotAllowed {
            debug!(host, reason, error, "a picture is linked instead of shown");
        } else {
            warn!(host, reason, code, error, advice, "a picture is linked instead of shown");
        }
    }
}

impl Linked {
    fn because(outcome: PictureOutcome, error: &str) -> Self {
        Self { outcome, code: None, error: error.to_owned(), advice: "" }
    }

    fn unfetched(unfetched: &Unfetched) -> Self {
        let outcome = match unfetched {
            Unfetched::Late => PictureOutcome::Late,
            Unfetched::Unreachable(_) | Unfetched::Status(_) => PictureOutcome::Unreachable,
            Unfetched::NoPicture(NoPicture::OtherFormat) => PictureOutcome::OtherFormat,
            Unfetched::NoPicture(NoPicture::TooLarge | NoPicture::TooWide) => PictureOutcome::TooLarge,
        };
        Self::because(outcome, &unfetched.to_string())
    }

    fn refused(verdict: &Verdict) -> Self {
        let trouble = verdict.trouble();
        let code = trouble.and_then(|trouble| trouble.code);
        let error = trouble.map(|trouble| trouble.message.clone()).unwrap_or_default();
        let advice = if matches!(verdict, Verdict::Broken(_)) { advice(code).en } else { "" };
        Self { outcome: PictureOutcome::Refused, code, error, advice }
    }
}

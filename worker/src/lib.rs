//! Queue in, Feishu out: the worker's role as a library, for its own binary and for `standalone`.

pub mod budget;
pub mod card;
pub mod dead_letters;
pub mod feishu;
pub mod ledger;
pub mod metrics;
mod pipeline;
pub mod preview;
pub mod receiver;
pub mod routing;
pub mod store;

use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{Config, DeliveryConfig, ReceiverConfig};
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Publisher};
use shared::telemetry::admin::Page;
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::warn;

use card::Style;
use feishu::{CustomBot, CustomBotError, http_client};
use metrics::Metrics;
use pipeline::{House, Onward, Pipeline};
use preview::{Preview, PreviewPage};
use receiver::{Receiver, Way};

/// Pages for the admin port.
pub type Pages = Vec<Box<dyn Page>>;

/// What the worker calls the preview where it would name a receiver.
const PREVIEW: &str = "preview";

/// The worker's part of the settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where cards go; none means they are previewed.
    pub receivers: Vec<ReceiverConfig>,
    /// How hard the worker tries.
    pub delivery: DeliveryConfig,
    /// How cards look.
    pub style: Style,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let style = Style { timezone: config.timezone.clone(), locale: config.locale };
        Self { receivers: config.receivers.clone(), delivery: config.delivery, style }
    }
}

/// Why the worker cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A receiver cannot be used as it is configured.
    #[error(transparent)]
    Receiver(#[from] CustomBotError),
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Starts the worker on `lifecycle`; it runs until the stop and then finishes what it has in hand. Returns the pages
/// it adds to the admin port.
pub fn start(
    settings: Settings,
    (consumer, publisher): (impl Consumer, impl Publisher),
    registry: &Registry,
    clock: Clock,
    lifecycle: &Lifecycle,
) -> Result<Pages, StartError> {
    let metrics = Metrics::register(registry)?;
    let (receivers, pages) = receivers(&settings)?;
    let house = House {
        onward: Onward(publisher),
        style: settings.style,
        metrics,
        clock,
        lifecycle: lifecycle.clone(),
        places: Semaphore::new(settings.delivery.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
        delivery: settings.delivery,
    };
    lifecycle.spawn_essential("worker", Pipeline::new(house, receivers).run(consumer));
    Ok(pages)
}

/// The receivers that are configured, or else the preview and its page.
fn receivers(settings: &Settings) -> Result<(Vec<Receiver>, Pages), CustomBotError> {
    if settings.receivers.is_empty() {
        warn!("no Feishu webhook is configured: cards are previewed here and on the admin port, not sent");
        let preview = Preview::default();
        let receiver = Receiver { name: PREVIEW.to_owned(), way: Way::Preview(preview.clone()) };
        return Ok((vec![receiver], vec![Box::new(PreviewPage(preview))]));
    }
    let client = http_client(settings.delivery.request_timeout)?;
    let receivers = settings.receivers.iter().map(|config| {
        let bot =
            CustomBot::new(client.clone(), &config.name, config.webhook_url.clone(), config.secret.clone())?;
        Ok(Receiver { name: config.name.clone(), way: Way::CustomBot(bot) })
    });
    Ok((receivers.collect::<Result<_, _>>()?, Pages::new()))
}

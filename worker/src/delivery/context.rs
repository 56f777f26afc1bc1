//! What the tasks of delivery share.

use std::sync::Arc;

use config::DeliveryConfig;
use queue::Publisher;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;

use super::oldest::OldestWaiting;
use super::routes::LiveRoutes;
use crate::directory::OwnerResolver;
use crate::escalation::Escalations;
use crate::fallbacks::Fallbacks;
use crate::feishu::sender::Sender;
use crate::firing::Firing;
use crate::history::History;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::pictures::Pictures;
use crate::receiver_status::ReceiverStatuses;
use crate::render::Style;
use crate::sent_cards::SentCards;
use crate::storms::Storms;
use crate::summarised::SummarisedAlerts;
use crate::templates::LiveTemplates;

/// What all parts of the worker share.
pub(crate) struct DeliveryContext {
    /// For what leaves the worker by another way than Feishu.
    pub(crate) publisher: Arc<dyn Publisher>,
    pub(crate) ledger: Arc<Ledger>,
    /// What fires at custom bots.
    pub(crate) firing: Firing,
    /// Who is called when nobody takes an alert on.
    pub(crate) escalations: Escalations,
    /// Which alerts go where.
    pub(crate) routes: LiveRoutes,
    /// What cards could not list.
    pub(crate) summarised: SummarisedAlerts,
    /// What became of each alert.
    pub(crate) history: History,
    /// What cards look like, for their pages.
    pub(crate) sent_cards: SentCards,
    /// What was told instead of receivers that could not be reached.
    pub(crate) fallbacks: Fallbacks,
    /// What the last cards told together.
    pub(crate) storms: Storms,
    pub(crate) sender: Arc<Sender>,
    pub(crate) owners: Arc<OwnerResolver>,
    /// What alerts look like, for cards of the app's bot.
    pub(crate) pictures: Pictures,
    pub(crate) style: Style,
    pub(crate) templates: LiveTemplates,
    pub(crate) delivery: DeliveryConfig,
    pub(crate) metrics: Metrics,
    /// How each bot has answered last, to be looked at.
    pub(crate) statuses: ReceiverStatuses,
    /// How long the oldest waits.
    pub(crate) oldest: OldestWaiting,
    pub(crate) clock: Clock,
    pub(crate) lifecycle: Lifecycle,
}

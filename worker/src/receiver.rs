//! Where cards go: a Feishu bot, or the preview that stands in for one as long as none is configured.

use jiff::Timestamp;

use crate::budget::Limits;
use crate::feishu::verdict::Verdict;
use crate::feishu::{Content, CustomBot};
use crate::metrics::Metrics;
use crate::preview::Preview;

/// A named destination.
#[derive(Debug)]
pub struct Receiver {
    /// What routes, paths and logs call it.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// How many cards it takes.
    pub limits: Limits,
}

/// How a receiver is reached.
#[derive(Debug)]
pub enum Way {
    /// Through a webhook of Feishu's.
    CustomBot(CustomBot),
    /// On the terminal and on a page.
    Preview(Preview),
}

impl Receiver {
    /// Sends once and says what came of it.
    pub(crate) async fn send(&self, content: &Content, now: Timestamp, metrics: &Metrics) -> Verdict {
        match &self.way {
            Way::CustomBot(bot) => {
                let timer = metrics.round_trip.start_timer();
                let verdict = bot.send(content, now).await;
                timer.observe_duration();
                metrics.answered(&verdict);
                verdict
            }
            Way::Preview(preview) => {
                preview.show(content, now);
                Verdict::Ok
            }
        }
    }
}

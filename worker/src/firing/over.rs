//! What nobody will ever end where cards cannot be changed, and the ends of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::alert::{Alert, Labels, Status};
use model::envelope::{Envelope, EnvelopeId, Notice};

use super::Firing;
use super::quiet::{QuietAlert, Whereto};
use crate::alertmanager::Absent;
use crate::card_store::{LOOKED_AT_AFTER, LOOKED_AT_MAX};
use crate::store::StoreError;

/// What these ends are grouped by. Alerts of one sender at one receiver go together, whatever groups they were delivered in.
const GROUP: &str = "unheard";

/// Looks for it.
#[derive(Debug)]
pub struct Over {
    firing: Firing,
    absent: Absent,
    from: Whereto,
}

impl Over {
    /// `absent` says of which alerts their Alertmanager knows nothing any more.
    pub fn new(firing: Firing, absent: Absent) -> Self {
        Self { firing, absent, from: Whereto::default() }
    }

    /// Looks once: the ends of what is over, by receiver, which nobody else publishes for a while.
    pub async fn look(&mut self) -> Result<BTreeMap<String, Vec<Envelope<'static>>>, StoreError> {
        let (quiet, next) = self.firing.quiet(LOOKED_AT_AFTER, &self.from, LOOKED_AT_MAX).await?;
        self.from = next.unwrap_or_default();
        self.absent.begin(self.firing.clock.now());
        let mut over = Vec::new();
        for quiet in quiet {
            let Some(alert) = quiet.envelope.alerts.first() else { continue };
            let now = self.firing.clock.now();
            if self.absent.is_over(&quiet.receiver, &quiet.envelope, alert, quiet.since, now).await {
                over.push(quiet);
            }
        }
        // Taken last: whoever dies before they are published has held up others for as little as possible.
        let mut ends: BTreeMap<String, Vec<Envelope<'static>>> = BTreeMap::new();
        for quiet in over {
            match self.firing.take(&quiet).await {
                Ok(true) => {
                    add(ends.entry(quiet.receiver.clone()).or_default(), quiet, self.firing.clock.now());
                }
                Ok(false) => {}
                // What is taken already is ours to publish.
                Err(_) => break,
            }
        }
        Ok(ends)
    }

    /// So many ends were published.
    pub fn ended(&self, alerts: usize) {
        self.firing.metrics.ended.inc_by(alerts as u64);
    }
}

/// Adds the end of this.
fn add(
    ends: &mut Vec<Envelope<'static>>,
    QuietAlert { mut envelope, since, receiver, .. }: QuietAlert,
    now: Timestamp,
) {
    let ended = |alert| Alert { status: Status::Resolved, ends_at: Some(since), ..alert };
    let alerts: Vec<_> = std::mem::take(&mut envelope.alerts).into_iter().map(ended).collect();
    let is_alike = |end: &&mut Envelope<'_>| {
        (end.source, &end.external_url) == (envelope.source, &envelope.external_url)
    };
    match ends.iter_mut().find(is_alike) {
        Some(end) => end.alerts.extend(alerts),
        None => ends.push(Envelope {
            id: EnvelopeId::new(now, runtime::entropy::random()),
            received_at: now,
            receiver: receiver.into(),
            group_key: GROUP.into(),
            group_labels: Labels::default(),
            truncated: 0,
            notice: Notice::default(),
            is_repeat: false,
            is_unheard: true,
            alerts,
            ..envelope
        }),
    }
}

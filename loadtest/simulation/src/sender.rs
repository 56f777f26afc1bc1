//! Those who send alerts: each group in its order, one request at a time, again after a 503, and perhaps by two.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source};
use tokio::time::sleep_until;

use crate::feishu::mark;
use crate::ingest::Ingest;
use crate::plan::{PlannedState, Send};
use crate::records::Event;
use crate::world::World;

/// How long a sender tries: Alertmanager until its next group interval, and then it sends what is so then.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The ingests, as senders reach them.
pub(crate) type Ingests = Arc<Mutex<Vec<Ingest>>>;

/// One group's sender.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) world: World,
    pub(crate) ingests: Ingests,
    pub(crate) group: usize,
    pub(crate) bot: usize,
    /// Whether it is the other one of an HA pair, and by how much it is later.
    pub(crate) is_twin: bool,
    pub(crate) later: Duration,
}

impl Sender {
    /// Sends everything, one after the other.
    pub(crate) async fn run(self, sends: Vec<Send>) {
        for Send { at, states } in sends {
            sleep_until(self.instant(at + self.later)).await;
            self.send(&states).await;
        }
    }

    /// Sends one state of the group until it is accepted, or patience ends. Says whether it was accepted.
    pub(crate) async fn send(&self, states: &[PlannedState]) -> bool {
        let began = self.world.elapsed();
        let events = self.note(states);
        loop {
            if self.try_once(states, &events).await {
                return true;
            }
            self.world.pause(500..5_000).await;
            if self.world.elapsed() > began + PATIENCE {
                return false;
            }
        }
    }

    async fn try_once(&self, states: &[PlannedState], events: &[usize]) -> bool {
        let (answer, id) = {
            let ingests = self.ingests.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(ingest) = ingests.get((self.group + usize::from(self.is_twin)) % ingests.len()) else {
                return false;
            };
            let envelope = self.envelope(states, events, ingest.now());
            for event in events {
                self.world.records().events[*event].envelopes.push(envelope.id);
            }
            (ingest.accept(&envelope), envelope.id)
        };
        let is_accepted = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or(false);
        let at = self.world.elapsed();
        self.world.say(|| {
            let what = if is_accepted { "accepted" } else { "not accepted" };
            format!("group {} sent {events:?} as {id}: {what}", self.group)
        });
        if is_accepted {
            for event in events {
                self.world.records().events[*event].accepted.get_or_insert((at, id));
            }
        }
        is_accepted
    }

    /// Writes down what is about to be sent.
    fn note(&self, states: &[PlannedState]) -> Vec<usize> {
        let mut records = self.world.records();
        let first = records.events.len();
        records.events.extend(states.iter().map(|state| Event {
            alert: state.alert,
            status: state.status,
            instance: state.instance,
            is_twin: self.is_twin,
            accepted: None,
            envelopes: Vec::new(),
        }));
        (first..records.events.len()).collect()
    }

    fn envelope(
        &self,
        states: &[PlannedState],
        events: &[usize],
        received_at: Timestamp,
    ) -> Envelope<'static> {
        let random: [u8; 10] = std::array::from_fn(|_| self.world.roll(0..=u8::MAX));
        Envelope {
            id: EnvelopeId::new(received_at, random),
            received_at,
            source: Source::Alertmanager,
            receiver: format!("bot{}", self.bot).into(),
            group_key: format!("group{}", self.group).into(),
            group_labels: Labels::default(),
            external_url: "".into(),
            truncated: 0,
            notice: Notice::default(),
            is_repeat: false,
            is_unheard: false,
            instead_of: "".into(),
            alerts: states.iter().zip(events).map(|(state, event)| self.alert(state, *event)).collect(),
        }
    }

    fn alert(&self, state: &PlannedState, event: usize) -> Alert<'static> {
        let name = format!("Alert{}", state.alert);
        let labels = [("alertname", name.as_str())];
        let ends_at = (state.status == Status::Resolved).then(|| self.world.at(state.ended));
        Alert {
            fingerprint: Fingerprint::of_pairs(labels).into_owned(),
            former: None,
            status: state.status,
            starts_at: Some(self.world.at(state.instance)),
            ends_at,
            labels: [("alertname".into(), name.clone().into())].into_iter().collect(),
            annotations: [("summary".into(), mark(event).into())].into_iter().collect(),
            generator_url: "".into(),
            links: Links::default(),
            mention: Mention::default(),
        }
    }

    fn instant(&self, since: Duration) -> tokio::time::Instant {
        tokio::time::Instant::now() + since.saturating_sub(self.world.elapsed())
    }
}

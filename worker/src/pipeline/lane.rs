//! One receiver's lane: its envelopes one after the other, in their order. One at a time is enough: a bot takes five
//! messages a second, and a request to Feishu takes a fraction of that. Lanes run side by side.

use std::sync::Arc;
use std::time::Duration;

use shared::queue::{ParkStep, Publisher, Reason};
use shared::retry::RetryPolicy;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::House;
use super::hand::Parcel;
use super::tries::Tries;
use super::weather::Weather;
use crate::card;
use crate::feishu::verdict::{Repair, Trouble, Verdict};
use crate::feishu::{CARD_BYTES_MAX, Content, Form};
use crate::receiver::Receiver;

/// The pause after the first failed attempt in place; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// What no pause between attempts in place exceeds.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long an envelope may be in hand before it is parked instead of waiting for a receiver that is slow: far below
/// the broker's 30 minutes for an unsettled message, and enough for 500 messages at a bot's 100 a minute.
const IN_HAND_MAX: Duration = Duration::from_mins(5);

/// A receiver, and how it is doing.
pub(super) struct Lane<P> {
    house: Arc<House<P>>,
    receiver: Receiver,
    weather: Weather,
}

/// What is to become of an envelope.
enum Fate {
    Told,
    Park { step: ParkStep, counted: bool },
    Dead(Reason),
    GivenBack,
}

impl<P: Publisher> Lane<P> {
    pub(super) const fn new(house: Arc<House<P>>, receiver: Receiver) -> Self {
        Self { house, receiver, weather: Weather::Fair }
    }

    /// Delivers until there is nothing more to come.
    pub(super) async fn run(mut self, mut parcels: mpsc::Receiver<Parcel>) {
        while let Some(parcel) = parcels.recv().await {
            let mut tries = Tries::of(&parcel.headers);
            let fate = self.deliver(&parcel, &mut tries).await;
            self.settle(parcel, &tries, fate).await;
        }
    }

    async fn settle(&self, parcel: Parcel, tries: &Tries, fate: Fate) {
        let (house, now) = (&self.house, self.house.clock.now());
        let failure = |reason| tries.failure(reason, &self.receiver.name, now);
        match fate {
            Fate::Told => {
                let waited = now.duration_since(parcel.envelope.received_at);
                house.metrics.end_to_end.observe(waited.as_secs_f64().max(0.0));
                house.metrics.told(parcel.envelope.alerts.len());
                info!(
                    envelope.id = %parcel.envelope.id, receiver = self.receiver.name,
                    alerts = parcel.envelope.alerts.len(), attempts = tries.attempts(),
                    end_to_end_ms = waited.as_millis(),
                    "told {} of envelope {}", self.receiver.name, parcel.envelope.id
                );
                parcel.share.settle();
            }
            Fate::Park { .. } if tries.exhausted(house.delivery.give_up_after, now) => {
                house.bury(parcel, failure(Reason::GaveUp)).await;
            }
            Fate::Park { step, counted } => {
                house.park(parcel, step, failure(Reason::Unavailable), counted).await;
            }
            Fate::Dead(reason) => house.bury(parcel, failure(reason)).await,
            Fate::GivenBack => house.give_back(parcel),
        }
    }

    /// Attempts in place until the envelope is told or something else has to become of it.
    async fn deliver(&mut self, parcel: &Parcel, tries: &mut Tries) -> Fate {
        let mut draft =
            Draft { form: Form::Card, content: self.content(parcel, Form::Card), signed_again: false };
        let mut pauses = self.policy().pauses();
        loop {
            if let Some(fate) = self.wait_for_better_weather(parcel, tries).await {
                return fate;
            }
            let verdict = self.attempt(&draft.content).await;
            let now = self.house.clock.now();
            match verdict {
                Verdict::Ok => {
                    tries.attempted();
                    self.weather = Weather::Fair;
                    return Fate::Told;
                }
                Verdict::SlowDown { hint, trouble } => {
                    // Not counted as an attempt: nothing is wrong with the envelope, nor with the receiver.
                    self.slow_down(&trouble, hint);
                    tries.failed(trouble, now);
                }
                Verdict::TryAgain { hint, trouble } => {
                    tries.attempted();
                    tries.failed(trouble, now);
                    let Some(pause) = pauses.after_failure(rand::random(), hint) else {
                        self.weather.away(Instant::now(), rand::random());
                        return Fate::Park { step: tries.step(), counted: true };
                    };
                    if !self.slept_until(Instant::now() + pause).await {
                        // What follows in this lane is not to spend the drain on attempts that fail as well.
                        self.weather.away(Instant::now(), rand::random());
                        return Fate::GivenBack;
                    }
                }
                Verdict::Repair(repair, trouble) => {
                    tries.attempted();
                    let repaired = self.repair(parcel, &mut draft, repair, &trouble);
                    tries.failed(trouble, now);
                    if !repaired {
                        return Fate::Dead(Reason::Refused);
                    }
                }
                Verdict::GiveUp(trouble) => {
                    tries.attempted();
                    tries.failed(trouble, now);
                    return Fate::Dead(Reason::Refused);
                }
            }
        }
    }

    /// Sends once, as soon as there is a place.
    async fn attempt(&self, content: &Content) -> Verdict {
        // The semaphore is never closed; without it the attempt is made all the same.
        let _place = self.house.places.acquire().await;
        self.receiver.send(content, self.house.clock.now(), &self.house.metrics).await
    }

    /// Waits while the receiver is to be left alone. Returns what becomes of the envelope if that takes too long.
    async fn wait_for_better_weather(&self, parcel: &Parcel, tries: &mut Tries) -> Option<Fate> {
        let now = Instant::now();
        match &self.weather {
            Weather::Slow { until, .. } if *until > now => {
                if *until > parcel.taken_at + IN_HAND_MAX {
                    tries.postponed(
                        "not tried again yet: the receiver said to slow down",
                        self.house.clock.now(),
                    );
                    return Some(Fate::Park { step: covering(*until - now), counted: false });
                }
                (!self.slept_until(*until).await).then_some(Fate::GivenBack)
            }
            Weather::Away { until, .. } if *until > now => {
                if self.house.lifecycle.stop.is_cancelled() {
                    return Some(Fate::GivenBack);
                }
                let now = self.house.clock.now();
                tries.postponed("not tried: the receiver did not take what came before", now);
                // Not counted: nothing was tried. So it is back soon after the receiver is, however long that was.
                Some(Fate::Park { step: tries.untried_step(now), counted: false })
            }
            _ if now > parcel.taken_at + IN_HAND_MAX => {
                tries.postponed("not tried yet: those before it took too long", self.house.clock.now());
                Some(Fate::Park { step: ParkStep::Seconds5, counted: false })
            }
            Weather::Fair | Weather::Slow { .. } | Weather::Away { .. } => None,
        }
    }

    /// Sleeps, unless it is time to stop: then it says `false`, at once.
    async fn slept_until(&self, until: Instant) -> bool {
        tokio::select! {
            biased;
            () = self.house.lifecycle.stop.cancelled() => false,
            () = sleep_until(until) => true,
        }
    }

    fn slow_down(&mut self, trouble: &Trouble, hint: Option<Duration>) {
        let pause = self.weather.slow_down(Instant::now(), rand::random(), hint);
        warn!(
            receiver = self.receiver.name,
            code = trouble.code,
            wait_ms = pause.as_millis(),
            "{} was told to slow down ({}); pausing for {} ms",
            self.receiver.name,
            trouble.message,
            pause.as_millis()
        );
    }

    /// Changes what was refused so that it may be accepted; says whether there was something left to change.
    fn repair(&self, parcel: &Parcel, draft: &mut Draft, repair: Repair, trouble: &Trouble) -> bool {
        match repair {
            // The next attempt signs anew; a second refusal means the secret is wrong, or our clock.
            Repair::Signature if draft.signed_again => return false,
            Repair::Signature => draft.signed_again = true,
            Repair::Mention | Repair::TooLarge | Repair::Card => {
                let Some(plainer) = draft.form.repaired(repair) else { return false };
                draft.form = plainer;
                draft.content = self.content(parcel, plainer);
            }
        }
        self.house.metrics.repaired(repair);
        warn!(
            envelope.id = %parcel.envelope.id, receiver = self.receiver.name, code = trouble.code,
            repair = repair.as_str(), "{} refused envelope {} ({}); sending it again, repaired for {}",
            self.receiver.name, parcel.envelope.id, trouble.message, repair.as_str()
        );
        true
    }

    fn content(&self, parcel: &Parcel, form: Form) -> Content {
        let (envelope, style, now) = (&parcel.envelope, &self.house.style, self.house.clock.now());
        let card = |bytes_max| Content::Card(Box::new(card::build(envelope, style, now, bytes_max)));
        match form {
            Form::Card => card(CARD_BYTES_MAX),
            Form::ShortCard => card(CARD_BYTES_MAX / 2),
            Form::Text => Content::Text(card::text(envelope, style, now)),
        }
    }

    /// A receiver that was away a moment ago gets one attempt to show that it is back.
    fn policy(&self) -> RetryPolicy {
        let attempts = if self.weather.is_away() { 1 } else { self.house.delivery.attempts_in_place };
        RetryPolicy { first: FIRST_PAUSE, cap: PAUSE_MAX, attempts_max: Some(attempts) }
    }
}

/// What is sent, and what was already done to it.
struct Draft {
    form: Form,
    content: Content,
    signed_again: bool,
}

/// The shortest time to be parked in which the pause is over.
fn covering(pause: Duration) -> ParkStep {
    ParkStep::ALL.into_iter().find(|step| step.pause() >= pause).unwrap_or(ParkStep::Minutes10)
}

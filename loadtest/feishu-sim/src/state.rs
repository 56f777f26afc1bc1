//! What all connections share: the bots, the platform of the apps and the journal behind one lock, held only while a request is judged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::bot::{Bot, HookRequest};
use crate::call::Call;
use crate::clock::Clock;
use crate::fault::{Fault, Lasting};
use crate::journal::Journal;
use crate::listener_order::Order;
use crate::platform::{ApiReply, ApiRequest, Platform, UnknownApp};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::settings::SimSettings;
use crate::window::Window;

/// No bot of the simulator has this token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no bot has the token {0:?}")]
pub struct UnknownToken(pub(crate) String);

/// How a request to a webhook is to be answered.
pub(crate) enum Reply {
    Success,
    Refused(Refusal),
    Fault(Fault),
}

pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// The number of accepted messages, for whoever waits for them.
    pub(crate) accepted: watch::Sender<u64>,
    /// To the task that listens.
    pub(crate) orders: mpsc::Sender<Order>,
}

struct State {
    bots: BTreeMap<String, Bot>,
    /// What groups with several bots have taken from all of them.
    groups: BTreeMap<String, Window>,
    platform: Platform,
    journal: Journal,
}

impl Shared {
    pub(crate) fn new(settings: SimSettings, orders: mpsc::Sender<Order>) -> Self {
        let bots = settings.bots.into_iter().map(|bot| (bot.token.clone(), Bot::new(bot))).collect();
        let platform = Platform::new(settings.apps, settings.chats, settings.users);
        let journal = Journal::new(settings.journal_limit_bytes);
        Self {
            state: Mutex::new(State { bots, groups: BTreeMap::new(), platform, journal }),
            clock: settings.clock,
            accepted: watch::Sender::new(0),
            orders,
        }
    }

    /// Judges a request and remembers it; also says how long the answer is kept back.
    pub(crate) fn take(&self, request: &HookRequest) -> (Reply, Duration) {
        let mut state = self.lock();
        // Under the lock, so that the times of the records are in their order.
        let now = self.clock.now();
        let mut record = Record::new(now, None, request.body.len());
        record.token.clone_from(&request.token);
        let (reply, over_budget) = state.judge(request, &mut record);
        let delay = record.fault.as_ref().and_then(Fault::delay).unwrap_or_default();
        self.write(&mut state, record, over_budget);
        (reply, delay)
    }

    /// Judges a call of an app and remembers it; also says how long the answer is kept back.
    pub(crate) fn call(&self, request: &ApiRequest) -> (ApiReply, Duration) {
        let mut state = self.lock();
        let mut record = Record::new(self.clock.now(), Some(request.call), request.body.len());
        let (reply, over_budget) = state.platform.take(request, &mut record);
        let delay = record.fault.as_ref().and_then(Fault::delay).unwrap_or_default();
        self.write(&mut state, record, over_budget);
        (reply, delay)
    }

    fn write(&self, state: &mut State, record: Record, over_budget: bool) {
        state.journal.write(record, over_budget);
        self.accepted.send_replace(state.journal.totals().accepted);
    }

    /// Scripts a fault for a bot, or for all of them.
    pub(crate) fn fault(
        &self,
        token: Option<&str>,
        fault: &Fault,
        lasting: Lasting,
    ) -> Result<(), UnknownToken> {
        let now = self.clock.now();
        self.each_bot(token, |bot| bot.faults.push(fault.clone(), lasting, now))
    }

    pub(crate) fn clear_faults(&self, token: Option<&str>) -> Result<(), UnknownToken> {
        self.each_bot(token, |bot| bot.faults.clear())
    }

    /// Does something with the platform, at the present time.
    pub(crate) fn platform<T>(&self, act: impl FnOnce(&mut Platform, Timestamp) -> T) -> T {
        let mut state = self.lock();
        let now = self.clock.now();
        act(&mut state.platform, now)
    }

    /// Scripts a fault for one kind of call by an app.
    pub(crate) fn fault_call(
        &self,
        app_id: &str,
        call: Call,
        fault: &Fault,
        lasting: Lasting,
    ) -> Result<(), UnknownApp> {
        self.platform(|platform, now| platform.fault(app_id, call, fault, lasting, now))
    }

    /// Looks at the journal.
    pub(crate) fn journal<T>(&self, look: impl FnOnce(&Journal) -> T) -> T {
        look(&self.lock().journal)
    }

    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.journal.clear();
        self.accepted.send_replace(0);
    }

    fn each_bot(&self, token: Option<&str>, act: impl Fn(&mut Bot)) -> Result<(), UnknownToken> {
        let mut state = self.lock();
        match token {
            None => state.bots.values_mut().for_each(act),
            Some(token) => {
                act(state.bots.get_mut(token).ok_or_else(|| UnknownToken(token.to_owned()))?);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Completes the record; the flag says whether an accepted message exceeded a limit that is not enforced.
    fn judge(&mut self, request: &HookRequest, record: &mut Record) -> (Reply, bool) {
        let Some(bot) = self.bots.get_mut(&request.token) else {
            return (refused(Refusal::unknown_token(), record), false);
        };
        let text = String::from_utf8_lossy(&request.body);
        let by_word = bot.settings.faulty_words.iter().find(|(word, _)| text.contains(word.as_str()));
        record.fault = by_word.map(|(_, fault)| fault.clone()).or_else(|| bot.faults.next(record.at));
        if let Some(fault) = &record.fault
            && !fault.is_judged()
        {
            return (Reply::Fault(fault.clone()), false);
        }
        let group = bot.settings.group.clone().map(|name| self.groups.entry(name).or_default());
        let (reply, over_budget) = match bot.judge(request, group, record.at) {
            Ok(accepted) => {
                record.show(Verdict::Accepted, &request.body);
                record.mentioned = accepted.mentioned;
                (Reply::Success, accepted.over_budget)
            }
            Err(refusal) => (refused(refusal, record), false),
        };
        // One that only keeps the answer back has no answer of its own.
        let instead = record.fault.clone().filter(|fault| fault.delay().is_none());
        (instead.map_or(reply, Reply::Fault), over_budget)
    }
}

fn refused(refusal: Refusal, record: &mut Record) -> Reply {
    record.verdict = Verdict::Refused(refusal.clone());
    Reply::Refused(refusal)
}

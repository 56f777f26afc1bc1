//! One call: by another message, by an urgent push, at another receiver, or to a program. Everything that people see goes by the
//! one sender, within the budgets that cards have as well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::{BOT_MARK, EscalationConfig, EscalationStep, ReceiverOwners, Secret, StepMethod, Urgency};
use jiff::Timestamp;
use reqwest::Client;
use runtime::clock::Clock;

use super::decision::CallResult;
use super::note;
use super::quota::UrgentQuota;
use super::table::DueEscalation;
use super::webhook::{self, WebhookAlert, WebhookBody};
use crate::alertmanager::Alertmanagers;
use crate::audit::Audit;
use crate::card_store::Cards;
use crate::directory::{CalledPeople, CardSender, OwnerResolver};
use crate::feishu::limits::{AppCall, CallBudget, SLOW_DOWN_PAUSE};
use crate::feishu::sender::Sender;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{CARD_BYTES_MAX, CardContent, MessageId, OnceKey, ReplyTo};
use crate::history::History;
use crate::oncall::OnCall;
use crate::people::person::Person;
use crate::receiver::{AppChat, BotAccess, Receiver};
use crate::render::{self, Besides, Item, Style};
use crate::templates::LiveTemplates;

/// Alerts on one card of an escalation: of a storm those that are kept of each of its cards.
const ITEMS_MAX: usize = 500;
/// Attempts after which nobody is looked for any more who could not be looked up in time.
const LATE_ATTEMPTS_MAX: u32 = 3;

/// A receiver may be gone from the configuration, or newer than this process.
const NOT_OURS: &str =
    "the receiver was not there when this process started: is it configured, and was it restarted since?";

/// What calls are made with.
pub(crate) struct CallDeps {
    pub(crate) receivers: BTreeMap<String, Receiver>,
    pub(crate) sender: Arc<Sender>,
    pub(crate) owners: Arc<OwnerResolver>,
    pub(crate) oncall: OnCall,
    pub(crate) cards: Cards,
    pub(crate) history: History,
    pub(crate) trail: Audit,
    pub(crate) style: Style,
    pub(crate) templates: LiveTemplates,
    /// Where somebody may have silenced what is to be called about.
    pub(crate) alertmanagers: Alertmanagers,
    /// For programs.
    pub(crate) client: Client,
    pub(crate) quota: UrgentQuota,
    pub(crate) clock: Clock,
}

/// Escalations that have come to the same step at the same receiver: one call is for all of them.
pub(super) struct DueTogether<'d> {
    pub(super) plan: &'d EscalationConfig,
    pub(super) step: &'d EscalationStep,
    /// Of the step, counted from 0.
    pub(super) number: usize,
    pub(super) receiver: &'d str,
    /// The longest due first; at least one.
    pub(super) due: Vec<&'d DueEscalation>,
    /// The alerts that nobody has taken on, by fingerprint, in order.
    pub(super) open: Vec<&'d str>,
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct CallReport {
    pub(super) result: CallResult,
    /// Whether a limit of the settings is why.
    pub(super) is_over_limit: bool,
    /// Who was called, or was to be.
    pub(super) who: Vec<String>,
    /// How many of them were not.
    pub(super) unreached: usize,
    /// What Feishu answered.
    pub(super) code: Option<i64>,
    /// Why not, or not all.
    pub(super) why: Option<String>,
}

impl<'d> DueTogether<'d> {
    /// The alerts that nobody has taken on, as far as they are kept.
    pub(super) fn items(&self) -> Vec<Item<'d>> {
        let mut seen = std::collections::HashSet::new();
        let envelopes = self.due.iter().flat_map(|due| &due.envelopes);
        let items = envelopes.flat_map(Item::all_of).filter(|item| {
            let name = crate::ledger::fitting(item.alert.fingerprint.as_str());
            self.open.binary_search(&&*name).is_ok() && seen.insert(item.alert.fingerprint.as_str())
        });
        items.take(ITEMS_MAX).collect()
    }

    /// What makes one message of several tries at the same call, in this form.
    fn once(&self, target: &str, form: &str) -> OnceKey {
        let mut ids: Vec<String> = self.due.iter().map(|due| hex::encode(&due.id)).collect();
        ids.sort_unstable();
        let number = self.number.to_string();
        let parts = ["escalation step", target, form, number.as_str()].into_iter();
        OnceKey::of(parts.chain(ids.iter().map(String::as_str)))
    }

    /// The newest message there is: that is where people look.
    fn message(&self) -> Option<MessageId> {
        self.due
            .iter()
            .filter(|due| due.message.is_some())
            .max_by_key(|due| due.progress.begun_at)
            .and_then(|due| due.message.clone())
            .map(MessageId::new)
    }

    fn attempts(&self) -> u32 {
        self.due.iter().map(|due| due.progress.attempts).max().unwrap_or(0)
    }

    fn begun_at(&self) -> Timestamp {
        self.due.iter().map(|due| due.progress.begun_at).min().unwrap_or_default()
    }
}

impl CallReport {
    fn of(result: CallResult, people: &CalledPeople) -> Self {
        Self {
            result,
            is_over_limit: false,
            who: people.names.clone(),
            unreached: people.unknown,
            code: None,
            why: None,
        }
    }

    fn because(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    fn with(self, trouble: Option<&Trouble>) -> Self {
        match trouble {
            Some(trouble) => Self { code: trouble.code, why: Some(trouble.message.clone()), ..self },
            None => self,
        }
    }
}

impl CallDeps {
    /// Calls, once.
    pub(super) async fn call(&self, group: &DueTogether<'_>) -> CallReport {
        let items = group.items();
        let Some(receiver) = self.receivers.get(group.receiver) else {
            let nobody = CalledPeople::default();
            return CallReport::of(CallResult::Refused, &nobody).because(NOT_OURS);
        };
        let people = self.people(group, &items, receiver).await;
        let needs_people = matches!(group.step.method, StepMethod::Mention | StepMethod::Urgent(_));
        if needs_people && people.is_late && group.attempts() < LATE_ATTEMPTS_MAX {
            let later = CallReport::of(CallResult::NotNow { hint: None }, &people);
            return later.because("people could not be looked up in time");
        }
        match &group.step.method {
            StepMethod::Mention if !people.mentions.mentions() => {
                CallReport::of(CallResult::Refused, &people).because("there is nobody who can be mentioned")
            }
            StepMethod::Mention => self.tell(receiver, group, &items, &people).await,
            StepMethod::Urgent(urgency) => self.urge(receiver, *urgency, group, people).await,
            StepMethod::Receiver(name) => self.tell_others(name, group, &items, &people).await,
            StepMethod::Webhook { url, secret } => {
                self.tell_program(url, secret.as_ref(), group, &items, &people).await
            }
        }
    }

    async fn people(&self, group: &DueTogether<'_>, items: &[Item<'_>], receiver: &Receiver) -> CalledPeople {
        // Where a card of another receiver mentions them, that is who sends it.
        let sends = match &group.step.method {
            StepMethod::Receiver(name) => self.receivers.get(name).unwrap_or(receiver),
            StepMethod::Mention | StepMethod::Urgent(_) | StepMethod::Webhook { .. } => receiver,
        };
        let sender = match sends.way {
            BotAccess::AppChat(_) => CardSender::AppBot,
            BotAccess::CustomBot(_) | BotAccess::Group(_) | BotAccess::Preview(_) => CardSender::CustomBot,
        };
        let owners =
            ReceiverOwners { allow_mention_all: sends.owners.allow_mention_all, ..receiver.owners.clone() };
        self.owners.called(&group.step.who, items, &owners, sender, self.clock.now()).await
    }

    /// By a card of every address that a receiver has.
    async fn tell_others(
        &self,
        name: &str,
        group: &DueTogether<'_>,
        items: &[Item<'_>],
        people: &CalledPeople,
    ) -> CallReport {
        let is_copy = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with(BOT_MARK));
        let meant = self.receivers.values().filter(|known| known.name == name || is_copy(&known.name));
        let mut report: Option<CallReport> = None;
        for receiver in meant {
            let next = Box::pin(self.tell(receiver, group, items, people)).await;
            // One of them is enough.
            if report.as_ref().is_none_or(|report| report.result != CallResult::Made) {
                report = Some(next);
            }
        }
        report.unwrap_or_else(|| CallReport::of(CallResult::Refused, people).because(NOT_OURS))
    }

    /// By a card: a reply to the one that was delivered where that can be replied to, and else a new one.
    async fn tell(
        &self,
        receiver: &Receiver,
        group: &DueTogether<'_>,
        items: &[Item<'_>],
        people: &CalledPeople,
    ) -> CallReport {
        if items.is_empty() {
            return CallReport::of(CallResult::Refused, people).because("nothing is kept of the alerts");
        }
        let mut verdict = Verdict::Ok;
        for form in ["card", "text"] {
            let content = self.content(receiver, group, items, people, form);
            verdict = match self.send(receiver, group, &content, form).await {
                Ok(verdict) => verdict,
                Err(after) => {
                    let later = CallReport::of(CallResult::NotNow { hint: Some(after) }, people);
                    return later.because("the receiver was sent too much a moment ago");
                }
            };
            // What is wrong with a card may be right in a plain text.
            if !matches!(verdict, Verdict::Repair(..)) {
                break;
            }
        }
        CallReport::of(result_of(&verdict), people).with(verdict.trouble())
    }

    /// Sends once, as soon as there is room; or says how long that is too far away.
    async fn send(
        &self,
        receiver: &Receiver,
        group: &DueTogether<'_>,
        content: &CardContent,
        form: &str,
    ) -> Result<Verdict, Duration> {
        let pause = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(SLOW_DOWN_PAUSE);
        let once = group.once(&receiver.name, form);
        let replied_to = group.message().filter(|_| receiver.name == group.receiver);
        if let (BotAccess::AppChat(AppChat { bot, .. }), Some(message), Some(chat)) =
            (&receiver.way, replied_to, receiver.chat_budget())
        {
            let budgets = [chat.clone(), CallBudget::of_app(bot.app_id(), AppCall::Reply)];
            self.wait_for(&budgets).await?;
            let to = ReplyTo { message_id: &message, in_thread: false };
            let call = bot.reply(to, content, &once, self.clock.now());
            return Ok(self.sender.send(&receiver.name, &budgets, call, pause).await.verdict);
        }
        // Another one if the first did not take it.
        let bots = receiver.group().len().max(1);
        let bot = usize::try_from(group.attempts()).unwrap_or_default() % bots;
        self.wait_for(&receiver.budgets_through(bot)).await?;
        Ok(receiver.send(bot, content, &once, &self.sender, &self.clock, pause).await.verdict)
    }

    async fn wait_for(&self, budgets: &[CallBudget]) -> Result<(), Duration> {
        for budget in budgets {
            self.sender.wait_for(budget).await?;
        }
        Ok(())
    }

    fn content(
        &self,
        receiver: &Receiver,
        group: &DueTogether<'_>,
        items: &[Item<'_>],
        people: &CalledPeople,
        form: &str,
    ) -> CardContent {
        let now = self.clock.now();
        let waited = Duration::try_from(now.duration_since(group.begun_at())).unwrap_or_default();
        let on_call = self.on_call(group.step);
        let escalation =
            note::on_card(&group.plan.name, group.number + 1, waited, &on_call, self.style.locale);
        self.templates.template(&receiver.name, |worded| {
            let besides = Besides {
                format: receiver.card_format,
                owners: Some(&people.mentions),
                escalation: Some(&escalation),
                worded,
                ..Besides::default()
            };
            if form == "text" {
                return CardContent::Text(render::text_with(items, &self.style, now, besides).content);
            }
            let card = render::build_with(items, &self.style, now, CARD_BYTES_MAX, besides).content;
            CardContent::Card(Box::new(card))
        })
    }

    /// Who is on call by the rotations that a step names, as far as they have a name that may be shown.
    fn on_call(&self, step: &EscalationStep) -> Vec<(String, String)> {
        let named: Vec<&str> = note::rotations_of(step).collect();
        let now = self.oncall.now().into_iter().filter(|now| named.contains(&now.rotation.as_str()));
        let shown = now.filter(|now| matches!(Person::parse(&now.person), Some(Person::Name(_))));
        shown.map(|now| (now.rotation, now.person)).collect()
    }

    /// By Feishu's urgent push on the newest message.
    async fn urge(
        &self,
        receiver: &Receiver,
        urgency: Urgency,
        group: &DueTogether<'_>,
        people: CalledPeople,
    ) -> CallReport {
        let refused = |why: &str| CallReport::of(CallResult::Refused, &people).because(why);
        let BotAccess::AppChat(AppChat { bot, .. }) = &receiver.way else {
            return refused("only the app's bot can make urgent pushes");
        };
        let Some(message) = group.message() else {
            return refused("nobody knows which message the card is in");
        };
        if people.open_ids.is_empty() {
            return refused("Feishu knows nobody of those who are to be called");
        }
        let now = self.clock.now();
        if !self.quota.take(bot.app_id(), urgency, now).await {
            return CallReport { is_over_limit: true, ..refused("the limit of app.urgent is reached") };
        }
        let budgets = [CallBudget::of_app(bot.app_id(), AppCall::Urgent(urgency))];
        if let Err(after) = self.wait_for(&budgets).await {
            let later = CallReport::of(CallResult::NotNow { hint: Some(after) }, &people);
            return later.because("the app has called too many people a moment ago");
        }
        let ids: Vec<&str> = people.open_ids.iter().map(crate::people::person::OpenId::as_str).collect();
        let mut invalid = Vec::new();
        let call = async {
            let answer = bot.urge(&message, urgency, &ids, self.clock.now()).await;
            invalid = answer.invalid;
            answer.verdict
        };
        let pause = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(SLOW_DOWN_PAUSE);
        let sent = self.sender.send(&receiver.name, &budgets, call, pause).await;
        let report = CallReport::of(result_of(&sent.verdict), &people).with(sent.verdict.trouble());
        let report = CallReport { unreached: report.unreached + invalid.len(), ..report };
        match (report.result, invalid.is_empty()) {
            (CallResult::Made, false) if invalid.len() >= ids.len() => {
                CallReport { result: CallResult::Refused, ..report }
                    .because(format!("Feishu does not call any of them: {}", invalid.join(", ")))
            }
            (CallResult::Made, false) => {
                report.because(format!("Feishu does not call {}", invalid.join(", ")))
            }
            (_, _) => report,
        }
    }

    async fn tell_program(
        &self,
        url: &Secret,
        secret: Option<&Secret>,
        group: &DueTogether<'_>,
        items: &[Item<'_>],
        people: &CalledPeople,
    ) -> CallReport {
        let now = self.clock.now();
        let id = group.once("", "webhook");
        let alerts = items.iter().map(|item| WebhookAlert {
            fingerprint: item.alert.fingerprint.as_str(),
            name: item.name(),
            starts_at: item.alert.starts_at,
            labels: item.alert.labels.iter().map(|(name, value)| [name, value]).collect(),
        });
        let body = WebhookBody {
            v: 1,
            id: id.as_str(),
            escalation: &group.plan.name,
            step: group.number + 1,
            receiver: group.receiver,
            since: group.begun_at(),
            at: now,
            people: &people.names,
            cards: group.due.iter().map(|due| due.card.as_str()).collect(),
            alerts: alerts.collect(),
        };
        let answer = webhook::post(&self.client, url, secret, &body, now).await;
        let report = CallReport::of(answer.result, people);
        match answer.why {
            Some(why) => report.because(format!("the webhook: {why}")),
            None => report,
        }
    }
}

fn result_of(verdict: &Verdict) -> CallResult {
    match verdict {
        Verdict::Ok => CallResult::Made,
        Verdict::SlowDown { hint, .. } => CallResult::NotNow { hint: Some(hint.unwrap_or(SLOW_DOWN_PAUSE)) },
        Verdict::TryAgain { hint, .. }
        | Verdict::MayHaveArrived { hint, .. }
        | Verdict::Unknown { hint, .. } => CallResult::NotNow { hint: *hint },
        Verdict::Unreachable(_) => CallResult::NotNow { hint: None },
        Verdict::Repair(..) | Verdict::Broken(_) | Verdict::GiveUp(_) => CallResult::Refused,
    }
}

//! Feishu's bots: what they accept stands in the chat, and the answer may be late, lost, or no.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use worker::feishu::{NoAnswer, WebhookAnswer, WebhookPort};

use crate::conditions::Condition;
use crate::records::Card;
use crate::world::World;

/// What a bot takes in any minute and in any second.
const PER_MINUTE: usize = 100;
const PER_SECOND: usize = 5;
/// What an event is marked with in the texts of its alert, before its number.
const MARK: &[u8] = b"stateno";

/// All bots. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Feishu {
    world: World,
    accepted: Arc<Mutex<Vec<VecDeque<Duration>>>>,
    request_timeout: Duration,
}

/// How a bot's webhook is written.
pub(crate) fn webhook(bot: usize) -> String {
    format!("https://feishu.invalid/open-apis/bot/v2/hook/{bot}")
}

/// The text that marks an event.
pub(crate) fn mark(event: usize) -> String {
    format!("stateno{event}.")
}

/// The events a text speaks of, each once.
pub(crate) fn events_in(text: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
        let digits: String =
            rest.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
        found.extend(digits.parse::<usize>());
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Feishu {
    pub(crate) fn new(world: &World, bots: usize, request_timeout: Duration) -> Self {
        let accepted = Arc::new(Mutex::new(vec![VecDeque::new(); bots]));
        Self { world: world.clone(), accepted, request_timeout }
    }

    /// A request has come in.
    fn take(&self, bot: usize, events: &[usize]) -> (WebhookAnswer, Option<usize>) {
        let world = &self.world;
        if world.holds(Condition::FeishuErrors(bot)) {
            let bodies = [(500, ""), (502, "<html>bad gateway</html>"), (504, "")];
            let (status, body) = bodies[world.roll(0..bodies.len())];
            return (answer(status, body), None);
        }
        if world.holds(Condition::FeishuUnknown(bot)) {
            let bodies =
                [(403, "<html>forbidden</html>"), (200, r#"{"code":987654,"msg":"never heard of"}"#)];
            let (status, body) = bodies[world.roll(0..bodies.len())];
            return (answer(status, body), None);
        }
        if world.holds(Condition::FeishuBroken(bot)) {
            let body = r#"{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}"#;
            return (answer(200, body), None);
        }
        if world.holds(Condition::FeishuThrottles(bot)) {
            return (answer(200, r#"{"code":11232,"msg":"frequency limited"}"#), None);
        }
        let now = world.elapsed();
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = accepted.get_mut(bot) else { return (answer(404, ""), None) };
        while times.front().is_some_and(|time| now.saturating_sub(*time) >= Duration::from_mins(1)) {
            times.pop_front();
        }
        let in_second =
            times.iter().filter(|time| now.saturating_sub(**time) < Duration::from_secs(1)).count();
        if times.len() >= PER_MINUTE || in_second >= PER_SECOND {
            world.records().floods.push((now, bot));
            world.say(|| format!("bot {bot} is flooded"));
            return (answer(200, r#"{"code":11232,"msg":"frequency limited"}"#), None);
        }
        times.push_back(now);
        drop(accepted);
        let mut records = world.records();
        let card = records.cards.len();
        records.cards.push(Card { at: now, bot, events: events.to_vec(), is_answered: false });
        drop(records);
        world.say(|| format!("card {card} in the chat of bot {bot}: {events:?}"));
        (answer(200, r#"{"code":0,"msg":"success"}"#), Some(card))
    }

    async fn exchange(self, url: String, body: Vec<u8>) -> Result<WebhookAnswer, NoAnswer> {
        let world = self.world.clone();
        let bot: usize = url.rsplit('/').next().and_then(|bot| bot.parse().ok()).unwrap_or_default();
        world.records().requests += 1;
        if world.holds(Condition::FeishuAway(bot)) {
            if world.chance(0.5) {
                world.pause(1..50).await;
                return Err(NoAnswer::NeverSent);
            }
            tokio::time::sleep(self.request_timeout).await;
            return Err(NoAnswer::Lost);
        }
        let (sent, answered) = oneshot::channel();
        let server = self.clone();
        // What was sent arrives, whatever becomes of who has sent it.
        World::spawn({
            let world = world.clone();
            async move {
                world.pause(5..150).await;
                let (answer, card) = server.take(bot, &events_in(&body));
                if world.holds(Condition::FeishuSlow(bot)) {
                    tokio::time::sleep(server.request_timeout + Duration::from_secs(1)).await;
                }
                if world.holds(Condition::FeishuLosesAnswers(bot)) && world.chance(0.5) {
                    return;
                }
                world.pause(5..150).await;
                let is_heard = sent.send(answer).is_ok();
                if let Some(card) = card.and_then(|card| is_heard.then_some(card)) {
                    world.records().cards[card].is_answered = true;
                }
            }
        });
        match tokio::time::timeout(self.request_timeout, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(NoAnswer::Lost),
        }
    }
}

impl WebhookPort for Feishu {
    fn post(&self, url: &str, body: Vec<u8>) -> BoxFuture<'_, Result<WebhookAnswer, NoAnswer>> {
        Box::pin(self.clone().exchange(url.to_owned(), body))
    }
}

fn answer(status: u16, body: &str) -> WebhookAnswer {
    WebhookAnswer { status, body: body.as_bytes().to_vec(), wait: None }
}

//! A tenant with an app in a chat, and our bot for it.

use std::time::Duration;

use config::Secret;
use feishu_sim::{
    AppSettings, Call, ChatSettings, FeishuSim, Limits, ManualClock, SimSettings, UserSettings, Verdict,
};
use jiff::Timestamp;
use worker::feishu::{AppBot, AppCredentials, CardContent, OnceKey, Sent, http_client};
use worker::render::{Card, CardText, Element};

pub(crate) const APP: &str = "cli_test0001";
pub(crate) const SECRET: &str = "app-secret-0001";
pub(crate) const CHAT: &str = "oc_test0001";

pub(crate) struct Harness {
    pub(crate) sim: FeishuSim,
    pub(crate) clock: ManualClock,
    pub(crate) bot: AppBot,
}

pub(crate) fn settings() -> SimSettings {
    SimSettings::new([])
        .app(AppSettings::new(APP, SECRET))
        .chat(ChatSettings::new(CHAT).app(APP).member("ou_ann"))
        .chat(ChatSettings::new("oc_without_us"))
        .user(UserSettings::new("ou_ann").mobile("13800000001").email("ann@corp.example"))
}

/// A chat that takes any number of messages.
pub(crate) fn roomy() -> SimSettings {
    let limits = Limits { per_second: 5, per_minute: 300, enforced: false };
    settings().chat(ChatSettings::new(CHAT).app(APP).limits(limits))
}

pub(crate) async fn harness(settings: SimSettings) -> Harness {
    harness_with(settings, SECRET).await
}

pub(crate) async fn harness_with(settings: SimSettings, secret: &str) -> Harness {
    let clock = ManualClock::starting_at(Timestamp::from_second(1_700_000_000).unwrap());
    let sim = FeishuSim::start(settings.clock(clock.clone())).await.unwrap();
    let bot = bot(&sim.base_url(), secret);
    Harness { sim, clock, bot }
}

pub(crate) fn bot(base_url: &str, secret: &str) -> AppBot {
    let credentials = AppCredentials { id: APP.to_owned(), secret: Secret::new(secret) };
    AppBot::new(http_client(Duration::from_secs(10), None).unwrap(), base_url, credentials).unwrap()
}

impl Harness {
    /// What became of the app's calls of this kind.
    pub(crate) fn calls(&self, call: Call) -> Vec<Verdict> {
        let records = self.sim.records(APP).into_iter().filter(|record| record.call == Some(call));
        records.map(|record| record.verdict).collect()
    }

    pub(crate) async fn send(&self, content: &CardContent, key: &str) -> Sent {
        self.bot.send(CHAT, content, &OnceKey::of([key]), self.clock.now()).await
    }
}

pub(crate) fn card(content: &str) -> Card {
    let text = CardText::Markdown { content: content.to_owned() };
    Card { elements: vec![Element::Paragraph { text }], ..Card::default() }
}

pub(crate) fn content_of(content: &str) -> CardContent {
    CardContent::Card(Box::new(card(content)))
}

//! A backend that says what a test wants to see.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use console::backend::{Answered, AuditQuery, BackendError, ConsoleActs, ConsoleReads, ExplainsPayload};
use console::data::{
    ActionDetail, ActionRow, Advice, AlertEvent, AlertLife, AlertPage, AlertStanding, AlertWait,
    AlertmanagerSilences, BotSummary, CardAlert, CardDetail, DeadLetterAlert, DeadLetterCount,
    DeadLetterDetail, DeadLetterOrder, DeadLetterPage, DeadLetterRow, DeliveryError, FiringAlert,
    FiringAlerts, HealthWord, LogLink, Overview, ReceiverSummary, ReceiverTests, SilenceEnd, SilenceHit,
    SilenceOrder, SilencePlan, SilenceQuestion, SilenceRow, Silences, TestAlert, TestOrder, TestState,
};
use jiff::Timestamp;
use model::matcher::Query;

/// Text as it may stand in an alert.
pub(crate) const HOSTILE: &str = "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<at id=all>";
/// When letters were counted.
pub(crate) const COUNTED_AT: &str = "2026-01-02T03:04:05.678Z";
/// How many there are.
pub(crate) const COUNTED: usize = 1_204;

#[derive(Default)]
pub(crate) struct FakeBackend {
    /// If it is set, nothing can be read.
    pub(crate) away: Mutex<Option<String>>,
    /// If it is set, nothing is answered.
    pub(crate) is_mute: AtomicBool,
    /// What was asked to be done.
    pub(crate) orders: Mutex<Vec<DeadLetterOrder>>,
    /// Which tests were asked for.
    pub(crate) tests: Mutex<Vec<TestOrder>>,
    /// Which silences were.
    pub(crate) silences: Mutex<Vec<SilenceOrder>>,
    /// Which silences were to end.
    pub(crate) ends: Mutex<Vec<SilenceEnd>>,
}

impl FakeBackend {
    fn answer<T: Send + 'static>(&self, data: impl FnOnce() -> T) -> Answered<'_, T> {
        let away = self.away.lock().unwrap().clone();
        let answer = match away {
            Some(why) => Err(BackendError::Unavailable(why)),
            None => Ok(data()),
        };
        if self.is_mute.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(answer))
    }
}

fn receiver() -> ReceiverSummary {
    let advice = Some(Advice { en: "set it anew", zh: "重新设置" });
    let error =
        DeliveryError { code: Some(19001), message: HOSTILE.to_owned(), advice, ..DeliveryError::default() };
    let bot = BotSummary {
        name: "ops/1".to_owned(),
        health: HealthWord::Misconfigured,
        since: Some(Timestamp::UNIX_EPOCH),
        error: Some(error),
    };
    ReceiverSummary {
        name: HOSTILE.to_owned(),
        configured_as: "ops".to_owned(),
        health: HealthWord::Misconfigured,
        alerts_waiting: 9_007_199_254_740_993,
        cards_per_minute: 100,
        cards_last_minute: Some(7),
        dead_letters: Some(3),
        bots: vec![bot],
        ..ReceiverSummary::default()
    }
}

fn letter(id: i64) -> DeadLetterRow {
    DeadLetterRow {
        id,
        state: "waiting".to_owned(),
        receiver: HOSTILE.to_owned(),
        reason: "refused".to_owned(),
        code: Some(9499),
        message: HOSTILE.to_owned(),
        summary: HOSTILE.to_owned(),
        alerts: 2,
        is_whole: true,
        ..DeadLetterRow::default()
    }
}

fn event() -> AlertEvent {
    let hostile = || HOSTILE.to_owned();
    AlertEvent {
        times: 3,
        receiver: hostile(),
        identity: hostile(),
        name: hostile(),
        status: "firing".to_owned(),
        outcome: "deferred".to_owned(),
        until: Some(Timestamp::UNIX_EPOCH),
        card: Some(hostile()),
        bot: Some(hostile()),
        reason: Some(hostile()),
        labels: [(hostile(), hostile())].into(),
        ..AlertEvent::default()
    }
}

fn standing() -> AlertStanding {
    let waits =
        AlertWait { until: Some(Timestamp::UNIX_EPOCH), reason: HOSTILE.to_owned(), ..AlertWait::default() };
    AlertStanding {
        receiver: HOSTILE.to_owned(),
        delivered_status: Some("firing".to_owned()),
        delivered_at: Some(Timestamp::UNIX_EPOCH),
        waits: Some(waits),
        acknowledged_by: Some(HOSTILE.to_owned()),
        acknowledged_at: Some(Timestamp::UNIX_EPOCH),
        silenced_until: Some(Timestamp::UNIX_EPOCH),
        silenced_by: Some(HOSTILE.to_owned()),
    }
}

fn silence_row() -> SilenceRow {
    SilenceRow {
        id: "s1".to_owned(),
        matchers: HOSTILE.to_owned(),
        created_by: HOSTILE.to_owned(),
        comment: HOSTILE.to_owned(),
        alerts: 1_204,
        ..SilenceRow::default()
    }
}

impl ConsoleReads for FakeBackend {
    fn overview(&self) -> Answered<'_, Overview> {
        self.answer(|| Overview { is_database_up: true, receivers: vec![receiver()], ..Overview::default() })
    }

    fn receivers(&self) -> Answered<'_, Vec<ReceiverSummary>> {
        self.answer(|| vec![receiver()])
    }

    fn firing<'b>(&'b self, _query: &'b Query) -> Answered<'b, FiringAlerts> {
        let alert = |pod: &str| FiringAlert {
            identity: HOSTILE.to_owned(),
            receiver: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            since: Some(Timestamp::UNIX_EPOCH),
            labels: [(HOSTILE.to_owned(), HOSTILE.to_owned()), ("pod".to_owned(), pod.to_owned())].into(),
            is_silenceable: true,
        };
        let alerts = ["1", "2", "3", "4", "5", "6", "7"].map(alert).to_vec();
        self.answer(|| FiringAlerts {
            alerts,
            looked_at: Some(5_000),
            replica_labels: vec!["replica".to_owned()],
        })
    }

    fn alerts<'b>(&'b self, _query: &'b Query, before: Option<&'b str>) -> Answered<'b, AlertPage> {
        let before = before.is_none().then(|| "1-2".to_owned());
        self.answer(|| AlertPage { events: vec![event()], before, looked_at: Some(100_000) })
    }

    fn alert<'b>(&'b self, identity: &'b str) -> Answered<'b, AlertLife> {
        let identity = identity.to_owned();
        self.answer(|| AlertLife {
            identity,
            events: vec![event()],
            has_more: true,
            dead_letters: vec![letter(1)],
            standings: vec![standing()],
            log_links: [false, true]
                .map(|is_errors_only| LogLink {
                    is_errors_only,
                    url: "https://grafana.example/explore".to_owned(),
                })
                .to_vec(),
            silence_matchers: Some(format!("alertname={HOSTILE:?}")),
        })
    }

    fn card<'b>(&'b self, card: &'b str) -> Answered<'b, Option<CardDetail>> {
        let alert = |is_only_counted| CardAlert {
            identity: HOSTILE.to_owned(),
            name: "=cmd".to_owned(),
            status: "firing".to_owned(),
            is_only_counted,
            labels: [("team".to_owned(), HOSTILE.to_owned())].into(),
        };
        let alerts = vec![alert(false), alert(true)];
        let card = card.to_owned();
        let content = Some(HOSTILE.to_owned());
        self.answer(|| (card != "700").then(|| CardDetail { card, alerts, content, ..CardDetail::default() }))
    }

    fn audit<'b>(&'b self, filter: AuditQuery<'b>) -> Answered<'b, Vec<ActionRow>> {
        let line = |id| ActionRow {
            id,
            who: HOSTILE.to_owned(),
            chosen: HOSTILE.to_owned(),
            ..ActionRow::default()
        };
        let lines = (1..filter.before.unwrap_or(200)).rev().take(filter.most).map(line).collect();
        self.answer(|| lines)
    }

    fn dead_letters<'b>(&'b self, _query: &'b Query, before: Option<i64>) -> Answered<'b, DeadLetterPage> {
        self.answer(|| DeadLetterPage {
            letters: (1..=3).rev().map(letter).collect(),
            before: before.is_none().then_some(1),
            looked_into: None,
            matching: DeadLetterCount { count: COUNTED, is_more: false, until: COUNTED_AT.parse().unwrap() },
        })
    }

    fn dead_letter(&self, id: i64) -> Answered<'_, Option<DeadLetterDetail>> {
        let alert = DeadLetterAlert {
            identity: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            status: "firing".to_owned(),
            labels: [(HOSTILE.to_owned(), HOSTILE.to_owned())].into(),
        };
        self.answer(|| {
            (id < 100).then(|| DeadLetterDetail {
                letter: letter(id),
                contents: vec![alert],
                payload: HOSTILE.to_owned(),
                refused_card: Some(HOSTILE.to_owned()),
                ..DeadLetterDetail::default()
            })
        })
    }

    fn receiver_tests<'b>(
        &'b self,
        receiver: &'b str,
        envelopes: &'b [String],
    ) -> Answered<'b, Option<ReceiverTests>> {
        let states = [TestState::Waiting, TestState::Delivered, TestState::DeadLettered];
        let test = |(envelope, state): (&String, TestState)| TestAlert {
            name: HOSTILE.to_owned(),
            envelope: envelope.clone(),
            identity: HOSTILE.to_owned(),
            state,
            code: Some(19021),
            message: Some(HOSTILE.to_owned()),
            advice: Some(Advice { en: "set it anew", zh: "重新设置" }),
            ..TestAlert::default()
        };
        let tests = envelopes.iter().zip(states).map(test).collect();
        let receiver = receiver.to_owned();
        self.answer(|| (receiver != "700").then_some(ReceiverTests { receiver, tests }))
    }

    fn silences(&self) -> Answered<'_, Silences> {
        let there = AlertmanagerSilences {
            name: "eu".to_owned(),
            silences: vec![silence_row()],
            all: Some(900),
            ..AlertmanagerSilences::default()
        };
        let error = Some(HOSTILE.to_owned());
        let away =
            AlertmanagerSilences { name: HOSTILE.to_owned(), error, ..AlertmanagerSilences::default() };
        self.answer(|| Silences { alertmanagers: vec![there, away] })
    }

    fn silence_plan(&self, question: SilenceQuestion) -> Answered<'_, SilencePlan> {
        let hit = SilenceHit {
            name: HOSTILE.to_owned(),
            labels: [("team".to_owned(), HOSTILE.to_owned())].into(),
            is_silenced: true,
        };
        self.answer(|| SilencePlan {
            alertmanagers: vec!["eu".to_owned(), "us".to_owned()],
            alertmanager: question.alertmanager.unwrap_or_else(|| "eu".to_owned()),
            same: (question.length == "1h").then(silence_row),
            matchers: question.matchers,
            length: "4h".to_owned(),
            until: Some(COUNTED_AT.parse().unwrap()),
            refused: None,
            count: COUNTED,
            hits: vec![hit],
        })
    }

    fn action(&self, id: i64) -> Answered<'_, Option<ActionDetail>> {
        let action = ActionRow {
            id,
            who: HOSTILE.to_owned(),
            action: "replay".to_owned(),
            meant: 9,
            ..ActionRow::default()
        };
        self.answer(|| {
            (id < 100).then(|| ActionDetail {
                action,
                is_running: true,
                outcomes: [("replayed: delivered".to_owned(), 4), ("replaying".to_owned(), 1)].into(),
                reached: 5,
                per_second: Some(19.9),
                letters: vec![letter(1)],
                ..ActionDetail::default()
            })
        })
    }
}

/// Says what it was given; for the payload `long` not before it may.
#[derive(Debug, Default)]
pub(crate) struct FakeExplainer {
    pub(crate) has_begun: AtomicBool,
    pub(crate) may_end: AtomicBool,
}

impl ExplainsPayload for FakeExplainer {
    fn explain(&self, payload: &[u8], receiver: Option<&str>) -> Result<String, String> {
        let payload = String::from_utf8_lossy(payload);
        if payload == "long" {
            self.has_begun.store(true, Ordering::SeqCst);
            while !self.may_end.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
        }
        match receiver {
            Some("nobody") => Err(format!("no receiver for {payload}")),
            _ => Ok(format!("for {receiver:?}: {payload}")),
        }
    }
}

impl ConsoleActs for FakeBackend {
    fn act_on_dead_letters(&self, order: DeadLetterOrder) -> Answered<'_, i64> {
        self.orders.lock().unwrap().push(order);
        self.answer(|| 42)
    }

    fn test_receiver(&self, order: TestOrder) -> Answered<'_, Vec<String>> {
        self.tests.lock().unwrap().push(order);
        self.answer(|| vec!["e1".to_owned(), "e2".to_owned()])
    }

    fn silence(&self, order: SilenceOrder) -> Answered<'_, String> {
        self.silences.lock().unwrap().push(order);
        self.answer(|| "s1".to_owned())
    }

    fn end_silence(&self, end: SilenceEnd) -> Answered<'_, ()> {
        self.ends.lock().unwrap().push(end);
        self.answer(|| ())
    }
}

//! A tenant with an app in two chats, and workers that share a database.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::{
    AlertmanagerConfig, AppConfig, CardFormat, ClientTls, DatabaseConfig, DeliveryConfig, ImagesConfig,
    InteractionsConfig, ReceiverConfig, ReceiverDestination, ReceiverOwners, ResolvedNews, Secret,
    TemplateConfig,
};
use feishu_sim::{
    AppSettings, Call, ChatSettings, FeishuSim, Limits, Record, SimSettings, UserSettings, Verdict,
};
use jiff::SignedDuration;
use model::alert::{Fingerprint, Status};
use model::envelope::{Envelope, EnvelopeId};
use model::interaction::{Interaction, encode};
use prometheus::{Registry, TextEncoder};
use queue::{Headers, Settlement};
use runtime::clock::Clock;
use serde_json::Value;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use testkit::chaos_proxy::ChaosProxy;
use testkit::mariadb::{TestDatabase, mysql_address};
use testkit::wait_until::wait_until;
use worker::Settings;
use worker::audit::{Audit, AuditEntry, AuditFilter};
use worker::card_store::{CardMetrics, Cards};
use worker::escalation::table::EscalationTable;
use worker::history::{HistoryEntry, HistoryFilter};
use worker::store::Store;

use crate::harness::{WITHIN, Worker, envelope, line, settings, shows};

pub(crate) const APP: &str = "cli_test0001";
const SECRET: &str = "app-secret-0001";
pub(crate) const CHAT: &str = "oc_test0001";
pub(crate) const OTHER_CHAT: &str = "oc_test0002";

/// The tenant, and the database of whoever works for it.
pub(crate) struct Tenant {
    pub(crate) sim: Arc<FeishuSim>,
    pub(crate) resolved: ResolvedNews,
    pub(crate) delivery: DeliveryConfig,
    /// What people may do.
    pub(crate) interactions: InteractionsConfig,
    pub(crate) alertmanagers: Vec<AlertmanagerConfig>,
    /// Hosts that pictures may be fetched from.
    pub(crate) images: ImagesConfig,
    /// Authorities besides the machine's.
    pub(crate) https_ca_file: Option<PathBuf>,
    /// Where the shared database is reached, if not where it is.
    pub(crate) through: Option<SocketAddr>,
    /// The first is that of both receivers.
    pub(crate) templates: Vec<TemplateConfig>,
    /// That of both receivers.
    pub(crate) card_format: CardFormat,
    /// What else is set.
    adjust: Box<dyn Fn(&mut Settings)>,
    database: Option<TestDatabase>,
    folder: TempDir,
}

/// One worker of the tenant's.
pub(crate) struct WorkerHandle {
    worker: Worker,
}

impl Tenant {
    /// With a database in a file.
    pub(crate) async fn new(delivery: DeliveryConfig) -> Self {
        // 300 is what 5 a second come to; it is counted and not enforced.
        let roomy = Limits { per_second: 5, per_minute: 300, enforced: false };
        Self::of(ChatSettings::new(CHAT).app(APP).limits(roomy), delivery, None, 0).await
    }

    /// With a database that several workers share.
    pub(crate) async fn shared(delivery: DeliveryConfig) -> Self {
        let database = Some(TestDatabase::create().await);
        Self::of(ChatSettings::new(CHAT).app(APP), delivery, database, 0).await
    }

    /// Whose chat takes no more than a real one.
    pub(crate) async fn strict(delivery: DeliveryConfig) -> Self {
        Self::crowded(delivery, 0).await
    }

    /// The same, with so many people in it: `ou_person0` and so on.
    pub(crate) async fn crowded(delivery: DeliveryConfig, people: usize) -> Self {
        Self::of(ChatSettings::new(CHAT).app(APP), delivery, None, people).await
    }

    async fn of(
        chat: ChatSettings,
        delivery: DeliveryConfig,
        database: Option<TestDatabase>,
        people: usize,
    ) -> Self {
        let crowd = (0..people).map(|person| UserSettings::new(format!("ou_person{person}")));
        let settings = crowd
            .fold(SimSettings::new([]), SimSettings::user)
            .app(AppSettings::new(APP, SECRET))
            .user(UserSettings::new("ou_ann"))
            .user(UserSettings::new("ou_bob"))
            .chat(chat.member("ou_ann").member("ou_bob"))
            .chat(ChatSettings::new(OTHER_CHAT).app(APP));
        let sim = Arc::new(FeishuSim::start(settings).await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        Self {
            sim,
            resolved: ResolvedNews::Reply,
            delivery,
            interactions: InteractionsConfig::default(),
            alertmanagers: Vec::new(),
            images: ImagesConfig::default(),
            https_ca_file: None,
            through: None,
            templates: Vec::new(),
            card_format: CardFormat::V1,
            adjust: Box::new(|_| {}),
            database,
            folder,
        }
    }

    /// The same with other settings.
    pub(crate) fn adjusted(self, adjust: impl Fn(&mut Settings) + 'static) -> Self {
        Self { adjust: Box::new(adjust), ..self }
    }

    /// Starts a worker with the receivers `default` and `other`, each a chat.
    pub(crate) fn hand(&self) -> WorkerHandle {
        let receiver = |name: &str, chat: &str| ReceiverConfig {
            template: self.templates.first().map(|template| template.name.clone()),
            card_format: self.card_format,
            name: name.to_owned(),
            destination: ReceiverDestination::AppChat { chat_id: chat.to_owned() },
            cards_per_minute: 100,
            cards_per_second: 5,
            fallback: None,
            owners: ReceiverOwners::default(),
            escalation: None,
        };
        let receivers = vec![receiver("default", CHAT), receiver("other", OTHER_CHAT)];
        let mut settings = settings(receivers, self.delivery, self.folder.path());
        settings.app = Some(AppConfig {
            id: APP.to_owned(),
            secret: Secret::new(SECRET),
            base_url: self.sim.base_url(),
            chats_allowed: vec![OTHER_CHAT.to_owned()],
            resolved: self.resolved,
            urgent: config::UrgentLimits::default(),
        });
        settings.interactions = self.interactions.clone();
        settings.alertmanagers.clone_from(&self.alertmanagers);
        settings.images.clone_from(&self.images);
        settings.https_ca_file.clone_from(&self.https_ca_file);
        settings.templates.clone_from(&self.templates);
        settings.database = self.database_config();
        (self.adjust)(&mut settings);
        WorkerHandle { worker: Worker::start(settings, Clock::system()) }
    }

    /// The cards, as another part of the worker sees them.
    pub(crate) fn cards(&self) -> Cards {
        let registry = Registry::new();
        let folder = PathBuf::from(self.folder.path());
        let store = Store::open(&self.database_config(), &folder, &registry).unwrap();
        Cards::new(store, Clock::system(), CardMetrics::register(&registry).unwrap())
    }

    /// What the app has called, by kind and outcome.
    pub(crate) fn count(&self, call: Call, verdict: &Verdict) -> usize {
        let records = self.sim.records(APP);
        records.iter().filter(|record| record.call == Some(call) && record.verdict == *verdict).count()
    }

    /// The cards that were sent into the chats, without replies and updates.
    pub(crate) fn sent(&self) -> Vec<Record> {
        let sent = |record: &Record| record.call == Some(Call::Send) && record.card().is_some();
        self.sim.accepted().into_iter().filter(sent).collect()
    }

    /// What the message with this card shows now.
    pub(crate) fn now_shown(&self, record: &Record) -> Value {
        let shown = self.sim.shown(record.message_id.as_deref().unwrap());
        shown.last().unwrap().card().unwrap()
    }

    /// Waits until the message with this card shows a text.
    pub(crate) async fn shows(&self, record: &Record, text: &str) -> Value {
        wait_until(WITHIN, "a card that shows it", async || {
            let card = self.now_shown(record);
            if card.to_string().contains(text) { Ok(card) } else { Err(card) }
        })
        .await
    }

    /// Waits until the page of a card has this one.
    pub(crate) async fn page_shows(&self, card: &Value) {
        let store = Store::open(&self.database_config(), self.folder.path(), &Registry::new()).unwrap();
        // How Feishu is to treat it is none of what people see.
        let seen = |card: &Value| [card["header"].clone(), card["elements"].clone()];
        let name = self.history("A", 1).await.into_iter().find_map(|entry| entry.card).unwrap();
        wait_until(WITHIN, "the card as it is now", async || {
            let kept = worker::sent_cards::find(&store, &name).await.unwrap();
            let kept = kept.map(|kept| seen(&serde_json::from_str(&kept).unwrap()));
            if kept.as_ref() == Some(&seen(card)) { Ok(()) } else { Err(kept) }
        })
        .await;
    }

    /// Who did what, the newest first.
    pub(crate) async fn trail(&self) -> Vec<AuditEntry> {
        let store = Store::open(&self.database_config(), self.folder.path(), &Registry::new()).unwrap();
        Audit::new(store, Clock::system()).entries(AuditFilter::All, 100).await.unwrap()
    }

    /// What the history has of the alerts of this name, the newest first, once that is so much.
    pub(crate) async fn history(&self, name: &str, count: usize) -> Vec<HistoryEntry> {
        let store = Store::open(&self.database_config(), self.folder.path(), &Registry::new()).unwrap();
        let filter = HistoryFilter { name: Some(name.to_owned()), ..HistoryFilter::default() };
        wait_until(WITHIN, "the history", async || {
            let found = worker::history::find(&store, &filter, 100).await.unwrap().entries;
            if found.len() >= count { Ok(found) } else { Err(found) }
        })
        .await
    }

    /// Writes somebody into the user table in the workers' file.
    pub(crate) async fn knows(&self, nickname: &str, id: &str) {
        let insert = "INSERT INTO larkfire_users (username, nickname, source_user_id)";
        self.execute(&format!("{insert} VALUES ('{id}', '{nickname}', '{id}')")).await;
    }

    /// Does something to the workers' file behind their back.
    pub(crate) async fn execute(&self, statement: &str) {
        let file = SqliteConnectOptions::new().filename(self.folder.path().join("larkfire.db"));
        let mut connection = file.busy_timeout(WITHIN).connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }

    /// From here on workers reach the database they share by a way that can be cut.
    pub(crate) async fn proxied(&mut self) -> ChaosProxy {
        let proxy = ChaosProxy::start(mysql_address()).await;
        self.through = Some(proxy.address());
        proxy
    }

    /// How many escalations wait for a step.
    pub(crate) async fn steps_waiting(&self) -> i64 {
        let store = Store::open(&self.database_config(), self.folder.path(), &Registry::new()).unwrap();
        EscalationTable { store, clock: Clock::system() }.waiting().await.unwrap()
    }

    fn database_config(&self) -> DatabaseConfig {
        let url = |database: &TestDatabase| match self.through {
            Some(address) => database.url_at(address),
            None => database.url(),
        };
        let url = self.database.as_ref().map(|database| Secret::new(url(database)));
        DatabaseConfig { url, tls: ClientTls::default(), connections: 4, timeout: Duration::from_secs(10) }
    }
}

impl WorkerHandle {
    /// Delivers envelopes as one message.
    pub(crate) fn deliver(&mut self, envelopes: &[&Envelope<'_>]) -> u64 {
        self.deliver_with(envelopes, Headers::default())
    }

    pub(crate) fn deliver_with(&mut self, envelopes: &[&Envelope<'_>], headers: Headers) -> u64 {
        let body: Vec<u8> = envelopes.iter().flat_map(|envelope| line(envelope)).collect();
        self.worker.queue.deliver(body, headers)
    }

    /// Delivers them, and waits until they are told.
    pub(crate) async fn tell(&mut self, envelopes: &[&Envelope<'_>]) {
        let tag = self.deliver(envelopes);
        assert_eq!(self.fate(tag).await, Settlement::Done { tag });
    }

    pub(crate) async fn fate(&mut self, tag: u64) -> Settlement {
        wait_until(WITHIN, "a settlement", async || self.worker.queue.fate(tag).ok_or("still in hand")).await
    }

    /// Somebody does something, and it is waited for until that is settled.
    pub(crate) async fn done(&mut self, interaction: &Interaction) {
        let tag = self.hears(interaction);
        self.heard(tag).await;
    }

    /// The same with a message that may be anything.
    pub(crate) async fn swallowed(&mut self, body: impl Into<Bytes>) {
        let tag = self.worker.people.deliver(body, Headers::default());
        self.heard(tag).await;
    }

    /// Somebody does something, which is not waited for.
    pub(crate) fn hears(&mut self, interaction: &Interaction) -> u64 {
        self.worker.people.deliver(encode(interaction).unwrap(), Headers::default())
    }

    /// Waits until that is settled; what is given back comes again.
    pub(crate) async fn heard(&mut self, mut tag: u64) {
        while self.fate_of_deed(tag).await != (Settlement::Done { tag }) {
            tag = self.worker.people.deliver_again(tag);
        }
    }

    pub(crate) async fn fate_of_deed(&mut self, tag: u64) -> Settlement {
        let people = &mut self.worker.people;
        wait_until(WITHIN, "a settlement", async || people.fate(tag).ok_or("still in hand")).await
    }

    pub(crate) fn is_heard(&mut self, tag: u64) -> bool {
        self.worker.people.fate(tag).is_some()
    }

    pub(crate) fn is_settled(&mut self, tag: u64) -> bool {
        self.worker.queue.fate(tag).is_some()
    }

    /// Everything `/metrics` shows.
    pub(crate) fn metrics(&self) -> String {
        TextEncoder::new().encode_to_string(&self.worker.registry.gather()).unwrap()
    }

    pub(crate) fn metric(&self, line: &str) -> bool {
        shows(&self.worker.registry, line)
    }

    /// What a line of `/metrics` that begins like this counts.
    pub(crate) fn count(&self, line: &str) -> usize {
        let text = self.metrics();
        let counted = text.lines().find_map(|shown| shown.strip_prefix(line));
        counted.unwrap().trim().parse().unwrap()
    }

    /// Waits until a line of `/metrics` begins like this.
    pub(crate) async fn counts(&self, line: &str) {
        wait_until(WITHIN, line, async || self.metric(line).then_some(()).ok_or("not yet")).await;
    }

    /// Stops it, and waits until it has given back what it has not delivered.
    pub(crate) async fn stop(self) {
        self.worker.lifecycle.stop.cancel();
        self.worker.lifecycle.tasks.close();
        tokio::time::timeout(WITHIN, self.worker.lifecycle.tasks.wait()).await.unwrap();
    }
}

/// An envelope with firing alerts of these names.
pub(crate) fn firing(index: u8, names: &[&str]) -> Envelope<'static> {
    envelope_of(index, names, Status::Firing)
}

/// The end of these alerts, delivered by an envelope of its own.
pub(crate) fn over(index: u8, names: &[&str]) -> Envelope<'static> {
    envelope_of(index, names, Status::Resolved)
}

fn envelope_of(index: u8, names: &[&str], status: Status) -> Envelope<'static> {
    let mut envelope = envelope("default", index);
    let now = Clock::system().now();
    let template = envelope.alerts.remove(0);
    envelope.alerts = names
        .iter()
        .map(|name| {
            let mut alert = template.clone();
            alert.fingerprint = Fingerprint::of_pairs([("alertname", *name)]);
            alert.labels = [("alertname", *name), ("severity", "critical")]
                .into_iter()
                .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
                .collect();
            alert.status = status;
            alert.ends_at = (status == Status::Resolved).then_some(now);
            alert
        })
        .collect();
    // Later ones come later, whatever the clock shows.
    envelope.received_at = now + SignedDuration::from_millis(i64::from(index));
    envelope.id = EnvelopeId::new(now, [index; 10]);
    envelope
}

/// The colour and the title of a card.
pub(crate) fn header(card: &Value) -> (&str, &str) {
    let text = |place: &str| card.pointer(place).and_then(Value::as_str).unwrap_or_default();
    (text("/header/template"), text("/header/title/content"))
}

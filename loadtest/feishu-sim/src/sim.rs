//! The simulator in a test's hands.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::call::Call;
use crate::fault::{Fault, Lasting};
use crate::hook::HOOK_PATH;
use crate::journal::Totals;
use crate::listener_order::Order;
use crate::platform::UnknownApp;
use crate::record::{Record, Verdict};
use crate::server::Server;
use crate::settings::SimSettings;
use crate::state::{Shared, UnknownToken};

/// Orders to the listening task that may wait.
const ORDERS_MAX: usize = 8;

/// A running simulator. It stops when dropped.
pub struct FeishuSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The awaited number of messages was not accepted in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of {wanted} messages accepted within {within:?}: {totals:?}", totals.accepted)]
pub struct TooFewCards {
    /// The awaited number.
    pub wanted: u64,
    /// The time that was given.
    pub within: Duration,
    /// What came instead.
    pub totals: Totals,
}

impl FeishuSim {
    /// Listens and serves until it is stopped or dropped.
    pub async fn start(settings: SimSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let (orders, received) = mpsc::channel(ORDERS_MAX);
        let shared = Arc::new(Shared::new(settings, orders));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let server = Server {
            shared: Arc::clone(&shared),
            orders: received,
            stop: stop.clone(),
            connections: tasks.clone(),
        };
        tasks.spawn(server.run(listener, address));
        Ok(Self { address, shared, stop, tasks })
    }

    /// The address it listens on, also while it is away.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The webhook of the bot with this token.
    pub fn webhook_url(&self, token: &str) -> String {
        format!("http://{}{HOOK_PATH}{token}", self.address)
    }

    /// What stands before `/open-apis/`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every remembered request to this token, oldest first; of an app's id, every call that it made.
    pub fn records(&self, token: &str) -> Vec<Record> {
        self.remembered(|record| record.token == token)
    }

    /// Every remembered message that was accepted, of all bots and apps, oldest first. `Totals::forgotten` says
    /// whether there were more.
    pub fn accepted(&self) -> Vec<Record> {
        self.remembered(|record| record.verdict == Verdict::Accepted)
    }

    /// What an app's message has shown so far, oldest first: the message, then its updates.
    pub fn shown(&self, message_id: &str) -> Vec<Record> {
        self.remembered(|record| {
            record.message_id.as_deref() == Some(message_id)
                && matches!(record.verdict, Verdict::Accepted | Verdict::Updated)
        })
    }

    /// Counts of everything since the start or the last [`clear`](Self::clear).
    pub fn totals(&self) -> Totals {
        self.shared.journal(|journal| journal.totals().clone())
    }

    /// Forgets records and totals; faults, messages an app can update, and what counts against limits stay.
    pub fn clear(&self) {
        self.shared.clear();
    }

    /// Waits until this many messages have been accepted, of all bots, and returns the remembered ones.
    pub async fn wait_for_accepted(&self, wanted: u64, within: Duration) -> Result<Vec<Record>, TooFewCards> {
        let mut accepted = self.shared.accepted.subscribe();
        let enough = accepted.wait_for(|accepted| *accepted >= wanted);
        match tokio::time::timeout(within, enough).await {
            Ok(_) => Ok(self.accepted()),
            Err(_) => Err(TooFewCards { wanted, within, totals: self.totals() }),
        }
    }

    /// Scripts a fault for a bot; several wait in a queue.
    pub fn fault(&self, token: &str, fault: &Fault, lasting: Lasting) -> Result<(), UnknownToken> {
        self.shared.fault(Some(token), fault, lasting)
    }

    /// Ends the scripted faults of a bot, waiting ones included. Connections already in a fault stay in it.
    pub fn clear_faults(&self, token: &str) -> Result<(), UnknownToken> {
        self.shared.clear_faults(Some(token))
    }

    /// Scripts a fault for one kind of call by an app; several wait in a queue.
    pub fn fault_call(
        &self,
        app_id: &str,
        call: Call,
        fault: &Fault,
        lasting: Lasting,
    ) -> Result<(), UnknownApp> {
        self.shared.fault_call(app_id, call, fault, lasting)
    }

    /// Ends the scripted faults of an app.
    pub fn clear_call_faults(&self, app_id: &str) -> Result<(), UnknownApp> {
        self.shared.platform(|platform, _now| platform.clear_faults(Some(app_id)))
    }

    /// Takes an app's message out of its chat, as the group's owner can; says whether it was there.
    pub fn recall(&self, message_id: &str) -> bool {
        self.shared.platform(|platform, _now| platform.recall(message_id))
    }

    /// Ends the life of every token the app has: its next call is refused with 99991663.
    pub fn expire_tokens(&self, app_id: &str) -> Result<(), UnknownApp> {
        self.shared.platform(|platform, now| platform.expire_tokens(app_id, now))
    }

    /// Who sits at the browser that is sent to log in from now on, and agrees; nobody: the log-in is refused there.
    pub fn sits_at_browser(&self, open_id: Option<&str>) {
        self.shared.platform(|platform, _now| platform.sits_at_browser(open_id));
    }

    /// Stops listening and ends all connections, but keeps the port: new connections are refused.
    pub async fn away(&self) -> io::Result<()> {
        self.order(|done| Order::Away { back_after: None, done }).await
    }

    /// Listens again on the same port.
    pub async fn back(&self) -> io::Result<()> {
        self.order(|done| Order::Back { done }).await
    }

    /// Stops and waits for its connections to end.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    async fn order(&self, order: impl FnOnce(oneshot::Sender<io::Result<()>>) -> Order) -> io::Result<()> {
        let (done, result) = oneshot::channel();
        let lost = || io::Error::other("the simulator no longer listens");
        self.shared.orders.send(order(done)).await.map_err(|_| lost())?;
        result.await.map_err(|_| lost())?
    }

    fn remembered(&self, wanted: impl Fn(&&Record) -> bool) -> Vec<Record> {
        self.shared.journal(|journal| journal.records().filter(wanted).cloned().collect())
    }
}

impl Drop for FeishuSim {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

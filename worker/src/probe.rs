//! What `check --online` asks for the worker: its database and the user table, the hosts cards are sent to, the app and its
//! chats, the Alertmanagers it silences alerts in, the Grafana its links lead to, and the console as people reach it.

mod app;
mod people;
mod web;

use std::collections::BTreeSet;

use config::check::probe::{Outcome, PROBE_TIMEOUT, Probe};
use config::{Config, ReceiverDestination};
use prometheus::Registry;
use queue::rabbitmq::probe::broker;
use reqwest::Url;
use runtime::clock::Clock;

use crate::installation::{Conflict, DatabaseOwner, InstallationOrigin, owner, recorded};
use crate::store::inspection::inspect;
use crate::store::{Store, file_of};

/// Asks them all, one after the other.
pub async fn everything(config: &Config) -> Vec<Probe> {
    let clock = Clock::system();
    let mut probes = broker(config).await;
    let outcome = database(config).await.map_or_else(Outcome::Failed, Outcome::Fine);
    probes.push(Probe { what: "database".to_owned(), outcome });
    probes.push(people::user_table(config).await);
    match crate::feishu::http_client(PROBE_TIMEOUT, config.https_ca_file.as_deref()) {
        Ok(client) => {
            for host in hosts(config) {
                probes.push(web::feishu(&client, host, &clock).await);
            }
            probes.extend(app::app(&client, config, clock.now()).await);
            probes.extend(web::alertmanagers(&client, config).await);
            probes.extend(web::grafana(&client, config).await);
            probes.extend(web::console(&client, config).await);
        }
        Err(error) => {
            probes.push(Probe { what: "HTTP".to_owned(), outcome: Outcome::Failed(error.to_string()) });
        }
    }
    probes
}

/// Leaves nothing behind: neither a file nor a table.
async fn database(config: &Config) -> Result<String, String> {
    if let Some(file) = file_of(&config.database, &config.data_dir).filter(|file| !file.exists()) {
        return Ok(format!("{} is made at the first start", file.display()));
    }
    let store = Store::open(&config.database, &config.data_dir, &Registry::new());
    let store = store.map_err(|error| error.to_string())?;
    match tokio::time::timeout(PROBE_TIMEOUT, inspect(store.pool())).await {
        Ok(Ok(said)) => another(config, &store).await.map_or(Ok(said), |conflict| Err(conflict.to_string())),
        Ok(Err(flaw)) => Err(flaw.to_string()),
        Err(_) => Err(format!("no answer within {PROBE_TIMEOUT:?}; is database.url (DATABASE_URL) right?")),
    }
}

/// Another installation that has the database, as far as can be found out.
async fn another(config: &Config, store: &Store) -> Option<Conflict> {
    let asked = async {
        let ours = InstallationOrigin::of(config)?.installation_so_far().await.ok()??;
        // Before the first start the table is not there.
        let recorded = recorded(store.pool()).await.ok()?;
        match owner(recorded.as_ref(), &ours) {
            DatabaseOwner::Another(conflict) => Some(conflict),
            DatabaseOwner::Nobody | DatabaseOwner::Us => None,
        }
    };
    tokio::time::timeout(PROBE_TIMEOUT, asked).await.ok()?
}

/// Scheme, host and port of everything cards are sent to: what comes behind is a credential.
fn hosts(config: &Config) -> BTreeSet<String> {
    let hooks = config.receivers.iter().flat_map(|receiver| match &receiver.destination {
        ReceiverDestination::CustomBot { webhook_url, secret: _ } => vec![webhook_url.expose()],
        ReceiverDestination::Bots { bots, .. } => bots.iter().map(|bot| bot.webhook_url.expose()).collect(),
        ReceiverDestination::AppChat { .. } => Vec::new(),
    });
    let app = config.app.iter().map(|app| app.base_url.as_str());
    hooks.chain(app).filter_map(|url| Some(Url::parse(url).ok()?.origin().ascii_serialization())).collect()
}

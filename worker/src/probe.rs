//! What `check --online` asks for the worker: its database and the user table, the hosts cards are sent to, the
//! Alertmanagers it silences alerts in, and the Grafana its links lead to.

mod people;
mod web;

use std::collections::BTreeSet;

use prometheus::Registry;
use reqwest::Url;
use shared::check::probe::{Outcome, PROBE_TIMEOUT, Probe, broker};
use shared::config::{Config, Destination};

use crate::store::{Pool, Store, file_of};

/// Asks them all, one after the other.
pub async fn everything(config: &Config) -> Vec<Probe> {
    let mut probes: Vec<_> = broker(config).await.into_iter().collect();
    let outcome = database(config).await.map_or_else(Outcome::Failed, Outcome::Fine);
    probes.push(Probe { what: "database".to_owned(), outcome });
    probes.push(people::user_table(config).await);
    match crate::feishu::http_client(PROBE_TIMEOUT) {
        Ok(client) => {
            for host in hosts(config) {
                probes.push(web::feishu(&client, host).await);
            }
            probes.extend(web::alertmanagers(&client, config).await);
            probes.extend(web::grafana(&client, config).await);
        }
        Err(error) => {
            probes.push(Probe { what: "HTTP".to_owned(), outcome: Outcome::Failed(error.to_string()) });
        }
    }
    probes
}

/// Makes nothing: neither a file nor a table.
async fn database(config: &Config) -> Result<String, String> {
    if let Some(file) = file_of(&config.database, &config.data_dir).filter(|file| !file.exists()) {
        return Ok(format!("{} is made at the first start", file.display()));
    }
    let store = Store::open(&config.database, &config.data_dir, &Registry::new());
    let store = store.map_err(|error| error.to_string())?;
    let asked = async {
        match store.pool() {
            Pool::MySql(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
            Pool::Sqlite(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
        }
    };
    match tokio::time::timeout(PROBE_TIMEOUT, asked).await {
        Ok(Ok(())) => Ok("answers".to_owned()),
        Ok(Err(error)) => Err(format!("{error}; is it there, and is database.url (DATABASE_URL) right?")),
        Err(_) => Err(format!("no answer within {PROBE_TIMEOUT:?}; is database.url (DATABASE_URL) right?")),
    }
}

/// Scheme, host and port of everything cards are sent to: what comes behind is a credential.
fn hosts(config: &Config) -> BTreeSet<String> {
    let hooks = config.receivers.iter().flat_map(|receiver| match &receiver.destination {
        Destination::CustomBot { webhook_url, secret: _ } => vec![webhook_url.expose()],
        Destination::Bots { bots, .. } => bots.iter().map(|bot| bot.webhook_url.expose()).collect(),
        Destination::AppChat { .. } => Vec::new(),
    });
    let app = config.app.iter().map(|app| app.base_url.as_str());
    hooks.chain(app).filter_map(|url| Some(Url::parse(url).ok()?.origin().ascii_serialization())).collect()
}

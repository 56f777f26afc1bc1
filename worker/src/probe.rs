//! What `check --online` asks for the worker: its database, and the hosts cards are sent to.

use std::collections::BTreeSet;
use std::error::Error;

use prometheus::Registry;
use reqwest::Url;
use shared::check::probe::{PROBE_TIMEOUT, Probe, broker};
use shared::config::{Config, Destination};

use crate::feishu::http_client;
use crate::store::{Pool, Store, file_of};

/// Asks broker, database and Feishu, one after the other.
pub async fn everything(config: &Config) -> Vec<Probe> {
    let mut probes: Vec<_> = broker(config).await.into_iter().collect();
    probes.push(Probe { what: "database".to_owned(), outcome: database(config).await });
    for host in hosts(config) {
        let outcome = answers(&host).await;
        probes.push(Probe { what: host, outcome });
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

/// Any answer will do: what a bot says to a card, `send-test` finds out.
async fn answers(host: &str) -> Result<String, String> {
    let client = http_client(PROBE_TIMEOUT).map_err(|error| error.to_string())?;
    match client.get(host).send().await {
        Ok(answer) => Ok(format!("answers (HTTP {})", answer.status().as_u16())),
        Err(error) => Err(format!(
            "{}; may this machine reach it, by name and by TLS? No proxy is used",
            innermost(&error.without_url())
        )),
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

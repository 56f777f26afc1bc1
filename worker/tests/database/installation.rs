//! A database belongs to one installation.

use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use prometheus::Registry;
use worker::installation::{Conflict, DatabaseOwner, Installation, adopt, claim, recorded};
use worker::store::Store;

use crate::databases::{Database, on_each_database};

fn installation(digit: &str) -> Installation {
    Installation { id: digit.repeat(64), label: format!("installation {digit}") }
}

fn store(url: String) -> Store {
    // Longer than any test takes under load: a deadline that strikes would be an outage.
    let config = DatabaseConfig {
        url: Some(Secret::new(url)),
        tls: ClientTls::default(),
        connections: 4,
        timeout: Duration::from_secs(30),
    };
    Store::open(&config, Path::new("."), &Registry::new()).unwrap()
}

on_each_database! {
    the_first_has_it_until_another_adopts_it
}

async fn the_first_has_it_until_another_adopts_it(database: Database) {
    let first = installation("a");
    let second = installation("b");
    let stores = [store(database.url()), store(database.url())];
    let claims = stores.iter().map(|store| claim(store, &first));
    assert_eq!(
        futures_util::future::try_join_all(claims).await.unwrap(),
        [DatabaseOwner::Us, DatabaseOwner::Us]
    );
    let conflict = Conflict { other: first.label.clone(), ours: second.label.clone() };
    assert_eq!(claim(&stores[1], &second).await.unwrap(), DatabaseOwner::Another(conflict.clone()));
    assert_eq!(recorded(stores[0].pool()).await.unwrap(), Some(first.clone()), "a refusal changes nothing");
    adopt(&stores[1], &second).await.unwrap();
    assert_eq!(claim(&stores[1], &second).await.unwrap(), DatabaseOwner::Us);
    let Conflict { other: ours, ours: other } = conflict;
    assert_eq!(claim(&stores[0], &first).await.unwrap(), DatabaseOwner::Another(Conflict { other, ours }));
}

//! Sessions of the console: any worker knows them, and the database knows no token.

use std::path::Path;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use console::entrance::{AttemptStore, LoginMethod, Person, SessionEnds, SessionStore, StoredSession, Tried};
use jiff::{SignedDuration, Timestamp};
use prometheus::Registry;
use runtime::clock::Clock;
use worker::ConsoleSessions;
use worker::audit::{Audit, AuditFilter};
use worker::store::Store;

use crate::databases::{Database, on_each_database};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn session(subject: &str, begun: i64) -> StoredSession {
    let person =
        Person { way: LoginMethod::Feishu, subject: subject.to_owned(), name: format!("张三 ({subject})") };
    StoredSession { person, proof: [7; 32], begun_at: at(begun), used_at: at(begun) }
}

on_each_database! {
    sessions_of_the_console_are_everybodys_and_end
    attempts_to_log_in_are_counted_once_by_whichever_worker
}

async fn attempts_to_log_in_are_counted_once_by_whichever_worker(own: Database) {
    let database = DatabaseConfig {
        url: Some(Secret::new(own.url())),
        tls: ClientTls::default(),
        connections: 2,
        timeout: Duration::from_secs(20),
    };
    let open = || {
        let store = Store::open(&database, Path::new("."), &Registry::new()).unwrap();
        ConsoleSessions::new(store, Clock::from_fn(|| at(0)))
    };
    let [one, other] = [open(), open()];
    let tried = |failures, second| Tried { failures, at: at(second), open_at: at(second + 1) };
    let key = [3; 32];
    assert_eq!(other.tried(key).await.unwrap(), None);
    assert!(one.change(key, None, tried(1, 0)).await.unwrap());
    assert!(!other.change(key, None, tried(1, 0)).await.unwrap(), "the other was first");
    assert_eq!(other.tried(key).await.unwrap(), Some(tried(1, 0)));
    assert!(other.change(key, Some(tried(1, 0)), tried(2, 5)).await.unwrap());
    assert!(!one.change(key, Some(tried(1, 0)), tried(2, 6)).await.unwrap(), "it was counted meanwhile");
    assert_eq!(one.tried(key).await.unwrap(), Some(tried(2, 5)));
    assert!(one.change([4; 32], None, tried(1, 3_600)).await.unwrap());
    assert_eq!(one.tried(key).await.unwrap(), Some(tried(2, 5)));
    assert!(one.change([5; 32], None, tried(1, 3_606)).await.unwrap());
    assert_eq!(one.tried(key).await.unwrap(), None, "forgotten after an hour");
    assert_eq!(one.tried([4; 32]).await.unwrap(), Some(tried(1, 3_600)));
}

async fn sessions_of_the_console_are_everybodys_and_end(own: Database) {
    let database = DatabaseConfig {
        url: Some(Secret::new(own.url())),
        tls: ClientTls::default(),
        connections: 2,
        timeout: Duration::from_secs(20),
    };
    let clock = Clock::from_fn(|| at(0));
    let open = || Store::open(&database, Path::new("."), &Registry::new()).unwrap();
    let stores = [open(), open()];
    let [one, other] = stores.each_ref().map(|store| ConsoleSessions::new(store.clone(), clock.clone()));
    let over = SessionEnds { used_before: at(-3_600), begun_before: at(-7_200) };
    let [mine, also_mine, theirs] = [1, 2, 3].map(|byte| [byte; 32]);
    assert_eq!(other.find(mine).await.unwrap(), None);
    for (token, subject) in [(mine, "ou_1"), (also_mine, "ou_1"), (theirs, "ou_2")] {
        one.begin(token, &session(subject, 0), over).await.unwrap();
    }
    assert_eq!(other.find(mine).await.unwrap(), Some(session("ou_1", 0)));
    other.used(mine, at(60)).await.unwrap();
    assert_eq!(one.find(mine).await.unwrap().unwrap().used_at, at(60));
    one.end(theirs).await.unwrap();
    assert_eq!(other.find(theirs).await.unwrap(), None);
    assert_eq!(other.end_all(&session("ou_1", 0).person).await.unwrap(), 2);
    assert_eq!(one.find(also_mine).await.unwrap(), None);

    one.begin([4; 32], &session("ou_3", 0), over).await.unwrap();
    let later = SessionEnds { used_before: at(1), begun_before: at(-7_200) };
    one.begin([5; 32], &session("ou_3", 10), later).await.unwrap();
    assert_eq!(one.find([4; 32]).await.unwrap(), None, "what is over goes when somebody comes");

    let until = at(0).checked_add(SignedDuration::from_mins(10)).unwrap();
    assert!(one.use_once([9; 32], at(0), until).await.unwrap());
    assert!(!other.use_once([9; 32], at(0), until).await.unwrap(), "by another worker as well");
    assert!(other.use_once([8; 32], at(0), until).await.unwrap());

    one.note("张三 (ou_1)", "log_in", "feishu").await.unwrap();
    let trail = Audit::new(stores[1].clone(), clock.clone()).entries(AuditFilter::All, 10).await.unwrap();
    assert_eq!((trail[0].who.as_str(), trail[0].action.as_str()), ("张三 (ou_1)", "log_in"));
}

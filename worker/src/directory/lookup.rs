//! People → Feishu's ids: the user table, then Feishu's contacts, remembered for a while. A card waits for a bounded
//! time; a look-up that takes longer goes on without it, and is there for the next card.

mod cache;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::OwnersConfig;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::contacts::Contacts;
use super::table::{UserRow, UserTable};
use crate::feishu::People;
use crate::people::mentions::{Identity, PersonLookup};
use crate::people::person::{OpenId, Person};
use cache::DirectoryCache;

/// Look-ups under way at once; more would only wait for each other.
const LOOK_UPS_MAX: usize = 4;
/// How long one look-up may take in all, the table and two calls to Feishu.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);

/// Where people are looked up. Clones share what is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Directory(Arc<DirectoryState>);

#[derive(Debug)]
struct DirectoryState {
    table: UserTable,
    contacts: Option<Contacts>,
    cache: Mutex<DirectoryCache>,
    look_ups: Arc<Semaphore>,
    lifecycle: Lifecycle,
    clock: Clock,
    deadline: Duration,
    remember: Duration,
    remember_unknown: Duration,
}

impl Directory {
    /// A directory of these sources.
    pub(crate) fn new(
        table: UserTable,
        contacts: Option<Contacts>,
        config: &OwnersConfig,
        clock: Clock,
        lifecycle: &Lifecycle,
    ) -> Self {
        Self(Arc::new(DirectoryState {
            table,
            contacts,
            cache: Mutex::default(),
            look_ups: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
            lifecycle: lifecycle.clone(),
            clock,
            deadline: config.deadline,
            remember: config.remember,
            remember_unknown: config.remember_unknown,
        }))
    }

    /// What is known of these people, after the deadline at the latest.
    pub(crate) async fn find(&self, people: &[Person]) -> HashMap<Person, PersonLookup> {
        let asked: Vec<Person> = {
            let cache = self.0.cache();
            let now = Instant::now();
            let is_unknown = |person: &&Person| match person {
                Person::Mobile(_) | Person::Name(_) => !cache.is_fresh(person, now),
                Person::All | Person::OpenId(_) => false,
            };
            people.iter().filter(is_unknown).cloned().collect()
        };
        if !asked.is_empty()
            && let Ok(place) = Arc::clone(&self.0.look_ups).try_acquire_owned()
        {
            let inner = Arc::clone(&self.0);
            let look_up = self.0.lifecycle.tasks.spawn(async move {
                let stop = inner.lifecycle.stop.clone();
                let bounded = timeout(LOOK_UP_TIMEOUT, inner.look_up(asked));
                let _stopped = stop.run_until_cancelled(bounded).await;
                drop(place);
            });
            // Late or not: what is known by then is what counts.
            let _in_time = timeout(self.0.deadline, look_up).await;
        }
        let cache = self.0.cache();
        people.iter().map(|person| (person.clone(), cache.get(person))).collect()
    }

    /// What the user table calls whoever has one of these ids, if it says so before the deadline.
    pub(crate) async fn name_of(&self, ids: &[&str]) -> Option<String> {
        let rows = timeout(self.0.deadline, self.0.table.with_ids(ids)).await;
        match rows.ok()? {
            Ok(rows) => rows.iter().find_map(|row| row.identity().name),
            Err(error) => {
                debug!(%error, "looking a person up");
                None
            }
        }
    }
}

impl DirectoryState {
    fn cache(&self) -> MutexGuard<'_, DirectoryCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the table, and then Feishu for whom the table has no open id.
    async fn look_up(&self, people: Vec<Person>) {
        let rows = self.table.find(&people).await;
        let is_whole = rows.is_ok();
        if let Err(error) = &rows {
            debug!(%error, "looking people up");
        }
        let rows = rows.unwrap_or_default();
        let known: Vec<(Person, Option<UserRow>)> = people
            .into_iter()
            .map(|person| {
                let row = best(&rows, &person);
                (person, row)
            })
            .collect();
        let asked = asked_of_feishu(&known);
        let (ids, all_answered) = match &self.contacts {
            Some(contacts) if !asked.mobiles.is_empty() || !asked.emails.is_empty() => {
                // What the table knows is of use already, should Feishu take long.
                self.remember(&known, &BTreeMap::new(), false);
                let found = contacts.find(&asked, self.clock.now()).await;
                if let Err(error) = &found {
                    debug!(%error, "looking people up");
                }
                (found.as_ref().cloned().unwrap_or_default(), is_whole && found.is_ok())
            }
            _ => (BTreeMap::new(), is_whole),
        };
        self.remember(&known, &ids, all_answered);
    }

    /// Nobody is taken for unknown unless everybody who might know them has answered, and what is half known is asked
    /// for again with the next card.
    fn remember(
        &self,
        known: &[(Person, Option<UserRow>)],
        ids: &BTreeMap<String, String>,
        all_answered: bool,
    ) {
        let now = Instant::now();
        let mut cache = self.cache();
        for (person, row) in known {
            let mut identity = row.as_ref().map(UserRow::identity).unwrap_or_default();
            if identity.open_id.is_none() {
                let id = keys(person, row.as_ref()).into_iter().find_map(|key| ids.get(key));
                identity.open_id = id.and_then(|id| OpenId::parse(id));
            }
            let is_final = identity.open_id.is_some() || all_answered;
            if row.is_some() || identity.open_id.is_some() {
                let until = if is_final { now + self.remember } else { now };
                cache.put(person.clone(), Some(identity), now, until);
            } else if is_final {
                cache.put(person.clone(), None, now, now + self.remember_unknown);
            }
        }
    }
}

/// Of several rows the one that is of most use for a mention, and of equal ones always the same: a table has no order.
fn best(rows: &[UserRow], person: &Person) -> Option<UserRow> {
    let theirs = rows.iter().filter(|row| row.is(person));
    let lacks = |row: &UserRow| {
        let Identity { open_id, user_id, .. } = row.identity();
        (open_id.is_none(), user_id.is_none(), row.mobile.is_none())
    };
    let order = |one: &&UserRow, other: &&UserRow| (lacks(one), &one.id).cmp(&(lacks(other), &other.id));
    theirs.min_by(order).cloned()
}

/// What Feishu may know somebody by.
fn keys<'k>(person: &'k Person, row: Option<&'k UserRow>) -> Vec<&'k str> {
    let own = match person {
        Person::Mobile(mobile) => Some(mobile.as_str()),
        Person::Name(_) => person.email(),
        Person::All | Person::OpenId(_) => None,
    };
    let of_row = row.and_then(|row| row.mobile.as_ref()).map(crate::people::person::Mobile::as_str);
    own.into_iter().chain(of_row).collect()
}

fn asked_of_feishu(known: &[(Person, Option<UserRow>)]) -> People {
    let mut people = People::default();
    let without = |row: &Option<UserRow>| row.as_ref().is_none_or(|row| row.identity().open_id.is_none());
    for (person, row) in known.iter().filter(|(_, row)| without(row)) {
        for key in keys(person, row.as_ref()) {
            let list = if key.contains('@') { &mut people.emails } else { &mut people.mobiles };
            if !list.iter().any(|known| known == key) {
                list.push(key.to_owned());
            }
        }
    }
    people
}

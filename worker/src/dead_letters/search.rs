//! Letters that are meant by a filter: in pages, in the order of their numbers, so that whoever goes through all of them sees
//! each once and holds one page. An index stands behind each filter; only labels are looked at letter by letter.

use config::BOT_MARK;
use queue::DeadLetterId;

use super::filter::{FilterPart, PageWalk};
use super::rows::{COLUMNS, DeadLetterRow};
use super::{DeadLetterState, DeadLetters, Filter, StoredDeadLetter};
use crate::store::sql::{Value, explain, places, rows};
use crate::store::{Pool, StoreError};

/// Letters read at a time.
const PAGE_LETTERS: usize = 100;
/// The same with what is in them, which is up to 1 MiB each.
const PAGE_CONTENTS: usize = 20;
/// Letters of some time that are put in order by themselves. Where there are more, a walk along all numbers meets them soon.
const ORDERED_MAX: usize = 20_000;
/// Bots of one receiver that are looked for: more than a receiver can have.
const BOTS_MAX: usize = 64;

/// Which way to go through the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they died.
    OldestFirst,
    /// As a person looks for them.
    NewestFirst,
}

/// How letters are looked for.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetterSearch {
    /// Which way.
    pub order: Order,
    /// Beyond this one; `None`: from the first.
    pub after: Option<DeadLetterId>,
    /// Letters that are wanted at most, one at least.
    pub most: usize,
    /// Letters whose labels are looked at, at most.
    pub looked_into_max: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct FoundDeadLetters {
    /// The letters.
    pub letters: Vec<StoredDeadLetter>,
    /// The last that was looked at, if there may be more beyond it.
    pub next: Option<DeadLetterId>,
    /// How many were looked into, if that was the end of it.
    pub looked_into: Option<usize>,
}

/// A page of numbers, as it is asked for.
#[derive(Clone, Copy, Debug)]
struct NumbersQuery {
    order: Order,
    after: Option<DeadLetterId>,
    most: usize,
}

impl Order {
    const fn direction(self) -> &'static str {
        match self {
            Self::OldestFirst => "ASC",
            Self::NewestFirst => "DESC",
        }
    }

    /// The condition for what is beyond a letter.
    const fn beyond(self) -> &'static str {
        match self {
            Self::OldestFirst => "id > ?",
            Self::NewestFirst => "id < ?",
        }
    }

    fn sort(self, numbers: &mut [DeadLetterId]) {
        match self {
            Self::OldestFirst => numbers.sort_unstable(),
            Self::NewestFirst => numbers.sort_unstable_by(|one, other| other.cmp(one)),
        }
    }
}

fn page_size(filter: &Filter) -> usize {
    if filter.labels.is_empty() { PAGE_LETTERS } else { PAGE_CONTENTS }
}

/// By which index the database has to look, where it would not find that out by itself.
fn index_hint(pool: &Pool, walk: &PageWalk, part: &FilterPart) -> String {
    match (pool, walk) {
        // By itself it would walk all letters where most of them are in that state, and go on so when they are not any more.
        (Pool::MySql(_), PageWalk::Number) if part.state.is_some() => "FORCE INDEX (by_number)".to_owned(),
        (Pool::MySql(_), PageWalk::Columns(names)) => format!("FORCE INDEX ({})", names.join(", ")),
        (Pool::MySql(_), PageWalk::Time) => "FORCE INDEX (by_time)".to_owned(),
        // It takes one index for as good as another, until somebody has counted.
        (Pool::Sqlite(_), PageWalk::Time) => "INDEXED BY larkfire_dead_letters_by_time".to_owned(),
        (Pool::MySql(_) | Pool::Postgres(_) | Pool::Sqlite(_) | Pool::Simulated(_), _) => String::new(),
    }
}

/// The statement for numbers in their order: a walk along an index, wherever it goes on.
fn walk_query<'f>(
    pool: &Pool,
    filter: &'f Filter,
    walk: &PageWalk,
    part: &'f FilterPart,
    page: NumbersQuery,
) -> (String, Vec<Value<'f>>) {
    let (condition, mut values) = filter.condition(part);
    let index = index_hint(pool, walk, part);
    let NumbersQuery { order, after, most } = page;
    let first = match order {
        Order::OldestFirst => i64::MIN,
        Order::NewestFirst => i64::MAX,
    };
    values.push(after.map_or(first, |letter| letter.0).into());
    let select = format!(
        "SELECT id FROM larkfire_dead_letters {index} WHERE {condition} AND {} ORDER BY id {} LIMIT {most}",
        order.beyond(),
        order.direction(),
    );
    (select, values)
}

/// The statement for numbers of some time, in no order: a few more than are put in order here, to know whether there are.
fn time_query<'f>(
    pool: &Pool,
    filter: &'f Filter,
    part: &'f FilterPart,
    page: NumbersQuery,
) -> (String, Vec<Value<'f>>) {
    let (condition, mut values) = filter.condition(part);
    let index = index_hint(pool, &PageWalk::Time, part);
    let mut beyond = String::new();
    if let Some(after) = page.after {
        beyond = format!(" AND {}", page.order.beyond());
        values.push(after.0.into());
    }
    let most = ORDERED_MAX + 1;
    let select =
        format!("SELECT id FROM larkfire_dead_letters {index} WHERE {condition}{beyond} LIMIT {most}");
    (select, values)
}

impl DeadLetters {
    /// The letters that are meant, at most `most`.
    pub async fn find(
        &self,
        filter: &Filter,
        order: Order,
        most: usize,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        let search = DeadLetterSearch { order, after: None, most, looked_into_max: usize::MAX };
        Ok(self.search(filter, search).await?.letters)
    }

    /// Some of the letters that are meant, and where to go on.
    pub async fn search(
        &self,
        filter: &Filter,
        search: DeadLetterSearch,
    ) -> Result<FoundDeadLetters, StoreError> {
        let DeadLetterSearch { order, mut after, most, looked_into_max } = search;
        let mut found = FoundDeadLetters::default();
        let mut looked_into = 0;
        let parts = self.parts(filter).await?;
        loop {
            let numbers = self.numbers(filter, &parts, order, after).await?;
            if numbers.is_empty() {
                return Ok(FoundDeadLetters { next: None, ..found });
            }
            for page in numbers.chunks(page_size(filter)) {
                for DeadLetterRow { letter, body } in self.read(filter, order, page).await? {
                    after = Some(letter.id);
                    // Only where labels are asked for was the body read.
                    let matches = body.as_ref().is_none_or(|body| filter.matches(body));
                    looked_into += usize::from(body.is_some());
                    if matches {
                        found.letters.push(letter);
                    }
                    if found.letters.len() == most || looked_into >= looked_into_max {
                        let is_cut = looked_into >= looked_into_max && found.letters.len() < most;
                        return Ok(FoundDeadLetters {
                            next: after,
                            looked_into: is_cut.then_some(looked_into),
                            ..found
                        });
                    }
                }
            }
            // Also where the last of them are gone meanwhile.
            after = numbers.last().copied();
        }
    }

    /// How many letters are meant, counted up to `most`; labels are not looked at.
    pub async fn count(&self, filter: &Filter, most: usize) -> Result<usize, StoreError> {
        let walk = filter.walk();
        let mut counted = 0;
        for part in self.parts(filter).await? {
            let (condition, mut values) = filter.condition(&part);
            let index = index_hint(self.store.pool(), &walk, &part);
            let select = format!(
                "SELECT COUNT(*) FROM (SELECT id FROM larkfire_dead_letters {index} WHERE {condition} LIMIT ?) AS meant"
            );
            values.push(i64::try_from(most.saturating_sub(counted)).unwrap_or(i64::MAX).into());
            let count: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
            counted += count.first().and_then(|(count,)| usize::try_from(*count).ok()).unwrap_or_default();
        }
        Ok(counted)
    }

    /// How the database finds the first page, for each part of what is meant.
    pub async fn plan(&self, filter: &Filter, order: Order) -> Result<Vec<String>, StoreError> {
        let pool = self.store.pool();
        let walk = filter.walk();
        let page = NumbersQuery { order, after: None, most: page_size(filter) };
        let mut plan = Vec::new();
        for part in self.parts(filter).await? {
            let (select, values) = match walk {
                PageWalk::Time => time_query(pool, filter, &part, page),
                PageWalk::Chosen | PageWalk::Number | PageWalk::Columns(_) => {
                    walk_query(pool, filter, &walk, &part, page)
                }
            };
            plan.extend(self.store.within(|| explain(pool, &select, &values)).await?);
        }
        Ok(plan)
    }

    /// What is meant, in parts of which an index has the numbers in order.
    async fn parts(&self, filter: &Filter) -> Result<Vec<FilterPart>, StoreError> {
        let mut parts = Vec::new();
        for state in filter.states_asked() {
            let named = |receiver: Option<String>| FilterPart { state, receiver };
            parts.push(named(filter.receiver.clone()));
            if let Some((receiver, state)) = filter.receiver.as_ref().zip(state) {
                let bots = self.bots_of(receiver, state).await?;
                parts.extend(bots.into_iter().map(Some).map(named));
            }
        }
        Ok(parts)
    }

    /// The bots of a receiver that letters in this state are for: one look into the index for each.
    async fn bots_of(&self, receiver: &str, state: DeadLetterState) -> Result<Vec<String>, StoreError> {
        let select = "SELECT receiver FROM larkfire_dead_letters WHERE state = ? AND receiver > ? AND receiver < ? \
             ORDER BY receiver LIMIT 1";
        // What comes after the mark: no name of a bot has it there.
        let end = format!("{receiver}{}", char::from(BOT_MARK as u8 + 1));
        let mut before = format!("{receiver}{BOT_MARK}");
        let mut bots = Vec::new();
        while bots.len() < BOTS_MAX {
            let values = [state.as_str(), before.as_str(), end.as_str()].map(Value::Text);
            let next: Vec<(String,)> = self.store.within(|| rows(self.store.pool(), select, &values)).await?;
            let Some((bot,)) = next.into_iter().next() else { break };
            before.clone_from(&bot);
            bots.push(bot);
        }
        Ok(bots)
    }

    /// Numbers of letters after `after`, in order and without a gap: those that are looked at next.
    async fn numbers(
        &self,
        filter: &Filter,
        parts: &[FilterPart],
        order: Order,
        after: Option<DeadLetterId>,
    ) -> Result<Vec<DeadLetterId>, StoreError> {
        let walk = filter.walk();
        let page = NumbersQuery { order, after, most: page_size(filter) };
        let mut numbers = Vec::new();
        let mut has_all = walk == PageWalk::Time;
        for part in parts {
            if walk == PageWalk::Time {
                let of_part = self.asked(time_query(self.store.pool(), filter, part, page)).await?;
                if of_part.len() <= ORDERED_MAX {
                    numbers.extend(of_part);
                    continue;
                }
                has_all = false;
            }
            let walk = if walk == PageWalk::Time { &PageWalk::Number } else { &walk };
            numbers.extend(self.asked(walk_query(self.store.pool(), filter, walk, part, page)).await?);
        }
        order.sort(&mut numbers);
        if !has_all {
            // Beyond one page there may be others between these.
            numbers.truncate(page.most);
        }
        Ok(numbers)
    }

    async fn asked(&self, query: (String, Vec<Value<'_>>)) -> Result<Vec<DeadLetterId>, StoreError> {
        let (select, values) = query;
        let found: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        Ok(found.into_iter().map(|(number,)| DeadLetterId(number)).collect())
    }

    /// These letters, with their bodies if those are to be looked at; those that are gone are left out.
    async fn read(
        &self,
        filter: &Filter,
        order: Order,
        numbers: &[DeadLetterId],
    ) -> Result<Vec<DeadLetterRow>, StoreError> {
        let body = if filter.labels.is_empty() { "NULL" } else { "body" };
        let select = format!(
            "SELECT {COLUMNS}, {body} AS body FROM larkfire_dead_letters WHERE id IN ({}) ORDER BY id {}",
            places(numbers.len()),
            order.direction()
        );
        let values: Vec<Value<'_>> = numbers.iter().map(|number| Value::Number(number.0)).collect();
        self.store.within(|| rows(self.store.pool(), &select, &values)).await
    }
}

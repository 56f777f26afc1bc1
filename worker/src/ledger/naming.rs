//! By which of two names an alert goes: by its fingerprint, or by the one a former version gave it. What was delivered by
//! the former name goes on by it until that firing is over, so that an upgrade neither delivers it again nor loses its
//! end, its card or who has taken it on.

use std::collections::HashMap;

use super::Ledger;
use super::batch::Key;
use super::decision::concerns;
use super::port::ROWS_MAX;
use super::row::{Event, LedgerRow};

/// An event with two names.
struct TwoNamed<'e> {
    place: usize,
    /// By its fingerprint.
    event: Event<'e>,
    /// By its former name.
    former: Event<'e>,
}

impl Ledger {
    /// Of each event with a former name whether it goes by that, and gives it to the event. Costs nothing where no event
    /// has one, and no database where the rows are remembered.
    pub async fn choose_names<'e>(&self, events: &mut [Event<'e>], formers: &[Option<&'e str>]) -> Vec<bool> {
        let mut goes_by_former = vec![false; events.len()];
        let each = events.iter().zip(formers).enumerate();
        let two_named: Vec<_> = each
            .filter_map(|(place, (event, former))| {
                let former = Event { fingerprint: (*former)?, ..*event };
                Some(TwoNamed { place, event: *event, former })
            })
            .collect();
        let unknown = two_named.into_iter().filter(|two| match self.remembered_name(two) {
            Some(is_former) => {
                goes_by_former[two.place] = is_former;
                false
            }
            None => true,
        });
        let unknown: Vec<_> = unknown.collect();
        for together in unknown.chunks(ROWS_MAX / 2) {
            // What waits for a database is some 10 KB.
            let rows = Box::pin(self.rows_by_key(together)).await;
            for two in together {
                let is_known = rows.contains_key(&Key::of(&two.event));
                let is_former = !is_known
                    && rows.get(&Key::of(&two.former)).is_some_and(|row| self.concerns(row, &two.former));
                goes_by_former[two.place] = is_former;
            }
        }
        for (event, (former, is_former)) in events.iter_mut().zip(formers.iter().zip(&goes_by_former)) {
            if let (Some(former), true) = (former, is_former) {
                event.fingerprint = former;
            }
        }
        goes_by_former
    }

    /// What the rows in memory say; `None` where they say nothing.
    fn remembered_name(&self, two: &TwoNamed<'_>) -> Option<bool> {
        let mut memory = self.memory();
        if memory.row_of(&two.event).is_some() {
            return Some(false);
        }
        let row = memory.row_of(&two.former)?;
        drop(memory);
        self.concerns(&row, &two.former).then_some(true)
    }

    fn concerns(&self, row: &LedgerRow, event: &Event<'_>) -> bool {
        concerns(row, event, self.now(), &self.policy)
    }

    /// The rows of both names; of those in memory, where the database is away.
    async fn rows_by_key<'e>(&self, together: &[TwoNamed<'e>]) -> HashMap<Key<'e>, LedgerRow> {
        let both = together.iter().flat_map(|two| [two.event, two.former]);
        let mut keys: Vec<_> = both.clone().map(|event| Key::of(&event)).collect();
        keys.sort_unstable();
        keys.dedup();
        let asked: Vec<_> = keys.iter().collect();
        let Ok(rows) = self.table.load(&asked).await else {
            let mut memory = self.memory();
            return both.filter_map(|event| Some((Key::of(&event), memory.row_of(&event)?))).collect();
        };
        let mut memory = self.memory();
        let mut found = HashMap::new();
        for (key, stored) in keys.into_iter().zip(rows) {
            if let Some(stored) = stored {
                memory.remember(&key, stored);
                found.insert(key, stored.row);
            }
        }
        found
    }
}

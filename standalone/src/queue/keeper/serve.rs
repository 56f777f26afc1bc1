//! Handing out.

use shared::queue::Delivery;

use super::Keeper;
use crate::queue::lanes::tag;
use crate::queue::store::Stored;

/// Messages in one batch; enough to make a commit of their settlements worthwhile.
const BATCH_MAX: usize = 256;

impl Keeper {
    /// Gives to those who wait what there is, as far as the window allows.
    pub(super) async fn serve(&mut self) {
        for lane in 0..self.lanes.len() {
            while let Some(demand) = self.lanes[lane].waiting.pop_front() {
                if demand.reply.is_closed() {
                    continue;
                }
                match self.batch(lane).await {
                    Ok(batch) if batch.is_empty() => {
                        self.lanes[lane].waiting.push_front(demand);
                        break;
                    }
                    Ok(batch) => {
                        // Before the batch is out: a shutdown must not believe that nothing is in hand.
                        self.all_settled.send_replace(false);
                        // If nobody takes it, the drop gives it back.
                        let _gone = demand.reply.send(batch);
                    }
                    Err(error) => {
                        self.lanes[lane].waiting.push_front(demand);
                        self.health.failed(&error);
                        break;
                    }
                }
            }
        }
    }

    async fn batch(&mut self, lane: usize) -> Result<Vec<Delivery>, sqlx::Error> {
        let which = self.lanes[lane].which;
        let limit = BATCH_MAX.min(self.in_hand_max.saturating_sub(self.lanes[lane].in_hand()));
        let mut batch = Vec::new();
        while batch.len() < limit {
            let Some((from, again)) = self.lanes[lane].next() else { break };
            let wanted = if again { 1 } else { limit - batch.len() };
            let messages = self.store.read(which, from, wanted).await?;
            if again && messages.first().is_none_or(|message| message.id != from) {
                self.lanes[lane].missing(from);
                continue;
            }
            if !again {
                self.lanes[lane].may_have_more = messages.len() == wanted;
            }
            for Stored { id, headers, body } in messages {
                self.lanes[lane].take(id);
                self.metrics.delivered(again);
                batch.push(Delivery::new(body.into(), headers, tag(which, id), self.settled.clone()));
            }
        }
        Ok(batch)
    }
}

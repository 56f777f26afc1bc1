//! One process's way to the database, and what can go wrong on it.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::BoxFuture;
use worker::store::DatabaseLink;

use crate::conditions::Condition;
use crate::world::World;

#[derive(Debug)]
pub(crate) struct Link(pub(crate) World);

/// Half of what is held up has not been done yet; of the other half only the answer is held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

impl Link {
    async fn pass(&self, direction: Direction) {
        let world = &self.0;
        world.pause(0..3).await;
        if world.holds(Condition::DatabaseSlow) && world.chance(0.5) {
            world.pause(200..4_000).await;
        }
        // What is hung up on its way there is hung up at once, and what is on its way back when that begins.
        let is_hung_up =
            world.holds(Condition::DatabaseHangs) && (direction == Direction::Answer || world.chance(0.5));
        while is_hung_up && world.holds(Condition::DatabaseHangs) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl DatabaseLink for Link {
    fn request(&self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async {
            let world = &self.0;
            if world.holds(Condition::DatabaseAway) {
                if world.chance(0.3) {
                    // Packets go nowhere: the caller's patience ends first.
                    tokio::time::sleep(Duration::from_mins(1)).await;
                }
                return Err(cut());
            }
            self.pass(Direction::Request).await;
            if world.holds(Condition::DatabaseErrors) && world.chance(0.2) {
                return Err(sqlx::Error::Protocol("record has changed since last read".to_owned()));
            }
            Ok(())
        })
    }

    fn answer(&self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async {
            let world = &self.0;
            self.pass(Direction::Answer).await;
            if world.holds(Condition::DatabaseLosesAnswers) && world.chance(0.3) {
                return Err(cut());
            }
            Ok(())
        })
    }

    fn now_ms(&self) -> i64 {
        self.0.now().as_millisecond()
    }
}

fn cut() -> sqlx::Error {
    sqlx::Error::Io(ErrorKind::ConnectionReset.into())
}

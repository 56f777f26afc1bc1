//! One process's way to the database, and what can go wrong on it.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::future::BoxFuture;
use worker::store::DatabaseLink;

use crate::conditions::Condition;
use crate::world::World;

#[derive(Debug)]
pub(crate) struct Link(pub(crate) World);

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
            if world.holds(Condition::DatabaseSlow) {
                world.pause(200..4_000).await;
            } else {
                world.pause(0..3).await;
            }
            if world.holds(Condition::DatabaseErrors) && world.chance(0.2) {
                return Err(sqlx::Error::Protocol("record has changed since last read".to_owned()));
            }
            Ok(())
        })
    }

    fn answer(&self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async {
            let world = &self.0;
            world.pause(0..3).await;
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

//! Cards in both databases, at a time of the test's choice.

mod by_bots;
mod changes;
mod harness;
mod lives;
mod unheard;

/// Each test with either database.
macro_rules! with_both {
    ($($name:ident)*) => {
        mod mariadb {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Harness::mariadb().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Harness::sqlite()).await;
            })*
        }
    };
}
use with_both;

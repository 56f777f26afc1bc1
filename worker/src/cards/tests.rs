//! Cards in both databases, at a time of the test's choice.

mod changes;
mod lives;
mod stage;

/// Each test with either database.
macro_rules! with_both {
    ($($name:ident)*) => {
        mod mariadb {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Stage::mariadb().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Stage::sqlite()).await;
            })*
        }
    };
}
use with_both;

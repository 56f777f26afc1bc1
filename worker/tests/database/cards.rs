//! Cards in each database, at a time of the test's choice.

mod by_bots;
mod changes;
mod harness;
mod lives;
mod unheard;

/// Each test with each database.
macro_rules! with_each {
    ($($name:ident)*) => {
        with_each!(@on mariadb $($name)*);
        with_each!(@on postgres $($name)*);
        with_each!(@on sqlite $($name)*);
    };
    (@on $kind:ident $($name:ident)*) => {
        mod $kind {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Harness::on(crate::databases::Database::$kind().await)).await;
            })*
        }
    };
}
use with_each;

//! All databases keep the same promises.

mod conformance;
mod harness;
mod moving;

use crate::databases::Database;
use harness::Harness;

macro_rules! on_each {
    ($($promise:ident)*) => { $(
        mod $promise {
            use super::{Database, Harness, conformance};

            #[tokio::test]
            async fn mariadb() {
                conformance::$promise(&Harness::on(Database::mariadb().await)).await;
            }

            #[tokio::test]
            async fn postgres() {
                conformance::$promise(&Harness::on(Database::postgres().await)).await;
            }

            #[tokio::test]
            async fn sqlite() {
                conformance::$promise(&Harness::on(Database::sqlite().await)).await;
            }
        }
    )* };
}

on_each! {
    a_letter_comes_back_as_it_was_kept
    a_letter_with_a_nul_in_its_texts_is_kept
    a_letter_beyond_256_kib_is_whole_and_one_beyond_what_is_kept_is_not
    a_redelivery_makes_no_second_letter
    a_later_death_of_the_same_envelope_moves_its_letter_on
    a_letter_that_dies_again_after_a_replay_is_the_same_letter
    a_replay_of_a_letter_that_is_gone_is_a_new_letter
    filters_narrow_what_is_meant
    a_receivers_letters_are_those_of_its_bots_too
    pages_follow_one_another_without_gaps
    what_a_replay_came_to_is_written_once
    outcomes_in_the_words_of_older_workers_are_understood
    what_is_discarded_stays_discarded
    what_is_settled_is_forgotten_after_a_while_and_what_waits_is_not
    one_pass_forgets_all_that_is_due_however_much_it_is
    a_page_is_a_walk_along_an_index_whatever_is_asked_for
    an_index_finds_the_few_that_a_filter_means
    an_index_finds_what_somebody_did
    letters_of_some_time_come_in_the_order_of_their_numbers
    the_audit_trail_says_who_did_what
}

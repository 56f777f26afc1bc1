//! What the ledger promises, held against MariaDB and against a `SQLite` file by the same tests.

#![expect(clippy::expect_used, reason = "code of tests: what goes wrong ends the test")]

mod acknowledged;
mod claims;
mod contention;
mod harness;
mod older;
mod outage;
mod rows;
mod states;
mod upgrade;

/// Each of these is a test of either database.
macro_rules! on_both_databases {
    ($($room:ident { $($name:ident)+ })+) => {
        on_both_databases!(@on mysql $($room { $($name)+ })+);
        on_both_databases!(@on sqlite $($room { $($name)+ })+);
    };
    (@on $database:ident $($room:ident { $($name:ident)+ })+) => {
        mod $database {
            $(mod $room {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    crate::ledger::$room::$name(&crate::ledger::harness::Harness::$database().await).await;
                })+
            })+
        }
    };
}

on_both_databases! {
    states {
        a_state_is_delivered_once_whoever_sends_it
        a_firing_alert_is_delivered_again_after_repeat_after
        repeats_are_answered_without_the_database
        alerts_in_one_batch_are_decided_one_after_the_other
        one_envelope_in_one_batch_twice_is_delivered_once
        forced_events_are_delivered_whatever_is_known
        what_is_superseded_by_more_than_the_jitter_is_counted
        a_firing_soon_after_its_end_is_delivered_by_whoever_gets_it_later
    }
    acknowledged {
        what_somebody_has_taken_on_gets_no_reminders_until_it_is_over
        what_nobody_looks_after_any_more_is_delivered_again
    }
    claims {
        a_claim_ends_by_itself_unless_it_is_renewed
        a_released_claim_is_taken_up_by_whoever_comes_next
        an_envelope_delivered_again_gets_its_claims_back
        an_envelope_in_two_hands_is_delivered_from_the_later_one
        a_claim_that_was_overtaken_does_not_stand
        what_was_delivered_by_another_worker_does_not_stand
    }
    contention {
        eight_workers_claim_each_alert_once
        ten_workers_start_on_an_empty_database_together
        a_batch_larger_than_a_statement_is_decided_whole
    }
    older {
        what_an_older_worker_writes_is_read_and_its_rows_are_written
    }
    upgrade {
        of_100_000_firing_alerts_none_is_delivered_again
        its_end_is_delivered_once_and_the_next_firing_goes_by_the_new_name
        what_shared_a_name_is_told_apart_from_its_next_firing_on
        messages_without_times_keep_their_former_name_for_the_window_only
    }
    rows {
        names_that_differ_in_case_or_length_are_different_alerts
        what_nobody_has_touched_is_forgotten_and_the_rest_is_not
        an_operator_finds_an_alert_and_an_envelope
    }
}

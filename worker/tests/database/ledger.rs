//! What the ledger promises, held against each database by the same tests.

#![expect(clippy::expect_used, reason = "code of tests: what goes wrong ends the test")]

mod acknowledged;
mod claims;
mod contention;
pub(crate) mod harness;
mod older;
mod outage;
mod rows;
mod states;
mod upgrade;

/// Each of these is a test of every database; those after `servers` of every one that is a server.
macro_rules! on_each {
    ($($room:ident { $($name:ident)+ })+ ; servers: $($of_servers:ident { $($of_server:ident)+ })+) => {
        on_each!(@on mariadb $($room { $($name)+ })+);
        on_each!(@on postgres $($room { $($name)+ })+);
        on_each!(@on sqlite $($room { $($name)+ })+);
        mod servers {
            on_each!(@on mariadb $($of_servers { $($of_server)+ })+);
            on_each!(@on postgres $($of_servers { $($of_server)+ })+);
        }
    };
    (@on $database:ident $($room:ident { $($name:ident)+ })+) => {
        mod $database {
            $(mod $room {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    let database = crate::databases::Database::$database().await;
                    crate::ledger::$room::$name(&crate::ledger::harness::Harness::on(database)).await;
                })+
            })+
        }
    };
}

on_each! {
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
        a_repeat_of_what_somebody_has_taken_on_is_one_write
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
    ; servers:
    older {
        a_schema_that_was_brought_up_to_date_by_half_is_finished
    }
    outage {
        a_ledger_without_its_database_tells_once_by_its_cache
        what_was_delivered_during_an_outage_is_recorded_after_it
        a_stalled_database_costs_one_deadline_and_no_alert
        an_envelope_taken_in_hand_without_the_database_is_not_left_to_a_dead_worker
        what_was_delivered_during_an_outage_is_recorded_before_the_process_ends
        a_process_ends_without_a_database_that_stays_away_and_says_what_was_not_recorded
        of_two_envelopes_that_claim_the_same_by_different_books_one_is_delivered
    }
}

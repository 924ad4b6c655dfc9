//! Each promise, of each store.

use std::path::Path;

use super::*;
use crate::store::Access;

/// Makes a test of each promise, with a new store from `open`.
macro_rules! conformance {
    ($module:ident, $open:expr, [$($promise:ident),+ $(,)?]) => {
        mod $module {
            #[allow(unused_imports, reason = "the way to open names its own")]
            use super::*;

            $(
                #[test]
                fn $promise() {
                    let dir = tempfile::tempdir().unwrap();
                    if let Some(store) = $open(dir.path()) {
                        super::$promise(store);
                    }
                }
            )+
        }
    };
}

/// Names each promise to a store, for each database.
macro_rules! on {
    ($database:ident, $open:expr) => {
        conformance!(
            $database,
            $open,
            [
                a_new_job_has_its_units_pending_in_order,
                waiting_units_are_read_from_behind_the_cursor,
                a_job_is_invisible_until_its_last_unit,
                a_unit_key_names_one_unit,
                counters_change_with_the_rows,
                every_attempt_counts_however_it_ends_and_what_was_said_is_added,
                a_completed_unit_of_unknown_cost_is_named_where_there_is_a_budget,
                what_an_attempt_has_cost_counts_though_a_client_has_changed_its_unit,
                a_day_of_a_budget_begins_once,
                units_are_listed_by_what_they_cost,
                a_unit_in_another_state_is_left_alone,
                a_unit_with_another_count_of_attempts_is_left_alone,
                an_ended_job_stays_as_it_ended,
                fault_73_a_manager_whose_epoch_is_over_writes_nothing,
                a_claim_begins_behind_what_no_manager_has_to_look_at_again,
                whoever_takes_over_writes_in_the_place_of_those_that_are_gone,
                a_fence_tells_what_others_have_written_and_nothing_else,
                units_that_came_back_are_due_in_order_of_their_time,
                the_final_state_follows_from_the_units,
                a_request_reaches_the_manager_and_is_never_weakened,
                retried_units_reopen_the_job_with_all_their_attempts,
                units_wait_no_longer_than_they_may_or_somebody_wants,
                a_job_whose_failures_are_skipped_is_completed,
                a_decision_is_one_row_and_the_first_one_holds,
                a_unit_that_is_done_again_is_replaced_and_the_next_knows_why,
                cancelling_an_idle_job_ends_all_that_had_not_ended,
                an_attempt_that_did_not_complete_is_kept,
                a_deleted_job_leaves_nothing,
                fault_130_a_sweep_deletes_no_unit_of_a_job_whose_creation_has_ended,
                fault_130_nothing_is_added_to_a_job_that_is_being_deleted,
                fault_131_nothing_is_recorded_of_a_unit_that_was_skipped_and_renewed_since_it_was_read,
                fault_132_a_cancel_that_comes_while_the_job_is_paused_is_not_forgotten,
                fault_132_why_a_job_was_paused_is_forgotten_when_a_client_gives_it_another_state,
                fault_296_a_request_that_came_since_the_job_was_read_is_not_withdrawn,
                fault_352_a_text_with_nul_is_written_wherever_a_handler_or_a_client_may_say_one,
                fault_352_a_text_with_nul_is_looked_for_and_found_nowhere,
                pages_of_units_follow_each_other,
                units_are_listed_in_other_orders_page_by_page,
                units_before_another_are_counted,
                jobs_add_up_by_state,
                units_that_are_looked_at_are_spread_over_all_and_as_many_as_may_be,
            ]
        );
    };
}

on!(sqlite, |dir: &Path| Some(Store::open(&dir.join("jobs.db"), Access::Create).unwrap()));
#[cfg(feature = "postgres")]
on!(postgres, on_server);

/// Returns a database of its own on a server; none where no server is installed.
#[cfg(feature = "postgres")]
fn on_server(dir: &Path) -> Option<Store> {
    let Some(server) = crate::postgres_server::Server::shared() else {
        crate::without::without_tool("postgres");
        return None;
    };
    let opened = crate::store::postgres::open_in(server.database().as_ref(), Access::Create, dir).unwrap();
    Some(Store::on_server(opened, Access::Create).unwrap())
}

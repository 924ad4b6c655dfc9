//! Verbs on a server, in `make test`: tests of other files, run again with their jobs there. `make test-postgres` runs all of them so.

use std::process::Command;

use crate::support::{STORE, Server, World, on_server, text, wait_for, without_tool};

/// Runs tests of this program again with their worlds on a server; each of them must run, and pass.
fn again(tests: &[&str]) {
    if on_server() {
        return;
    }
    if Server::shared().is_none() {
        return without_tool("postgres");
    }
    let dir = tempfile::tempdir().unwrap();
    let (skipped, ran) = (dir.path().join("skipped"), dir.path().join("ran"));

    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--exact").args(tests).args(["--test-threads", "3"]).env(STORE, "postgres");
    // Under nextest all of them would have the name of this one.
    command.env_remove("NEXTEST_TEST_NAME").env("JM_TEST_SKIPPED", &skipped).env("JM_TEST_ON_SERVER", &ran);
    let output = command.output().unwrap();

    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("test result: ok. {} passed; 0 failed", tests.len())), "{said}");
    assert_eq!(std::fs::read_to_string(&skipped).unwrap_or_default(), "");
    let ran = std::fs::read_to_string(&ran).unwrap();
    let missing: Vec<_> = tests.iter().filter(|test| !ran.lines().any(|line| line == **test)).collect();
    assert!(missing.is_empty(), "not on the server: {missing:?}");
}

#[test]
fn fault_380_workers_without_units_get_some_while_long_units_of_the_same_range_run() {
    let Some(world) = World::on_server() else { return };
    let script = "test {} -gt 1 || exit 0; touch run-{}; until test -e go; do sleep 0.05; done";

    world.ok(&["submit", "-q", "-j", "4", "--range", "1-8", "--shell", "--", script]);

    wait_for(&world, "four long units to run", || {
        std::fs::read_dir(world.path("."))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("run-"))
            .count()
            == 4
    });
    world.write("go", "");
    world.ok(&["wait", "1"]);
}

#[test]
fn attempts_are_judged_on_a_server_as_in_a_file() {
    again(&[
        "judged::a_check_decides_whether_a_unit_that_ended_well_is_right",
        "judged::a_model_that_obeys_only_when_it_is_told_its_last_error_completes_at_its_second_attempt",
        "judged::fault_400_a_unit_that_hangs_in_silence_with_its_output_open_is_ended_and_says_what_it_said_last",
        "judged::fault_401_a_unit_whose_manager_dies_in_its_check_runs_again_and_is_told_what_was_wrong_before_that",
        "judged::whatever_a_unit_says_from_inside_is_a_sign_of_life",
        "out::fault_402_what_an_attempt_left_under_its_own_name_is_removed_when_its_manager_has_died",
    ]);
}

#[test]
fn units_are_tried_later_and_jobs_adapt_on_a_server_as_in_a_file() {
    again(&[
        "later::a_hold_of_the_job_holds_every_unit_and_a_shorter_one_does_not_shorten_it",
        "later::a_job_that_adapts_runs_fewer_units_after_one_was_busy_and_a_resume_begins_there",
        "later::a_unit_that_has_waited_as_long_as_it_may_has_failed_and_waits_anew_after_a_retry",
        "later::a_unit_that_is_to_be_tried_later_uses_up_no_attempt_and_keeps_checkpoint_and_token",
        "later::fault_440_the_word_of_a_unit_outlives_its_manager_and_costs_neither_attempt_nor_crash",
        "later::units_that_wait_are_explained_by_the_reason_of_the_first",
    ]);
}

#[test]
fn jobs_are_created_run_and_read_on_a_server_as_in_a_file() {
    again(&[
        "cli::a_batch_runs_from_source_to_results",
        "cli::a_failed_unit_fails_the_job_and_can_be_retried",
        "cli::a_missing_database_is_not_created_by_looking",
        "cli::dry_run_prints_commands_that_a_shell_would_read_back",
        "cli::jobs_are_found_by_their_labels",
        "cli::results_can_be_read_as_csv",
        "cli::the_same_key_is_the_same_job",
        "cli::unknown_jobs_and_wrong_states_have_their_exit_codes",
        "output::the_output_of_a_retried_unit_is_that_of_its_latest_attempt",
    ]);
}

#[test]
fn jobs_are_steered_and_explained_on_a_server_as_in_a_file() {
    again(&[
        "approvals::the_first_units_run_alone_and_the_others_wait_for_an_approval",
        "cli::a_cancelled_job_ends_its_units_and_exits_with_11",
        "control::a_running_unit_can_be_cancelled",
        "control::one_running_unit_is_killed_and_the_others_go_on",
        "explain::a_job_that_runs_is_explained_by_what_its_units_and_its_manager_do",
        "explain::waits_are_explained_by_what_is_waited_for",
        "policies::a_job_pauses_at_the_failures_it_may_have_and_says_why",
        "recovery::resume_runs_only_unfinished_units",
    ]);
}

#[test]
fn jobs_are_changed_and_deleted_on_a_server_as_in_a_file() {
    again(&[
        "failures::commands_are_told_apart_by_their_last_words_and_retried_by_kind",
        "skip::a_failed_job_is_completed_when_its_failures_are_skipped_and_takes_them_back",
        "sync::a_pending_unit_that_changed_is_replaced",
        "sync::without_keys_a_unit_is_known_by_its_content_and_what_is_gone_is_skipped",
        "cli::rm_deletes_a_job_with_its_files_and_never_reuses_its_number",
        "lists::combinations_can_be_added_to_a_job_of_them_and_to_no_other",
        "prune::only_finished_jobs_go_and_only_when_it_was_confirmed",
        "reading::pages_of_a_search_lead_to_every_unit_that_matches",
    ]);
}

#[test]
fn what_units_cost_is_counted_on_a_server_as_in_a_file() {
    again(&[
        "meters::a_number_in_the_json_that_an_attempt_prints_counts_however_the_attempt_ends",
        "meters::fault_421_a_job_pauses_before_its_budget_is_exceeded_and_a_resume_without_a_higher_one_is_refused",
        "meters::fault_422_a_unit_that_completes_without_a_number_pauses_a_job_with_a_budget_and_is_named",
        "meters::fault_423_what_a_command_has_said_that_it_spends_outlives_the_kill_of_its_manager",
        "meters::fault_424_an_attempt_that_was_killed_before_it_could_say_its_cost_counts_as_what_is_reserved_for_it",
    ]);
}

#[test]
fn units_have_groups_on_a_server_as_in_a_file() {
    again(&[
        "groups::a_large_group_starves_no_small_one",
        "groups::fault_460_no_group_has_one_too_many_while_managers_are_killed",
        "groups::fault_461_a_group_with_too_many_failures_is_held_and_the_others_go_on",
        "groups::a_unit_holds_its_group_and_no_other",
        "groups::a_group_is_a_filter_and_is_shown",
        "groups::bounds_of_groups_change_while_the_job_runs",
    ]);
}

#[test]
fn a_rehearsal_is_refused_where_a_creation_would_be() {
    let Some(server) = Server::shared() else { return without_tool("postgres") };
    let world = World::new();
    let guest = format!("guest_{}", std::process::id());
    server.execute(&format!("CREATE ROLE {guest} LOGIN"));
    let url = server.empty_database().replace("user=postgres", &format!("user={guest}"));

    let refused = [&["create", "--", "true"][..], &["create", "--dry-run", "--", "true"]]
        .map(|args| world.fails(5, &[&["--db", &url], args].concat()));

    assert!(refused[0].contains("may not create tables"), "{refused:?}");
    assert_eq!(refused[0], refused[1]);
}

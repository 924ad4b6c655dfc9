//! Variables of Job Manager whose values are not understood.

use crate::support::{World, exists, text};

/// Each variable with values that mean nothing, and one that does.
const VARIABLES: [(&str, &[&str], &str); 4] = [
    ("JOB_MANAGER_LOG", &["loud", "warn,info", "7"], "debug"),
    ("JOB_MANAGER_LOG_FORMAT", &["xml", "JSON"], "json"),
    ("JOB_MANAGER_LOG_BYTES", &["0", "-1", "8M"], "100000"),
    ("JOB_MANAGER_ANY_OWNER", &["maybe", "2"], "yes"),
];

#[test]
fn fault_341_a_variable_that_managers_would_not_understand_is_refused_before_anything_is_created_or_started() {
    for (variable, wrong, right) in VARIABLES {
        let world = World::new();
        for value in wrong {
            let with_value = |args: &[&str]| world.job_manager(args).env(variable, value).output().unwrap();
            let refuses = |args: &[&str]| {
                let ran = with_value(args);
                let said = text(&ran.stderr);
                assert_eq!(ran.status.code(), Some(2), "{variable}={value} {args:?}: {said}");
                assert!(said.contains(variable) && said.contains(&format!("{value:?}")), "{args:?}: {said}");
            };

            refuses(&["submit", "--", "true"]);
            refuses(&["run", "--", "true"]);
            assert!(!exists(&world.db()) || world.count("count(*) FROM jobs") == 1);
            world.ok(&["create", "-q", "--key", "k", "--", "true"]);
            for verb in [
                &["start", "1"][..],
                &["resume", "1"],
                &["resume", "--all"],
                &["recover", "--created"],
                &["approve", "1"],
            ] {
                refuses(verb);
            }
            assert_eq!(world.status("1")["job_status"], "created");
            assert!(with_value(&["list"]).status.success(), "{variable}={value}: a reader starts no manager");
        }
        for value in ["", right] {
            let ran = world.job_manager(&["run", "-q", "--", "true"]).env(variable, value).output().unwrap();
            assert!(ran.status.success(), "{variable}={value}: {}", text(&ran.stderr));
        }
    }
}

#[test]
fn fault_341_an_option_stands_above_a_variable_that_is_not_understood() {
    let world = World::new();
    let mut run = world.job_manager(&["run", "-q", "--log-format", "json", "--", "true"]);

    let ran = run.env("JOB_MANAGER_LOG_FORMAT", "xml").output().unwrap();

    assert!(ran.status.success(), "{}", text(&ran.stderr));
}

#[test]
fn fault_341_a_unit_whose_own_variables_are_not_understood_is_outside_of_any() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    for (variable, value) in [("JOB_MANAGER_JOB", "one"), ("JOB_MANAGER_UNIT", ""), ("JOB_MANAGER_ATTEMPT", "-1")] {
        let mut inside = world.job_manager(&["unit-progress", "1", "2"]);
        inside.env("JOB_MANAGER_JOB", "1").env("JOB_MANAGER_UNIT", "1").env("JOB_MANAGER_ATTEMPT", "1");

        let ran = inside.env(variable, value).output().unwrap();

        assert_eq!(ran.status.code(), Some(2), "{variable}: {}", text(&ran.stderr));
    }
}

//! What a unit's command can say of itself.

use crate::support::{World, text, wait_for};

#[test]
fn a_command_says_how_far_it_is_keeps_a_checkpoint_and_sets_its_result() {
    let world = World::new();
    let script = r#"
        if ! kept=$("$BIN" unit-checkpoint get 2>/dev/null); then
            "$BIN" unit-progress 1 2 'asked once'
            "$BIN" unit-checkpoint put 'page 7'
            exit 1
        fi
        "$BIN" unit-result "{\"kept\": \"$kept\"}"
        "$BIN" unit-progress 2 2
    "#;

    world.write("unit.sh", script);

    world.ok(&["run", "-q", "--backoff", "10ms", "--", "sh", "unit.sh"]);

    let results = world.ok(&["results"]);
    assert!(results.contains(r#"{"kept":"page 7"}"#) || results.contains(r#"{"kept": "page 7"}"#), "{results}");
    let unit: serde_json::Value = serde_json::from_str(&world.ok(&["--json", "unit", "1:1"])).unwrap();
    assert!(unit.to_string().contains("\"done\":2"), "{unit}");
    world.assert_sound("1");
}

#[test]
fn a_command_adds_units_to_its_own_job() {
    let world = World::new();
    world.write("unit.sh", r#"echo $1 >>done; test $1 -ge 3 || "$BIN" unit-add --unit-key '{}' $(($1 + 1))"#);

    world.ok(&["run", "-q", "--unit-key", "{}", "--", "sh", "unit.sh", "{}", ":::", "1"]);

    assert_eq!(world.lines("done"), ["1", "2", "3"]);
    world.assert_sound("1");
}

#[test]
fn a_command_that_adds_a_key_twice_is_refused_and_one_that_is_there_is_counted() {
    let world = World::new();
    let script = "until test -e go; do sleep 0.05; done";
    world.ok(&["submit", "-q", "--unit-key", "{}", "--", "sh", "-c", script, "sh", "{}", ":::", "1"]);
    wait_for(&world, "the unit to run", || world.status("1")["progress"]["running"] == 1);
    let unit_add = |items: &[&str]| {
        let mut command = world.job_manager(&[&["unit-add", "--unit-key", "{}"], items].concat());
        command.envs([("JOB_MANAGER_JOB", "1"), ("JOB_MANAGER_UNIT", "1"), ("JOB_MANAGER_ATTEMPT", "1")]);
        command.output().unwrap()
    };

    let twice = unit_add(&["2", "3", "2"]);
    let added = unit_add(&["1", "2"]);

    assert_eq!(twice.status.code(), Some(2), "{}", text(&twice.stderr));
    assert!(text(&twice.stderr).contains("have the same key \"2\""), "{}", text(&twice.stderr));
    assert_eq!(text(&added.stdout).trim(), "1 unit added, 1 already there");
    assert_eq!(world.units("1").len(), 2);
    world.write("go", "");
    world.ok(&["wait", "1"]);

    let late = unit_add(&["7"]);

    assert_eq!(late.status.code(), Some(4), "{}", text(&late.stderr));
    assert!(text(&late.stderr).contains("attempt 1 of unit 1:1 is not under way"), "{}", text(&late.stderr));
    assert_eq!((world.units("1").len(), &world.status("1")["job_status"]), (2, &"completed".into()));
}

#[test]
fn a_dash_is_no_item_and_no_value_of_a_unit() {
    let world = World::new();

    let refused = world.fails(2, &["unit-add", "a", "-"]);
    assert!(refused.contains("add JOB -"), "{refused}");
    let refused = world.fails(2, &["unit-result", "-"]);
    assert!(refused.contains("does not read standard input"), "{refused}");
}

#[test]
fn outside_of_a_unit_its_words_are_refused() {
    let world = World::new();

    for words in [
        &["unit-progress", "1", "2"][..],
        &["unit-checkpoint", "get"],
        &["unit-checkpoint", "put", "1"],
        &["unit-result", "1"],
        &["unit-spend", "usd=1"],
        &["unit-later", "1m"],
        &["unit-flag", "odd"],
        &["unit-add", "x"],
    ] {
        let refused = world.run(words);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    }
    assert!(!world.db().exists());
}

#[test]
fn an_attempt_that_is_over_has_no_say() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true"]);

    let mut late = world.job_manager(&["unit-progress", "1", "2"]);
    late.env("JOB_MANAGER_JOB", "1").env("JOB_MANAGER_UNIT", "1").env("JOB_MANAGER_ATTEMPT", "1");
    let refused = late.output().unwrap();

    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
}

#[test]
fn what_an_attempt_said_that_failed_is_not_the_result_of_the_next() {
    let world = World::new();
    world.write("unit.sh", r#"test $JOB_MANAGER_ATTEMPT = 2 || { "$BIN" unit-result 17; exit 1; }"#);

    world.ok(&["run", "-q", "--backoff", "10ms", "--", "sh", "unit.sh"]);

    assert!(!world.ok(&["results"]).contains("17"), "{}", world.ok(&["results"]));
}

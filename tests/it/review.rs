//! Units that completed and are doubtful: somebody flags them, a person decides, and nothing undecided is handed on where that is wanted.

use serde_json::Value;

use crate::support::{World, text, wait_for};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Numbers of the units in the lines of `results`.
fn results(world: &World, options: &[&str]) -> Vec<i64> {
    let lines = world.ok(&[&["results", "1"][..], options].concat());
    lines.lines().map(|line| json(line)["seq"].as_i64().unwrap()).collect()
}

#[test]
fn a_unit_is_flagged_by_its_command_and_completes_nevertheless() {
    let world = World::new();
    let script = r#"test {} = 2 || exit 0; "$BIN" unit-flag 'two dates' && "$BIN" unit-flag 'no name'"#;
    world.ok(&["run", "-q", "--range", "1-3", "--shell", "--", script]);

    assert_eq!(world.ok(&["units", "1", "--flagged", "-q"]), "2");
    let listed = json(&world.ok(&["review", "1", "--json"]));
    assert_eq!((&listed["units"][0]["seq"], &listed["units"][0]["flag"]), (&2.into(), &"two dates; no name".into()));
    assert_eq!(results(&world, &[]), [1, 2, 3]);
    world.assert_sound("1");
}

#[test]
fn a_flag_of_an_attempt_that_did_not_complete_says_nothing() {
    let world = World::new();
    let script = r#"echo x >>tried; if test $(wc -l <tried) = 1; then "$BIN" unit-flag doubtful; exit 1; fi"#;
    world.ok(&["run", "-q", "--range", "1-1", "--backoff", "1ms..2ms", "--shell", "--", script]);
    // An attempt that was postponed does not count, so that the next one has its number.
    let again =
        r#"echo x >>late; if test $(wc -l <late) = 1; then "$BIN" unit-flag doubtful; exec "$BIN" unit-later 1ms; fi"#;
    world.ok(&["run", "-q", "--range", "1-1", "--shell", "--", again]);

    assert_eq!(
        (world.ok(&["units", "1", "--flagged", "-q"]), world.ok(&["units", "2", "--flagged", "-q"])),
        (String::new(), String::new())
    );
    assert_eq!(world.lines("late").len(), 2);
}

#[test]
fn results_are_flagged_where_a_comparison_holds_and_one_that_cannot_be_made_is_refused() {
    let world = World::new();
    let run = ["run", "-q", "--result", "json", "--flag-if", ".confidence < 0.8", "--shell", "--"];
    world.ok(&[&run[..], &[r#"c={}; echo "{{\"confidence\": $c}}""#, ":::", "0.9", "0.5", "\"high\""]].concat());

    assert_eq!(world.ok(&["units", "1", "--flagged", "-q"]), "2\n3");
    let flags = json(&world.ok(&["review", "1", "--json"]));
    assert_eq!(flags["units"][0]["flag"], ".confidence < 0.8: it is 0.5");
    let refused = world.fails(2, &["create", "--flag-if", ".a < 1", "--range", "1-2", "--", "true"]);
    assert!(refused.contains("--result json"), "{refused}");
    let word =
        world.fails(2, &["create", "--flag-if", ".a < 1 or .b", "--result", "json", "--range", "1-2", "--", "true"]);
    assert!(word.contains("one path, one of"), "{word}");
    assert_eq!(world.ok(&["list", "-a", "-q"]), "1");
}

#[test]
fn held_results_reach_nobody_before_they_are_accepted() {
    let world = World::new();
    let script = r#"n={}; test $((n % 2)) = 1 || "$BIN" unit-flag even; echo $n"#;
    let then = r#""$BIN" results 1 >seen"#;
    let options = ["--range", "1-200", "-j", "4", "--hold-flagged", "--then", then, "--max-attempts", "1"];
    world.fails(12, &[&["run", "-q"][..], &options, &["--shell", "--", script]].concat());

    let status = world.status("1");
    assert_eq!(status["job_status"], "paused", "{status}");
    assert!(world.ok(&["explain", "1"]).contains("job-manager review 1"), "{}", world.ok(&["explain", "1"]));
    assert_eq!(results(&world, &[]), (1..=200).step_by(2).collect::<Vec<_>>());
    assert_eq!(results(&world, &["--all"]).len(), 200);
    let refused = world.fails(4, &["resume", "1"]);
    assert!(refused.contains("a review of 100 flagged units") && refused.contains("job-manager review 1"), "{refused}");
    assert!(!world.path("seen").exists());

    world.ok(&["review", "1", "--accept", "--match", "^1", "--note", "looked"]);
    assert!(!world.path("seen").exists());
    world.ok(&["review", "1", "--accept"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("seen").iter().filter(|line| line.contains("\"status\":\"completed\"")).count(), 200);
    assert_eq!(results(&world, &[]).len(), 201);
    world.assert_sound("1");
}

#[test]
fn a_unit_that_is_done_again_knows_why_and_replaces_the_one_before() {
    let world = World::new();
    let script = r#"if test -z "$JOB_MANAGER_LAST_ERROR"; then echo "wrong {}" >{out}; "$BIN" unit-flag vague; else echo "$JOB_MANAGER_LAST_ERROR" >{out}; fi"#;
    let options = ["--range", "1-3", "--creates", "made.{}", "--then", "cat made.* >all"];
    world.ok(&[&["run", "-q"][..], &options, &["--shell", "--", script]].concat());
    assert_eq!(world.lines("all"), ["wrong 1", "wrong 2", "wrong 3"]);

    let redone = json(&world.ok(&["review", "1", "--redo", "--seq", "2", "--note", "say it exactly", "--json"]));
    assert_eq!((&redone["redone"], &redone["added"]), (&serde_json::json!([2]), &serde_json::json!([5])));
    world.ok(&["wait", "1"]);

    assert_eq!(world.lines("made.2"), ["say it exactly"]);
    // The last unit runs after it, once more.
    assert_eq!(world.lines("all"), ["wrong 1", "say it exactly", "wrong 3"]);
    let shown = results(&world, &[]);
    assert!(shown.contains(&5) && !shown.contains(&2), "{shown:?}");
    // Whoever is second is told.
    let late = world.fails(4, &["review", "1", "--redo", "--seq", "2"]);
    assert!(late.contains("unit 2 of job 1 was redone by") && late.contains("already"), "{late}");
    assert!(world.fails(3, &["review", "1", "--accept", "--seq", "99"]).contains("job 1 has no unit 99"));
    assert!(world.fails(2, &["review", "1", "--accept", "--seq", "4"]).contains("the last unit"));
    let shown = world.ok(&["unit", "1:2"]);
    assert!(shown.contains("vague (redone by ") && shown.contains(": say it exactly)"), "{shown}");
    assert_eq!(json(&world.ok(&["unit", "1:2", "--json"]))["flag"]["decision"], "redone");
    world.assert_sound("1");
}

#[test]
fn a_job_that_somebody_has_paused_stays_so_whatever_is_decided_about_its_units() {
    let world = World::new();
    let script = r#""$BIN" unit-flag odd; n={}; test $n = 1 || until test -e go; do sleep 0.02; done"#;
    world.ok(&["submit", "-q", "--range", "1-99", "-j", "1", "--shell", "--", script]);
    wait_for(&world, "the first unit", || world.ok(&["units", "1", "--flagged", "-q"]) == "1");
    world.ok(&["stop", "1"]);
    // No further unit starts from then on.
    let log = world.status("1")["log"].as_str().unwrap().to_owned();
    let log = || std::fs::read_to_string(&log).unwrap_or_default();
    wait_for(&world, "the manager to see it", || log().contains("stopping"));
    std::fs::write(world.path("go"), "").unwrap();
    world.wait_for_status("1", "paused");
    let pending = || world.status("1")["progress"]["pending"].as_i64().unwrap();
    let before = pending();

    world.ok(&["review", "1", "--redo", "--seq", "1"]);
    world.ok(&["review", "1", "--accept"]);

    assert_eq!((world.status("1")["job_status"].as_str(), pending()), (Some("paused"), before + 1));
}

#[test]
fn a_person_decides_about_one_unit_after_the_other_in_a_terminal() {
    let world = World::new();
    let script = r#""$BIN" unit-flag look; echo {}"#;
    world.ok(&["run", "-q", "--range", "1-4", "--hold-flagged", "--shell", "--", script]);

    let answers = "for word in a s r 'more detail' q; do echo \"$word\"; done";
    let shown = world.sh(&format!("{answers} | script -qec '\"$BIN\" review 1' /dev/null"));

    let text = text(&shown.stdout);
    assert!(
        text.contains("1 unit accepted, 1 unit to be done again, 2 undecided") || text.contains("2 of 4"),
        "{text}"
    );
    wait_for(&world, "the unit that does it again", || {
        world.ok(&["units", "1", "--status", "completed", "-q"]).lines().count() == 5
    });
    assert_eq!(json(&world.ok(&["review", "1", "--json"]))["units"].as_array().unwrap().len(), 3);
}

#[test]
fn fault_451_a_manager_that_dies_while_its_units_are_flagged_holds_all_of_them() {
    let world = World::new();
    let script = r#"echo {} >>begun; "$BIN" unit-flag doubtful; until test -e go; do sleep 0.02; done"#;
    let options = ["--range", "1-6", "-j", "3", "--hold-flagged", "--then", "echo >ended"];
    world.ok(&[&["submit", "-q"][..], &options, &["--shell", "--", script]].concat());
    wait_for(&world, "three units", || world.path("begun").exists() && world.lines("begun").len() == 3);

    world.kill_manager("1");
    assert_eq!(world.ok(&["units", "1", "--flagged", "-q"]), "");
    world.ok(&["resume", "1"]);
    std::fs::write(world.path("go"), "").unwrap();
    world.fails(12, &["wait", "1"]);

    assert_eq!((results(&world, &[]).len(), world.path("ended").exists()), (0, false));
    world.ok(&["review", "1", "--accept"]);
    world.ok(&["wait", "1"]);
    assert!(world.path("ended").exists());
    world.assert_sound("1");
}

//! Attempts that are to be made again later, at no cost.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{World, text, wait_for};

fn unit(world: &World, unit: &str) -> Value {
    serde_json::from_str(&world.ok(&["--json", "unit", unit])).unwrap()
}

fn causes(world: &World, unit_json: &Value) -> Vec<String> {
    let rows = unit_json["attempts_not_completed"].as_array().unwrap_or_else(|| panic!("{}", world.report()));
    rows.iter().map(|row| row["cause"].as_str().unwrap().to_owned()).collect()
}

/// Keeps a number and asks for another attempt until it is 3.
const POLLS: &str = r#"
    echo "$JOB_MANAGER_TOKEN" >>tokens
    kept=$("$BIN" unit-checkpoint get 2>/dev/null || echo 0)
    test "$kept" -lt 3 || exit 0
    "$BIN" unit-checkpoint put $((kept + 1)) && "$BIN" unit-later 50ms --reason 'not yet' && exit 1
"#;

#[test]
fn a_unit_that_is_to_be_tried_later_uses_up_no_attempt_and_keeps_checkpoint_and_token() {
    let world = World::new();
    world.write("unit.sh", POLLS);

    world.ok(&["run", "-q", "--max-attempts", "1", "--", "sh", "unit.sh"]);

    let seen = unit(&world, "1:1");
    assert_eq!((&seen["unit"]["attempts"], &seen["postponed"]["times"]), (&1.into(), &3.into()), "{seen}");
    assert_eq!(causes(&world, &seen), ["postponed"; 3]);
    assert_eq!(seen["attempts_not_completed"][0]["error"], "not yet");
    let tokens = world.lines("tokens");
    assert_eq!(tokens, vec![seen["token"].as_str().unwrap(); 4]);
    assert!(world.ok(&["unit", "1:1"]).contains("postponed 3 times, waited 0."), "{}", world.ok(&["unit", "1:1"]));
    // The words are gone with their attempts.
    let later = world.db().with_extension("db.d").join("1/later");
    assert!(!later.exists(), "{}", later.display());
    world.assert_sound("1");
}

#[test]
fn the_worker_of_a_unit_that_waits_is_free() {
    let world = World::new();
    let script = r#"echo {} >>ran; if test {} = 1 && mkdir said 2>/dev/null; then exec "$BIN" unit-later 1s; fi"#;

    world.ok(&["run", "-q", "-j", "1", "--shell", "--", script, ":::", "1", "2"]);

    // With its word alone the first attempt ends as postponed, whatever it exits with.
    assert_eq!(world.lines("ran"), ["1", "2", "1"]);
}

#[test]
fn exit_codes_have_a_unit_tried_later_without_an_attempt() {
    let world = World::new();
    let script = "echo {} >>tried; test $(grep -c {} tried) -gt 3 || exit {}";

    let options = ["--max-attempts", "1", "--backoff", "10ms", "--exit", "75=later:20ms,76=busy"];
    world.ok(&[&["run", "-q"], &options[..], &["--shell", "--", script, ":::", "75", "76"]].concat());

    assert_eq!(world.lines("tried").len(), 8);
    for of in ["1:1", "1:2"] {
        let seen = unit(&world, of);
        assert_eq!((&seen["unit"]["attempts"], &seen["postponed"]["times"]), (&1.into(), &3.into()), "{seen}");
    }
}

#[test]
fn a_unit_that_has_waited_as_long_as_it_may_has_failed_and_waits_anew_after_a_retry() {
    let world = World::new();
    let script = r#"echo x >>tried; exec "$BIN" unit-later 200ms --reason 'not done'"#;

    world.fails(10, &["run", "-q", "--max-later", "500ms", "--shell", "--", script]);
    let first = world.lines("tried").len();
    let failed = unit(&world, "1:1");
    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["resume", "1"]);
    world.fails(10, &["wait", "1"]);

    assert_eq!(failed["unit"]["error"], "has waited 0.5s: not done");
    assert_eq!(failed["unit"]["attempts"], 1);
    // At 0, 0.2 and 0.4 s or later, and once more when its time is over.
    assert!((2..=4).contains(&first), "{first}");
    assert!(world.lines("tried").len() >= first + 2, "it has waited already: {:?}", world.lines("tried"));
    world.assert_sound("1");
}

#[test]
fn a_hold_of_the_job_holds_every_unit_and_a_shorter_one_does_not_shorten_it() {
    let world = World::new();
    let script = r#"
        date +%s%3N >>ran.{}
        case $(wc -l <ran.{}) in 1) ;; *) exit;; esac
        case {} in
            1) "$BIN" unit-later 9s --hold job --reason 'session limit' && touch held;;
            2) until test -e held; do sleep 0.02; done; sleep 0.3; "$BIN" unit-later 1ms --hold job --reason short; touch both;;
        esac"#;

    world.ok(&["submit", "-q", "-j", "2", "--range", "1-9", "--shell", "--", script]);
    wait_for(&world, "both to have said so", || world.path("both").exists());
    wait_for(&world, "both to have ended", || world.status("1")["progress"]["pending"] == 9);
    let status = world.status("1");
    let explained: Value = serde_json::from_str(&world.ok(&["--json", "explain", "1"])).unwrap();
    let of_unit: Value = serde_json::from_str(&world.ok(&["--json", "explain", "1:5"])).unwrap();
    world.ok(&["wait", "1"]);

    let waits = status["waiting_for"].as_str().unwrap();
    assert!(waits.starts_with("9 units wait until ") && waits.ends_with(": session limit"), "{waits}");
    assert_eq!((&explained["cause"], &of_unit["cause"]), (&"held".into(), &"held".into()));
    let at = |file: &str, line: usize| world.lines(file)[line].parse::<i64>().unwrap();
    let earliest = (3..=9).map(|number| at(&format!("ran.{number}"), 0)).min().unwrap();
    assert!(earliest - at("ran.1", 0) >= 9000, "{} ms after the hold began", earliest - at("ran.1", 0));
    world.assert_sound("1");
}

#[test]
fn units_that_wait_are_explained_by_the_reason_of_the_first() {
    let world = World::new();
    world.ok(&[
        "submit",
        "-q",
        "-j",
        "3",
        "--range",
        "1-3",
        "--shell",
        "--",
        r#""$BIN" unit-later 1h --reason polled"#,
    ]);

    wait_for(&world, "all units to wait", || world.status("1")["waiting_for"].to_string().contains("3 units wait"));
    let explained: Value = serde_json::from_str(&world.ok(&["--json", "explain", "1"])).unwrap();

    assert_eq!(explained["cause"], "postponed", "{explained}");
    let waits = world.status("1")["waiting_for"].as_str().unwrap().to_owned();
    assert!(waits.starts_with("3 units wait, the first until ") && waits.ends_with(": polled"), "{waits}");
    let of_unit = world.ok(&["explain", "1:2"]);
    assert!(of_unit.contains("unit 1:2 waits until") && of_unit.contains("polled"), "{of_unit}");
    world.ok(&["cancel", "1", "-y"]);
}

#[test]
fn what_cannot_hold_is_refused_before_anything_is_created() {
    let world = World::new();
    for (options, why) in [
        (&["--exit", "75=later:31d"][..], "the most is 30d00h"),
        (&["--exit", "75=later"], "invalid meaning of an exit code"),
        (&["--at-most-once", "--exit", "76=busy"], "may run at most once is never tried again"),
        (&["--at-most-once", "--max-later", "1h"], "may run at most once is never tried again"),
        (&["--at-most-once", "--exit", "4=pause:1h"], "may run at most once is never tried again"),
        (&["--at-most-once", "--exit", "4=retry"], "may run at most once is never tried again"),
        (&["--retry-on", "0-10"], "no unit would ever complete"),
        (&["--exit", "0=fail"], "no unit would ever complete"),
        (&["-j", "4", "--adapt", "5"], "at least 5 units are to run at a time, and at most 4"),
        (&["--adapt", "0"], "it must be at least 1"),
    ] {
        let said = world.fails(2, &[&["create"], options, &["--", "true"]].concat());
        assert!(said.contains(why), "{options:?}: {said}");
    }
    assert!(!world.db().exists());

    world.ok(&["create", "-q", "-j", "4", "--", "true"]);
    for (change, why) in [("adapt=5", "at most 4"), ("adapt=0", "at least 1"), ("max-later=x", "invalid duration")] {
        let said = world.fails(2, &["set", "1", change]);
        assert!(said.contains(why), "{change}: {said}");
    }
    world.ok(&["set", "1", "adapt=2", "max-later=48h"]);
    let limits: Value = serde_json::from_str(&world.ok(&["--json", "set", "1", "rate=1/s"])).unwrap();
    assert_eq!((&limits["limits"]["adapt"], &limits["limits"]["max_later_ms"]), (&2.into(), &172_800_000.into()));
    world.ok(&["set", "1", "adapt=none", "max-later=none"]);
}

#[test]
fn what_would_have_a_unit_run_again_at_once_and_for_ever_is_refused() {
    let world = World::new();
    for (options, words) in [
        (&["--exit", "75=later:0"][..], "exit code 75 would have a unit tried again at once"),
        (&["--exit", "79=pause:0s"], "exit code 79"),
        (&["--exit", "76=busy", "--backoff", "0"], "the backoff, which is zero"),
        (&["--exit", "0=later:1m"], "exit code 0 says that a command is done"),
        (&["--exit", "0=busy"], "exit code 0"),
        (&["--max-later", "0"], "wait for no time at all"),
    ] {
        let said = world.fails(2, &[&["run", "-q"][..], options, &["--", "true"]].concat());
        assert!(said.contains(words), "{options:?}: {said}");
    }
    assert!(!world.db().exists());

    // From inside there is a shortest time.
    let script = r#"echo x >>tried; test $(wc -l <tried) -ge 4 || exec "$BIN" unit-later 0"#;
    let began = Instant::now();
    world.ok(&["run", "-q", "--shell", "--", script]);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_hold_is_lifted_and_units_that_wait_are_tried_at_once_when_somebody_says_so() {
    let world = World::new();
    let script = r#"echo {} >>tried; test -e go || exec "$BIN" unit-later 5h --hold job --reason 'session limit'"#;
    world.ok(&["submit", "-q", "-j", "1", "--shell", "--", script, ":::", "1", "2", "3"]);
    wait_for(&world, "the hold", || world.status("1")["waiting_for"].to_string().contains("session limit"));
    world.write("go", "");
    let held = world.ok(&["explain", "1"]);

    world.ok(&["set", "1", "hold=none"]);
    wait_for(&world, "the others", || world.lines("tried") == ["1", "2", "3"]);
    wait_for(&world, "their ends", || world.status("1")["progress"]["completed"] == 2);
    let (job, waiting) = (world.ok(&["explain", "1"]), world.ok(&["explain", "1:1"]));
    world.fails(3, &["retry", "1"]);
    let retried = world.ok(&["retry", "--no-start", "1", "--status", "pending"]);
    world.ok(&["wait", "1"]);

    assert!(held.contains("job-manager set 1 hold=none"), "{held}");
    assert!(job.contains("1 unit of job 1 waits,") && job.contains("retry 1 --status pending"), "{job}");
    assert!(waiting.contains("job-manager retry 1 --seq 1 --status pending"), "{waiting}");
    assert!(retried.contains("1 unit"), "{retried}");
    assert_eq!(unit(&world, "1:1")["unit"]["attempts"], 1);
    world.assert_sound("1");
}

#[test]
fn fault_450_a_shorter_longest_wait_holds_for_units_that_wait_already() {
    let world = World::new();
    let script = r#"echo x >>tried; exec "$BIN" unit-later 5h --reason 'not done'"#;
    world.ok(&["submit", "-q", "--shell", "--", script]);
    wait_for(&world, "the wait", || world.status("1")["waiting_for"].to_string().contains("not done"));

    world.ok(&["set", "1", "max-later=300ms"]);
    world.fails(10, &["wait", "1"]);

    assert_eq!(
        (world.lines("tried").len(), &unit(&world, "1:1")["unit"]["error"]),
        (2, &"has waited 0.3s: not done".into())
    );
    world.assert_sound("1");
}

#[test]
fn a_word_that_cannot_hold_is_refused_to_the_command() {
    let world = World::new();
    let script = r#"
        for words in '1h --hold group' '31d' '--until +31d' '' '1h --until +1h'; do
            "$BIN" unit-later $words 2>>said; echo $? >>codes
        done"#;

    world.ok(&["run", "-q", "--shell", "--", script]);
    let once = r#""$BIN" unit-later 1h 2>>said; echo $? >>codes"#;
    world.ok(&["run", "-q", "--at-most-once", "--shell", "--", once]);
    let outside = world.fails(2, &["unit-later", "1h"]);
    let mut cookieless = world.job_manager(&["unit-later", "1h"]);
    cookieless.envs([("JOB_MANAGER_JOB", "1"), ("JOB_MANAGER_UNIT", "1"), ("JOB_MANAGER_ATTEMPT", "1")]);
    let cookieless = cookieless.output().unwrap();

    let said = world.lines("said").join("\n");
    assert_eq!(world.lines("codes"), ["2", "2", "2", "2", "2", "4"], "{said}");
    for why in ["job 1 has no groups", "the most is 30d00h", "may run at most once"] {
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(outside.contains("not the command of a unit"), "{outside}");
    assert_eq!(cookieless.status.code(), Some(2));
    assert!(text(&cookieless.stderr).contains("JOB_MANAGER_COOKIE"), "{}", text(&cookieless.stderr));
}

#[test]
fn fault_440_the_word_of_a_unit_outlives_its_manager_and_costs_neither_attempt_nor_crash() {
    let world = World::new();
    let script = r#"echo x >>tried; "$BIN" unit-later 1h --reason 'not yet' && touch said; sleep 100"#;
    world.ok(&["submit", "-q", "--max-attempts", "1", "--shell", "--", script]);
    wait_for(&world, "its word", || world.path("said").exists());

    world.kill_manager("1");
    world.ok(&["resume", "1"]);
    wait_for(&world, "the recovery", || world.status("1")["progress"]["pending"] == 1);

    let seen = unit(&world, "1:1");
    assert_eq!(causes(&world, &seen), ["postponed"], "{seen}");
    assert_eq!((&seen["unit"]["attempts"], &seen["unit"]["crashes"]), (&0.into(), &0.into()));
    let explained = world.ok(&["explain", "1"]);
    assert!(explained.contains("not yet"), "{explained}");
    assert_eq!(world.lines("tried").len(), 1);
    world.ok(&["cancel", "1", "-y"]);
    world.assert_no_process_left();
}

#[cfg(feature = "crash-points")]
#[test]
fn fault_441_a_manager_that_dies_anywhere_at_the_end_of_a_postponed_attempt_loses_no_word() {
    for point in ["unit-ended", "unit-posted", "before-commit", "inside-commit"] {
        let world = World::new();
        let script = r#"echo x >>tried; exec "$BIN" unit-later 1h --reason 'not yet'"#;
        let mut submit = world.job_manager(&["submit", "-q", "--max-attempts", "1", "--shell", "--", script]);
        // The first commit is that of its start.
        let crash = if point.ends_with("commit") { format!("{point}:kill@2") } else { format!("{point}:kill") };
        assert!(submit.env("JOB_MANAGER_CRASH", crash).status().unwrap().success());
        wait_for(&world, "the manager to die", || world.status("1")["status"] == "stopped");

        world.ok(&["resume", "1"]);
        wait_for(&world, "the unit to wait", || {
            let progress = &world.status("1")["progress"];
            progress["pending"] == 1 && world.count("(SELECT count(*) FROM attempts)") > 0
        });

        let seen = unit(&world, "1:1");
        assert_eq!(causes(&world, &seen), ["postponed"], "{point}: {seen}");
        assert_eq!((&seen["unit"]["attempts"], &seen["unit"]["crashes"]), (&0.into(), &0.into()), "{point}");
        assert_eq!(world.lines("tried").len(), 1, "{point}");
        world.ok(&["cancel", "1", "-y"]);
    }
}

#[test]
fn a_job_that_adapts_runs_fewer_units_after_one_was_busy_and_a_resume_begins_there() {
    let world = World::new();
    // One is busy; the others last, so that nobody ends well.
    let script = r#"test {} = 16 && mkdir busy 2>/dev/null && exit 76; until test -e go; do sleep 0.1; done"#;
    let options = ["-j", "16", "--adapt", "3", "--exit", "76=busy", "--backoff", "1h", "--range", "1-40"];
    world.ok(&[&["submit", "-q"], &options[..], &["--shell", "--", script]].concat());

    wait_for(&world, "the word of one", || world.status("1")["adapted"]["workers"] == 8);
    let said = world.ok(&["status", "1"]);
    let explained: Value = serde_json::from_str(&world.ok(&["--json", "explain", "1"])).unwrap();
    world.kill_manager("1");
    world.ok(&["resume", "1"]);
    wait_for(&world, "units to run again", || world.status("1")["progress"]["running"] == 8);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        let status = world.status("1");
        assert_eq!((&status["progress"]["running"], &status["adapted"]["workers"]), (&8.into(), &8.into()), "{status}");
    }
    world.ok(&["set", "1", "adapt=none"]);
    wait_for(&world, "all workers to have one", || world.status("1")["progress"]["running"] == 16);
    world.write("go", "");

    assert!(said.contains("8 of 16 workers (adapted, last busy "), "{said}");
    assert_eq!(explained["cause"], "adapted", "{explained}");
    assert_eq!(world.status("1").get("adapted"), None);
    world.ok(&["cancel", "1", "-y"]);
}

#[test]
fn fault_527_a_unit_waits_no_longer_than_it_may_because_its_job_pauses() {
    let world = World::new();

    let run = ["run", "-q", "--max-later", "1s", "--exit", "4=pause:300ms", "--", "sh", "-c", "exit 4"];
    assert_eq!(world.run(&run).status.code(), Some(10));

    let failed = world.ok(&["unit", "1:1"]);
    assert!(failed.contains("has waited 1") && failed.contains("exited with code 4"), "{failed}");
}

#[test]
fn a_unit_that_would_be_tried_again_at_once_and_for_ever_is_told_so() {
    let world = World::new();
    let script = r#""$BIN" unit-later 0 2>said; echo $? >code"#;

    world.ok(&["run", "-q", "--shell", "--", script]);

    assert_eq!(world.lines("code"), ["2"]);
    assert!(world.lines("said").join(" ").contains("at once and for ever"), "{:?}", world.lines("said"));
}

#[test]
fn what_a_check_says_by_its_exit_code_is_said_of_the_check() {
    let world = World::new();

    world.run(&["run", "-q", "--exit", "3=skip", "--check", "exit 3", "--", "true"]);

    let unit = world.ok(&["unit", "1:1"]);
    assert!(unit.contains("the check exited with code 3"), "{unit}");
}

//! `--creates`: no two units make one path, and what an attempt left without success does not pass for finished.

use std::fs;

use crate::support::{World, text, wait_for};

fn errors(world: &World, job: &str) -> Vec<String> {
    world.units(job).iter().map(|unit| unit["error"].as_str().unwrap_or_default().to_owned()).collect()
}

fn counts(world: &World, job: &str) -> (u64, u64, u64) {
    let progress = &world.status(job)["progress"];
    let of = |state: &str| progress[state].as_u64().unwrap();
    (of("completed"), of("skipped"), of("failed"))
}

/// Runs a job of one unit, `a`, that makes `a.out` with a script, and returns its number.
fn run_making(world: &World, flags: &[&str], script: &str) -> String {
    let creates = ["submit", "-q", "--max-attempts", "1", "--creates", "{}.out"];
    let job = world.ok(&[&creates, flags, &["--shell", "--", script, ":::", "a"]].concat());
    world.run(&["wait", &job]);
    job
}

#[test]
fn units_that_would_make_the_same_path_are_refused_before_anything_is_created() {
    let world = World::new();
    let same = ["--creates", "out/{/}", "--", "cp", "{}", "out/{/}", ":::", "x/a", "y/b", "y/./a"];
    let many: String = (1..=12_000).map(|number| format!("{number}\n")).chain(["7\n".to_owned()]).collect();
    let many = world.write("many", &many).display().to_string();

    let refused = world.fails(2, &[&["submit"], &same[..]].concat());
    let late = world.fails(2, &["create", "--creates", "{}.out", "--lines", &many, "--", "touch", "{}.out"]);

    assert!(refused.contains("units 1 and 3 would make the same path") && refused.contains("out/a"), "{refused}");
    assert!(late.contains("units 7 and 12001 would make"), "{late}");
    assert_eq!(world.count("(SELECT count(*) FROM units)"), 0);
}

#[test]
fn units_that_are_added_make_no_path_that_another_one_makes() {
    let world = World::new();
    let job = world.ok(&["create", "--unit-key", "{}", "--creates", "out/{/}", "--", "true", ":::", "x/a", "x/b"]);

    let added = world.fails(2, &["add", &job, "--", ":::", "x/c", "y/b"]);
    let again = world.ok(&["add", &job, "--unit-key", "{}", "--", ":::", "x/a", "x/d"]);
    let from_inside = world
        .job_manager(&["unit-add", "y/a"])
        .envs([("JOB_MANAGER_JOB", job.as_str()), ("JOB_MANAGER_UNIT", "1"), ("JOB_MANAGER_ATTEMPT", "1")])
        .output()
        .unwrap();
    let synced = world.fails(2, &["sync", &job, "--unit-key", "{}", "--", ":::", "x/a", "z/a"]);
    let renamed = world.run(&["sync", &job, "--unit-key", "{}", "--", ":::", "w/a", "x/b", "x/d"]);

    assert!(added.contains("units 2 and 4 would make the same path"), "{added}");
    assert!(again.contains('1'), "{again}");
    assert!(text(&from_inside.stderr).contains("would make the same path"), "{}", text(&from_inside.stderr));
    assert!(synced.contains("would make the same path"), "{synced}");
    assert!(renamed.status.success(), "{}", text(&renamed.stderr));
}

#[test]
fn names_that_repeat_in_a_word_of_names_only_are_warned_of() {
    let world = World::new();

    let warned = world.run(&["create", "--", "cp", "{}", "small/{/}", ":::", "x/a", "y/a", "z/b", "w/a"]);
    let quiet = world.run(&["create", "--", "cp", "{}", "small/{/}", ":::", "x/a", "y/b"]);

    let warned = text(&warned.stderr);
    assert!(warned.contains("2 items with the same name") && warned.contains("small/{/}"), "{warned}");
    assert!(!text(&quiet.stderr).contains("same name"), "{}", text(&quiet.stderr));
}

#[test]
fn what_an_attempt_without_success_left_is_removed_and_the_next_job_makes_it() {
    let world = World::new();

    let failed = run_making(&world, &[], "echo half >{}.out; exit 1");
    assert!(!world.path("a.out").exists());
    let late = run_making(&world, &["--timeout", "300ms"], "echo half >{}.out; sleep 600");
    assert!(!world.path("a.out").exists());
    let no_result = run_making(&world, &["--result", "json"], "echo half >{}.out; echo no json");
    assert!(!world.path("a.out").exists());
    let made = run_making(&world, &[], "echo whole >{}.out");
    let done = run_making(&world, &[], "echo again >{}.out");

    for job in [failed, late, no_result] {
        assert!(errors(&world, &job)[0].contains("a.out, which was unfinished"), "{:?}", errors(&world, &job));
    }
    assert_eq!(counts(&world, &made), (1, 0, 0));
    assert_eq!(counts(&world, &done), (0, 1, 0));
    assert_eq!(world.lines("a.out"), ["whole"]);
}

#[test]
fn what_a_stopped_or_cancelled_unit_left_is_removed() {
    let world = World::new();
    let script = "echo half >{}.out; until test -e go; do sleep 0.02; done";
    let submit = || {
        let job = world.ok(&["submit", "-q", "--creates", "{}.out", "--shell", "--", script, ":::", "a"]);
        wait_for(&world, "the unit to make a half", || world.lines("a.out") == ["half"]);
        job
    };

    let stopped = submit();
    world.ok(&["stop", &stopped, "--now", "--wait"]);
    assert!(!world.path("a.out").exists());
    world.ok(&["cancel", "-y", &stopped]);
    let cancelled = submit();
    world.ok(&["cancel", "-y", &cancelled]);
    world.run(&["wait", &cancelled]);

    assert!(!world.path("a.out").exists());
}

#[test]
fn what_a_unit_left_at_the_death_of_its_manager_is_removed_before_it_runs_again_or_is_given_up() {
    let world = World::new();
    let script = "test ! -e {}.out || echo found >>found; echo half >{}.out; until test -e go; do sleep 0.02; done";
    let submit = || {
        let job = world.ok(&["submit", "-q", "--creates", "{}.out", "--shell", "--", script, ":::", "a"]);
        wait_for(&world, "the unit to make a half", || world.lines("a.out") == ["half"]);
        world.kill_manager(&job);
        assert!(world.path("a.out").exists());
        job
    };

    let given_up = submit();
    world.ok(&["cancel", "-y", &given_up]);
    assert!(!world.path("a.out").exists());
    let resumed = submit();
    world.ok(&["resume", &resumed]);
    world.write("go", "");
    world.ok(&["wait", &resumed]);

    assert!(!world.path("found").exists());
    assert_eq!(world.lines("a.out"), ["half"]);
    assert_eq!(counts(&world, &resumed), (1, 0, 0));
    world.assert_sound(&resumed);
}

#[test]
fn a_directory_that_an_attempt_left_is_renamed_and_never_deleted() {
    let world = World::new();

    let first = run_making(&world, &[], "mkdir {}.out; touch {}.out/part; exit 1");
    run_making(&world, &[], "mkdir {}.out; touch {}.out/part; exit 1");

    assert!(!world.path("a.out").exists());
    assert!(world.path(&format!(".a.out.partial-{first}-1/part")).exists());
    let kept = fs::read_dir(world.path("")).unwrap().flatten();
    let kept = kept.filter(|entry| entry.file_name().to_string_lossy().starts_with(".a.out.partial-"));
    assert_eq!(kept.count(), 2);
}

#[test]
fn what_is_not_certainly_the_attempts_own_stays_untouched() {
    let world = World::new();
    for (what, script) in [
        ("a link", "ln -s target {}.out; exit 1"),
        ("a pipe", "mkfifo {}.out; exit 1"),
        ("a file with two names", "echo x >two; ln two {}.out; exit 1"),
    ] {
        let job = run_making(&world, &[], script);

        assert!(fs::symlink_metadata(world.path("a.out")).is_ok(), "{what}");
        assert_eq!(counts(&world, &job).2, 1);
        fs::remove_file(world.path("a.out")).unwrap();
        let _ = fs::remove_file(world.path("two"));
    }

    let was_there = run_making(&world, &[], "test ! -e never; exit 1");
    world.write("a.out", "of somebody else");
    world.ok(&["retry", "--no-start", &was_there, "--failed"]);
    world.run(&["wait", &was_there]);
    assert_eq!(world.lines("a.out"), ["of somebody else"]);
    fs::remove_file(world.path("a.out")).unwrap();

    world.ok(&["create", "--creates", "{}.out", "--", "touch", "a.out", ":::", "a"]);
    run_making(&world, &[], "echo of another unit >{}.out; exit 1");
    assert_eq!(world.lines("a.out"), ["of another unit"]);
}

#[test]
fn a_kept_partial_is_continued_by_the_next_job_and_not_taken_for_done() {
    let world = World::new();
    let keep = &["--keep-partial"];

    run_making(&world, keep, "echo one >>{}.out; exit 1");
    let mark = fs::read_to_string(world.path(".a.out.partial")).unwrap();
    run_making(&world, &[], "echo two >>{}.out; exit 1");
    let done = run_making(&world, keep, "echo three >>{}.out");
    let skipped = run_making(&world, &[], "echo four >>{}.out");

    assert!(mark.starts_with("unfinished: unit 1 of job 1"), "{mark}");
    assert_eq!(world.lines("a.out"), ["one", "two", "three"]);
    assert_eq!(counts(&world, &done), (1, 0, 0));
    assert_eq!(counts(&world, &skipped), (0, 1, 0));
    assert!(!world.path(".a.out.partial").exists());
}

#[test]
fn a_slot_cannot_be_part_of_what_is_needed_before_the_unit_runs() {
    let world = World::new();

    for option in ["--timeout", "--slots", "--order", "--creates", "--cwd", "--unit-key"] {
        let said = world.fails(2, &["run", option, "{%}", "--", "echo", "{}", ":::", "1"]);
        assert!(said.contains("{%}") && said.contains("known only when the unit runs"), "{option}: {said}");
    }
    assert!(!world.db().exists());
    world.ok(&["run", "-q", "-j", "1", "--env", "S={%}", "--", "test", "{%}", "=", "1"]);
}

#[test]
fn fault_302_what_an_attempt_left_is_not_forgotten_because_its_note_cannot_be_read() {
    let world = World::new();
    let note = world.path("jobs.db.d/1/making/0");
    let script = "echo half >{}.out; test -e again && exit 0; chmod 666 jobs.db.d/1/making/0; exit 1";

    let job = run_making(&world, &["-j", "1"], script);
    let said = errors(&world, &job);
    let kept = (note.exists(), world.path("a.out").exists());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&note, mode).unwrap();
    world.write("again", "");
    world.ok(&["retry", "--no-start", &job, "--all"]);
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);

    assert!(said[0].contains("could not clear what it left"), "{said:?}");
    assert_eq!(kept, (true, true));
    let log = world.ok(&["logs", "--manager", &job]);
    assert!(log.contains("a.out, which was unfinished"), "{log}");
    assert!(!note.exists());
}

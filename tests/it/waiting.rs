//! Units wait for the machine and for their time, take several workers, have a timeout of their own and an order.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{World, text, wait_for};

/// Waits until a job waits for that, as every face says it, and returns the words.
fn waits_for(world: &World, job: &str, cause: &str) -> String {
    let explained = || -> Value { serde_json::from_str(&world.ok(&["explain", job, "--json"])).unwrap() };
    wait_for(world, cause, || explained()["cause"] == cause);
    let status = world.status(job);
    assert_eq!(status["eta_seconds"], Value::Null, "{status}");
    assert_eq!(status["progress"]["running"], 0, "{status}");
    let unit: Value = serde_json::from_str(&world.ok(&["explain", &format!("{job}:1"), "--json"])).unwrap();
    assert_eq!(unit["cause"], cause);
    let words = status["waiting_for"].as_str().unwrap().to_owned();
    // Figures are others at the next look.
    let what = words.split(": ").next().unwrap();
    assert!(world.ok(&["status", job]).contains(&format!("waits     {what}")), "{words}");
    assert!(world.ok(&["list", "--json"]).contains(&format!("\"waiting_for\":\"{what}")), "{words}");
    words
}

/// The wall clock in UTC `hours` from now, as `22:00`.
fn clock(hours: u64) -> String {
    let minutes = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60 + hours * 60;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

#[test]
fn units_wait_for_memory_until_the_limit_is_lowered() {
    let world = World::new();
    let job = world.ok(&["submit", "--memfree", "100T", "--", "true", ":::", "a", "b", "c"]);

    let words = waits_for(&world, &job, "waiting_for_memory");
    assert!(words.starts_with("memory: ") && words.ends_with(" of 100 TiB available"), "{words}");
    assert_eq!(world.ok(&["set", &job, "memfree=1K"]), "1 limit changed");

    world.ok(&["wait", &job]);
    assert_eq!(world.status(&job)["progress"]["completed"], 3);
    world.assert_sound(&job);
}

#[test]
fn units_wait_for_space_on_a_disk_named_from_the_directory_of_the_units() {
    let world = World::new();
    world.write("file", "");
    let dir = world.path("");
    let job = world.ok(&["submit", "--diskfree", "file=1K", "--diskfree", ".=9000T", "--", "true"]);

    let words = waits_for(&world, &job, "waiting_for_disk");
    assert!(words.contains(dir.to_str().unwrap().trim_end_matches('/')), "{words}");
    let refused = world.fails(2, &["set", &job, "diskfree=gone=1K"]);
    assert!(refused.contains("cannot look at the file system of"), "{refused}");
    world.ok(&["set", &job, "diskfree=file=1K"]);

    world.ok(&["wait", &job]);
}

#[test]
fn units_wait_for_a_share_of_the_processors() {
    let world = World::new();
    let mut busy = world.command("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
    let job = world.ok(&["submit", "--load", "1%", "--", "true"]);

    let words = waits_for(&world, &job, "waiting_for_load");
    busy.kill().unwrap();
    busy.wait().unwrap();
    world.ok(&["set", &job, "load=100000%"]);

    assert!(words.contains("(1% of "), "{words}");
    world.ok(&["wait", &job]);
}

#[test]
fn units_wait_for_their_window_on_the_clock_of_the_submitter() {
    let world = World::new();
    let (from, to) = (clock(2), clock(3));
    let window = format!("{from}-{to}");
    let submit = ["submit", "-q", "--window", &window, "--", "true", ":::", "a", "b"];
    let submitted = world.job_manager(&submit).env("TZ", "UTC").output().unwrap();
    assert!(submitted.status.success(), "{}", text(&submitted.stderr));

    let words = waits_for(&world, "1", "waiting_for_window");
    assert!(words.starts_with(&format!("the window {window} (UTC), which opens at ")), "{words}");
    // The zone stays that of the submitter.
    let shut = world.job_manager(&["set", "1", &format!("window={from}-{to}")]).env("TZ", "UTC-2").output().unwrap();
    assert!(shut.status.success(), "{}", text(&shut.stderr));
    assert_eq!(waits_for(&world, "1", "waiting_for_window"), words);
    world.ok(&["set", "1", &format!("window={window}"), &format!("window={}-{}", clock(23), clock(1))]);

    world.ok(&["wait", "1"]);
}

#[test]
fn units_wait_for_the_time_before_which_none_starts() {
    let world = World::new();
    let job = world.ok(&["submit", "--not-before", "+2h", "--", "true"]);

    let words = waits_for(&world, &job, "waiting_for_time");
    assert!(words.ends_with(" (not-before)"), "{words}");
    world.ok(&["set", &job, "not-before=2001-01-01"]);

    world.ok(&["wait", &job]);
}

#[test]
fn a_job_that_waits_for_the_machine_is_stopped_resumed_and_cancelled_as_any_other() {
    let world = World::new();
    let job = world.ok(&["submit", "--memfree", "100T", "--", "true", ":::", "a", "b"]);
    waits_for(&world, &job, "waiting_for_memory");

    world.ok(&["stop", &job, "--wait"]);
    assert_eq!(world.status(&job)["job_status"], "paused");
    world.ok(&["resume", &job]);
    waits_for(&world, &job, "waiting_for_memory");
    world.ok(&["cancel", "-y", &job]);

    world.wait_for_status(&job, "cancelled");
}

#[test]
fn what_nobody_could_wait_for_is_refused_with_an_example() {
    let world = World::new();
    for (flag, value, example) in [
        ("--memfree", "2", "2G"),
        ("--load", "0.8", "80%"),
        ("--diskfree", "10G", "/data=10G"),
        ("--window", "22-6", "22:00-06:00"),
        ("--not-before", "soon", "22:00"),
        ("--slots", "0", "4"),
        ("--order", "size", "{size}"),
    ] {
        let said = world.fails(2, &["submit", flag, value, "--", "true", ":::", "a"]);
        assert!(said.contains(&format!("{value:?}")) && said.contains(example), "{said}");
    }
    let said = world.fails(2, &["submit", "--diskfree", "gone=1K", "--", "true"]);
    assert!(said.contains("gone"), "{said}");
    let mut submit = world.job_manager(&["submit", "--window", "22:00-06:00", "--", "true"]);
    let unknown = submit.env("TZ", "Nowhere/Atlantis").output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("Nowhere/Atlantis"), "{}", text(&unknown.stderr));
    assert!(!world.db().exists());
}

#[test]
fn a_timeout_and_the_workers_of_a_unit_come_from_its_field() {
    let world = World::new();
    world.write("units.csv", "t,n\n60,1\n0.1s,2\n1h,1\n");
    let script = "sleep {n}; touch done-{n}";

    world.fails(
        10,
        &[
            "run",
            "-q",
            "-j",
            "2",
            "--max-attempts",
            "1",
            "--timeout",
            "{t}",
            "--slots",
            "{n}",
            "--csv",
            "units.csv",
            "--shell",
            "--",
            script,
        ],
    );

    let states: Vec<_> = world.units("1").iter().map(|unit| unit["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["completed", "failed", "completed"]);
    assert!(world.units("1")[1]["error"].as_str().unwrap().contains("timed out after 100ms"));
    // Another one for all of them takes its place.
    world.ok(&["retry", "--no-start", "1", "--failed"]);
    world.ok(&["set", "1", "timeout=none"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    world.assert_sound("1");
}

#[test]
fn a_bad_timeout_or_number_of_workers_is_refused_with_its_place() {
    let world = World::new();
    for (flags, rows, said) in [
        (["--timeout", "{t}"], "t\n5\nsoon\n", ["units.csv:3", "soon"]),
        (["--timeout", "{t}"], "t,u\n5,1\n,1\n", ["units.csv:3", "{t}"]),
        (["--timeout", "{u}"], "t\n5\n", ["units.csv:2", "u"]),
        (["--slots", "{n}"], "n\n1\n0\n", ["units.csv:3", "\"0\""]),
        (["--slots", "{n}"], "n\n1\n3\n", ["units.csv:3", "a unit takes 3 workers, but the job has only 2"]),
        (["--slots", "3"], "n\n1\n", ["a unit takes 3 workers", "the job has only 2"]),
    ] {
        world.write("units.csv", rows);
        let mut args = vec!["submit", "-j", "2"];
        args.extend(flags);
        args.extend(["--csv", "units.csv", "--", "true"]);
        let answer = world.fails(2, &args);
        assert!(said.iter().all(|words| answer.contains(words)), "{flags:?} {rows:?}: {answer}");
    }
    assert_eq!(world.ok(&["list", "-q"]), "");
    let job = world.ok(&["create", "--slots", "{}", "-j", "2", "--", "true", ":::", "1"]);
    assert!(world.fails(2, &["add", &job, "--", ":::", "x"]).contains("\"x\""));
}

#[test]
fn a_unit_that_takes_all_workers_runs_alone_and_is_not_overtaken() {
    let world = World::new();
    let script =
        "test ! -e alone || touch broken; if test {} = 3; then touch alone; sleep 0.3; rm alone; fi; echo {} >>order";

    world.ok(&["run", "-q", "-j", "3", "--slots", "{}", "--shell", "--", script, ":::", "1", "3", "1", "2"]);

    assert!(!world.path("broken").exists());
    let lines = world.lines("order");
    assert_eq!(lines.iter().position(|line| line == "3"), Some(1), "{lines:?}");
}

#[test]
fn units_are_sorted_once_when_the_job_is_created() {
    let world = World::new();
    world.write("units.csv", "name,size\na,9\nb,10\nc,1e1\nd,-3\n");
    let order = |order: &str, more: &[&str]| {
        let mut args = vec!["create", "-q", "--order", order, "--csv", "units.csv"];
        args.extend(more);
        args.extend(["--", "echo", "{name}"]);
        let job = world.ok(&args);
        let units = world.units(&job);
        let names = units.iter().map(|unit| {
            let payload: Value = match &unit["payload"] {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                other => other.clone(),
            };
            payload["name"].as_str().unwrap().to_owned()
        });
        names.collect::<String>()
    };

    assert_eq!(order("-{size}", &[]), "bcad");
    assert_eq!(order("{size}", &[]), "dabc");
    assert_eq!(order("-{name}", &[]), "dcba");
    assert_eq!(order("-{size}", &["--limit", "2"]), "ba");
    let shown =
        world.ok(&["create", "--dry-run", "2", "--order", "-{size}", "--csv", "units.csv", "--", "echo", "{name}"]);
    assert_eq!(shown, "echo b\necho c");
    world.write("units.csv", "name,size\na,9\nb,unknown\n");
    let mixed = world.fails(2, &["create", "--order", "{size}", "--csv", "units.csv", "--", "echo", "{name}"]);
    assert!(mixed.contains("units.csv:3") && mixed.contains("\"unknown\" is not a number"), "{mixed}");
    assert!(
        world.fails(2, &["create", "--order", "{size}", "--", "true"]).contains("--order requires a source of items")
    );
    let lists = [":::", "a", "b", ":::", "2", "10"];
    let args =
        ["create", "--dry-run", "--order", "-{2}", "--timeout", "{2}", "-j", "10", "--slots", "{2}", "--", "echo"];
    let shown = world.ok(&[&args[..], &["{1}{2}"], &lists].concat());
    assert_eq!(shown, "echo a10\necho b10\necho a2\necho b2");
}

#[test]
fn a_held_start_goes_on_within_a_second_of_the_end_of_the_hold() {
    let world = World::new();
    let asked = jiff::Timestamp::now();
    let job = world.ok(&["submit", "--not-before", "+1s", "--shell", "--", "date +%s%N >started"]);
    let submitted = jiff::Timestamp::now();

    world.ok(&["wait", &job]);

    let started = world.lines("started")[0].parse::<i128>().unwrap();
    let since =
        |time: jiff::Timestamp| Duration::from_nanos(u64::try_from(started - time.as_nanosecond()).unwrap_or(0));
    assert!(since(asked) >= Duration::from_secs(1), "{:?}", since(asked));
    // A second, and what a busy machine takes to start a process.
    assert!(since(submitted) < Duration::from_secs(10), "{:?}", since(submitted));
}

#[test]
fn a_job_that_would_pause_at_once_is_not_started_and_says_what_helps() {
    let world = World::new();
    world.ok(&["create", "-q", "--name", "first", "--", "true"]);
    world.ok(&["create", "-q", "--name", "second", "--after", "first", "--", "true"]);
    world.ok(&["cancel", "first", "-y"]);
    let late = ["run", "-q", "--name", "late", "--deadline", "300ms", "--kill-after", "1s", "--", "sleep", "600"];
    assert_eq!(world.run(&late).status.code(), Some(12));

    world.ok(&["start", "second"]);
    world.wait_for_status("second", "paused");
    let hopeless = world.fails(4, &["resume", "second"]);
    let past = world.fails(4, &["resume", "late"]);

    assert!(hopeless.contains("which is cancelled") && hopeless.contains("set 2 after=none"), "{hopeless}");
    assert!(past.contains("its deadline") && past.contains("set 3 deadline="), "{past}");
    world.ok(&["set", "second", "after=none"]);
    world.ok(&["start", "second"]);
    world.ok(&["wait", "second"]);
}

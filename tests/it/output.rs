//! What is kept of the output of units.

use std::fs::File;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{World, text, wait_for};

#[test]
fn output_that_nobody_wants_is_not_kept_and_what_a_unit_leaves_behind_is_ended_all_the_same() {
    let world = World::new();
    // It leaves the unit's group, and keeps nothing of the unit but its standard input.
    let script = "echo noise; exec 3<&0; setsid sh -c 'echo >started; exec sleep 600' <&3 3<&- >/dev/null 2>&1 & \
        while ! test -e started; do sleep 0.01; done; echo {} >>done";

    world.ok(&["run", "-q", "-j", "1", "--output", "none", "--kill-after", "1s", "--shell", "--", script, ":::", "a"]);

    let unit = &world.units("1")[0];
    assert_eq!((unit["status"].as_str(), unit["stdout"].as_str()), (Some("completed"), None), "{unit}");
    assert_eq!(world.lines("done"), ["a"]);
    world.assert_no_process_left();
    world.assert_sound("1");
}

#[test]
fn all_of_the_output_of_each_attempt_is_kept_and_both_streams_apart() {
    let world = World::new();
    let script = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo attempt $JOB_MANAGER_ATTEMPT; echo oops >&2; test {} = a || test $JOB_MANAGER_ATTEMPT = 2";

    world.ok(&[
        "run",
        "-q",
        "-j",
        "2",
        "--output",
        "full",
        "--backoff",
        "10ms",
        "--shell",
        "--",
        script,
        ":::",
        "a",
        "b",
    ]);

    let first = world.ok(&["logs", "1:2", "--attempt", "1"]);
    let last = world.ok(&["logs", "1:2"]);
    assert_eq!(first.lines().map(str::len).collect::<Vec<_>>(), [300_000, 9]);
    assert!(first.ends_with("attempt 1") && last.ends_with("attempt 2"));
    assert_eq!(world.ok(&["logs", "1:1", "--stderr"]), "oops");
    assert_eq!(world.ok(&["logs", "1:1", "-n", "1"]), "attempt 1");
    let files = std::fs::read_dir(world.path("jobs.db.d/1/output")).unwrap().count();
    assert!(files <= 2, "{files} files for two workers");
    world.assert_sound("1");
}

#[test]
fn the_output_of_a_running_unit_can_be_followed() {
    let world = World::new();
    let script = "echo first; while ! test -e go; do sleep 0.05; done; echo last";
    let job = world.ok(&["submit", "-q", "--output", "full", "--shell", "--", script]);
    wait_for(&world, "the unit to write", || world.ok(&["logs", &format!("{job}:1")]) == "first");

    let following = world.job_manager(&["logs", "-f", &format!("{job}:1")]).stdout(Stdio::piped()).spawn().unwrap();
    world.sh("touch go");
    let followed = following.wait_with_output().unwrap();

    assert_eq!(text(&followed.stdout), "first\nlast\n");
}

#[test]
fn all_units_that_run_are_followed_whatever_the_job_keeps_and_one_is_waited_for() {
    let script = "echo {} begins; while ! test -e go; do sleep 0.05; done; echo {} ends; printf rest";
    for kept in ["full", "tail"] {
        let world = World::new();
        let submit = ["submit", "-q", "-j", "2", "--output", kept, "--shell", "--", script, ":::", "a", "b", "c"];
        let job = world.ok(&submit);
        wait_for(&world, "two units to run", || world.status(&job)["progress"]["running"] == 2);
        let start = |args: &[&str], said: &str| {
            let [out, err] =
                ["out", "err"].map(|stream| File::create(world.path(&format!("{said}.{stream}"))).unwrap());
            world.job_manager(args).stdout(out).stderr(err).spawn().unwrap()
        };
        let third = start(&["logs", "-f", &format!("{job}:3")], "third");
        let all = start(&["logs", "-f", &job], "all");
        wait_for(&world, "it to follow both", || {
            if kept == "full" { world.lines("all.out").len() == 2 } else { world.lines("all.err").len() == 1 }
        });
        let as_json = start(&["logs", "-f", "--json", &job], "json");
        wait_for(&world, "it to follow both", || kept == "tail" || world.lines("json.out").len() == 2);
        world.fails(2, &["logs", "-f", "-n", "3", &job]);
        world.sh("touch go");
        for mut follower in [third, all, as_json] {
            assert!(follower.wait().unwrap().success());
        }

        let mut lines = world.lines("all.out");
        lines.sort_unstable();
        let of = |seq: char, item: char| {
            ["begins", "ends", "rest"].map(|said| match said {
                "rest" => format!("{seq}\trest"),
                said => format!("{seq}\t{item} {said}"),
            })
        };
        assert_eq!(lines, [of('1', 'a'), of('2', 'b'), of('3', 'c')].concat(), "{kept}");
        assert_eq!(world.lines("third.out"), ["c begins", "c ends", "rest"]);
        for line in world.lines("json.out") {
            let document: Value = serde_json::from_str(&line).unwrap();
            assert!(document["job"]["id"] == 1 && document["seq"].is_i64() && document["line"].is_string(), "{line}");
        }
        // What has ended is not followed, but shown.
        assert!(world.ok(&["logs", "-f", &job]).contains("c begins"));
    }
}

#[test]
fn the_output_of_a_retried_unit_is_that_of_its_latest_attempt() {
    let world = World::new();
    let script = "test {} = a || while ! test -e end; do sleep 0.05; done; \
        if test -e go; then echo second; else echo first; exit 1; fi";
    let submit = ["submit", "-q", "-j", "2", "--output", "full", "--max-attempts", "1", "--shell", "--", script];
    let job = world.ok(&[&submit[..], &[":::", "a", "b"]].concat());
    wait_for(&world, "the first to fail", || world.status(&job)["progress"]["failed"] == 1);
    assert_eq!(world.ok(&["logs", "last:1"]), "first");

    world.sh("touch go");
    world.ok(&["retry", &job, "--failed"]);
    wait_for(&world, "it to complete", || world.status(&job)["progress"]["completed"] == 1);

    assert_eq!(world.ok(&["logs", "last:1"]), "second");
    assert_eq!(world.status(&job)["epoch"], 1);
    world.sh("touch end");
    world.ok(&["wait", &job]);
}

#[test]
fn the_output_of_an_attempt_is_found_by_its_number_although_others_were_interrupted() {
    let world = World::new();
    let script = "echo {} $JOB_MANAGER_ATTEMPT; test -e second || { touch second; exit 1; }; touch runs; sleep 600";
    let quick = ["submit", "-q", "--output", "full", "--backoff", "10ms", "--shell", "--"];
    let script = script.replace("{ ", "{{ ").replace("; }", "; }}");
    let job = world.ok(&[&quick[..], &[&script, ":::", "a"]].concat());
    wait_for(&world, "the second attempt", || world.path("runs").exists());
    world.ok(&["stop", "--now", "--wait", &job]);

    assert_eq!(world.ok(&["logs", "last:1", "--attempt", "1"]), "a 1");
    assert_eq!(world.ok(&["logs", "last:1", "--attempt", "2"]), "a 2");
    world.fails(3, &["logs", "last:1", "--attempt", "99"]);
}

#[test]
fn the_output_of_an_attempt_that_a_dead_manager_left_is_not_lost() {
    let world = World::new();
    let script = "echo precious; touch runs; sleep 600";
    let submit = ["submit", "-q", "--output", "full", "--on-interrupt", "fail", "--shell", "--", script];
    let job = world.ok(&submit);
    // Its start is on the disk once its row says so.
    wait_for(&world, "the unit to run", || world.path("runs").exists() && world.units(&job)[0]["status"] == "running");
    world.kill_manager(&job);

    world.ok(&["recover", &job]);
    world.fails(10, &["wait", &job]);

    assert_eq!(world.ok(&["logs", "last:1"]), "precious");
    assert_eq!(world.ok(&["logs", "last:1", "--attempt", "1"]), "precious");
}

#[test]
fn output_may_go_into_files_of_its_own() {
    let world = World::new();

    world.ok(&["run", "-q", "--output-dir", "out", "--", "sh", "-c", "echo {}; echo oops >&2", ":::", "a", "b"]);

    assert_eq!(world.lines("out/1.1.out"), ["a"]);
    assert_eq!(world.lines("out/2.1.out"), ["b"]);
    assert_eq!(world.lines("out/2.1.err"), ["oops"]);
}

#[test]
fn a_text_result_is_the_whole_output_and_a_copy_for_display_says_what_it_omits() {
    let world = World::new();
    let script = "head -c {} /dev/zero | tr '\\0' x; echo";

    world.ok(&["run", "-q", "--result", "text", "--output", "none", "--shell", "--", script, ":::", "200000", "3"]);
    let results = world.ok(&["results"]);
    let csv = world.ok(&["results", "--format", "csv"]);
    world.ok(&["run", "-q", "--shell", "--", script, ":::", "200000", "3"]);
    let copies = world.job_manager(&["results"]).output().unwrap();
    let long = ["run", "-q", "--result", "text", "--shell", "--", script, ":::", "16777216"];
    let long = world.job_manager(&long).output().unwrap();

    let lines: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["result"] == "x".repeat(200_000) && lines[0]["omitted_bytes"].is_null());
    assert_eq!(lines[1]["result"], "xxx");
    assert!(csv.contains("\n2,,completed,3,xxx,,0,0."), "{}", &csv[csv.len() - 40..]);
    let copy: Value = serde_json::from_str(text(&copies.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(copy["omitted_bytes"], 200_001 - 65_536);
    let said = text(&copies.stderr);
    assert!(
        said.contains("1 output cut for display, 134465 bytes omitted") && said.contains("--result text"),
        "{said}"
    );
    let unit = &world.units("3")[0];
    assert_eq!((long.status.code(), &unit["attempts"]), (Some(10), &json!(1)));
    assert_eq!(unit["error"], "the result has 16777217 bytes, at most 16777216 (16 MiB) are possible");
}

#[test]
fn a_result_is_the_whole_output_however_little_of_that_is_shown_and_too_long_a_one_is_not_tried_again() {
    let world = World::new();
    let script = "printf '\"'; head -c {} /dev/zero | tr '\\0' x; printf '\"\\n'";
    let lengths = [100_000, (16 << 20) - 3, (16 << 20) + 1];

    for kept in ["tail", "none"] {
        let args = ["run", "-q", "-j", "3", "--result", "json", "--output", kept, "--shell", "--", script, ":::"];
        let lengths = lengths.map(|length: usize| length.to_string());
        let output = world.job_manager(&args).args(&lengths).output().unwrap();
        assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    }

    for job in ["1", "2"] {
        let units = world.units(job);
        for (unit, length) in units.iter().zip(lengths).take(2) {
            assert_eq!(unit["result"].as_str().map(str::len), Some(length), "{}", unit["error"]);
        }
        assert_eq!(units[2]["attempts"], 1);
        assert_eq!(units[2]["error"], "the result has 16777220 bytes, at most 16777216 (16 MiB) are possible");
        assert_eq!(units[0]["stdout"].is_null(), job == "2");
    }
    assert!(world.units("1")[0]["stdout"].as_str().unwrap().contains(" bytes omitted ..."));
}

#[test]
fn an_output_directory_that_cannot_be_made_is_refused_before_anything_is_created() {
    let world = World::new();
    world.write("file", "");

    for dir in ["file", "file/below", "/proc/none/of/ours"] {
        let said = world.fails(2, &["run", "--output-dir", dir, "--", "true"]);
        assert!(said.contains(&format!("{dir}: cannot write there")), "{said}");
    }
    let rehearsed = world.fails(2, &["run", "--dry-run", "--output-dir", "file/below", "--", "true"]);
    world.ok(&["run", "-q", "--dry-run", "--output-dir", "new/below", "--db", "other.db", "--", "true"]);

    assert!(rehearsed.contains("file/below"), "{rehearsed}");
    assert!(!world.db().exists() && !world.path("new").exists());
}

#[test]
fn logs_of_an_attempt_without_a_unit_and_of_two_streams_at_once_are_refused() {
    let world = World::new();
    world.run(&["run", "-q", "--", "echo", ":::", "a", "b"]);

    for args in [&["--attempt", "1"][..], &["--manager", "--stderr"], &["1:1", "--attempt", "1", "-f"]] {
        world.fails(2, &[&["logs"][..], args].concat());
    }
}

//! The manager's log: two files of bounded length, text or JSON, and everything that standard error is told.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{World, text, wait_for};

/// A length at which the log is rotated every few dozen lines.
const BYTES: u64 = 4000;

/// Runs a job of `count` units, about each of which the log has a line, with a log of two short files.
fn run_with_short_log(world: &World, count: u32, command: &[&str]) {
    let range = format!("1-{count}");
    let mut run = world.job_manager(&["run", "-q", "--range", &range, "--max-attempts", "1", "--"]);
    run.args(command).env("JOB_MANAGER_LOG", "debug").env("JOB_MANAGER_LOG_BYTES", BYTES.to_string());
    let ran = run.output().unwrap();
    assert!(ran.status.success(), "{}{}", text(&ran.stderr), world.report());
}

fn log_files(world: &World) -> [String; 2] {
    ["manager.log.1", "manager.log"].map(|name| fs::read_to_string(world.path(&format!("jobs.db.d/1/{name}"))).unwrap())
}

/// Returns the numbers of the units whose ends these lines tell.
fn ended(log: &str) -> Vec<u32> {
    let seq = |line: &str| line.split_once("unit seq=")?.1.split(':').next()?.parse().ok();
    log.lines().filter(|line| line.contains("the attempt has ended")).filter_map(seq).collect()
}

#[test]
fn fault_311_a_log_of_any_length_is_two_files_of_the_stated_length_that_are_read_as_one() {
    let world = World::new();

    run_with_short_log(&world, 1000, &["true"]);

    let [former, newest] = log_files(&world);
    assert!(former.len() as u64 <= BYTES && newest.len() as u64 <= BYTES, "{} {}", former.len(), newest.len());
    assert!(former.len() as u64 > BYTES / 2, "the log was not rotated when it was full:\n{former}");
    let names: BTreeSet<_> = fs::read_dir(world.path("jobs.db.d/1")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.iter().filter(|name| name.to_string_lossy().contains("log")).count(), 2, "{names:?}");
    assert_eq!(world.ok(&["logs", "--manager"]), format!("{former}{newest}").trim());
    let lines = newest.lines().count() + 2;
    let last = world.ok(&["logs", "--manager", "-n", &lines.to_string()]);
    assert_eq!(last.lines().count(), lines);
    assert!(last.ends_with(newest.trim_end()) && former.ends_with(&last[..last.len() - newest.trim_end().len()]));
    world.ok(&["rm", "-y", "1"]);
    assert!(!world.path("jobs.db.d/1").exists());
}

#[test]
fn fault_311_a_log_is_followed_across_rotations() {
    let world = World::new();
    let submit = ["create", "-q", "--range", "1-120", "-j1", "--", "sleep", "0.02"];
    world.ok(&submit);
    let start = |args: &[&str]| {
        let mut command = world.job_manager(args);
        command.env("JOB_MANAGER_LOG", "debug").env("JOB_MANAGER_LOG_BYTES", BYTES.to_string());
        command
    };
    assert!(start(&["start", "1"]).output().unwrap().status.success());
    let follower = start(&["logs", "--manager", "-f", "1"]).stdout(Stdio::piped()).spawn().unwrap();

    let followed = text(&follower.wait_with_output().unwrap().stdout);

    assert_eq!(ended(&followed), (1..=120).collect::<Vec<_>>(), "{followed}");
    assert!(followed.trim_end().ends_with("the job is completed"), "{followed}");
    assert!(ended(&log_files(&world).concat()).len() < 120, "the log was not rotated twice");
}

#[test]
fn fault_312_a_panic_after_a_rotation_lands_in_the_present_file() {
    let world = World::new();
    let mut service = world.command(crate::support::example("service"));
    service.arg(world.address()).args(["says", "400", "1"]);
    service.env("JOB_MANAGER_LOG", "debug").env("JOB_MANAGER_LOG_BYTES", BYTES.to_string());
    assert!(service.output().unwrap().status.success());
    world.fails(10, &["wait", "1"]);

    let [former, newest] = log_files(&world);

    // The last unit writes on standard error by itself, and panics.
    assert!(newest.contains("said by a handler"), "{former}---\n{newest}");
    assert!(
        newest.contains("ERROR unit seq=400: attempt number=2 slot=1: panic at fixtures/service/main.rs:"),
        "{newest}"
    );
    assert!(former.len() as u64 <= BYTES, "{former}");
}

#[test]
fn a_log_in_json_is_one_document_a_line_with_the_spans_of_each_event() {
    let world = World::new();

    world.ok(&["run", "-q", "--log-format", "json", "--", "true"]);

    let log = world.ok(&["logs", "--manager"]);
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["fields"]["message"]), (&"INFO".into(), &"the job is completed".into()), "{log}");
    assert_eq!(last["target"], "job_manager::manager::conclusion");
    assert_eq!((&last["spans"][0]["name"], &last["spans"][0]["fields"]["id"]), (&"job".into(), &1.into()), "{last}");
    assert!(last["timestamp"].as_str().unwrap().ends_with('Z'), "{last}");
}

#[test]
fn the_level_bounds_what_is_logged() {
    let world = World::new();
    let log_at = |level: &str, job: &str| {
        let ran =
            world.job_manager(&["run", "-q", "-j1", "--", "true"]).env("JOB_MANAGER_LOG", level).output().unwrap();
        assert!(ran.status.success());
        world.ok(&["logs", "--manager", job])
    };

    let [error, debug] = [("error", "1"), ("debug", "2")].map(|(level, job)| log_at(level, job));

    assert_eq!(error, "");
    assert!(
        debug.contains("DEBUG unit seq=1: attempt number=1 slot=1: the attempt has ended status=\"completed\""),
        "{debug}"
    );
}

#[test]
fn each_attempt_gets_a_span_of_the_trace_that_its_submitter_was_in() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736";
    let world = World::new();
    let submit = |parent: &str, more: &[&str]| {
        let mut create =
            world.job_manager(&["create", "-q", "--range", "1-2", "--max-attempts", "2", "--backoff", "0s"]);
        create.args(more).args(["--", "sh", "-c", "echo $TRACEPARENT $TRACESTATE; exit 1"]);
        create.env("TRACEPARENT", parent).env("TRACESTATE", "vendor=value");
        let job = text(&create.output().unwrap().stdout).trim().to_owned();
        // Whoever starts it is in another trace.
        world
            .job_manager(&["start", &job])
            .env("TRACEPARENT", TRACE.replace('4', "5") + "-00f067aa0ba902b7-01")
            .output()
            .unwrap();
        world.fails(10, &["wait", &job]);
        let said = |seq: u32, attempt: &str| world.ok(&["logs", &format!("{job}:{seq}"), "--attempt", attempt]);
        [said(1, "1"), said(1, "2"), said(2, "1")]
    };

    let own = submit(&format!("{TRACE}-00f067aa0ba902b7-01"), &[]);
    let given = submit(&format!("{TRACE}-00f067aa0ba902b7-01"), &["--env", "TRACEPARENT"]);
    let wrong = submit("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", &[]);

    for line in &own {
        assert!(line.starts_with(TRACE) && line.ends_with("-01 vendor=value"), "{own:?}");
        assert!(!line.contains("00f067aa0ba902b7"), "{own:?}");
    }
    assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), 3, "{own:?}");
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 3, "{given:?}");
    assert!(given.iter().all(|line| line.starts_with(TRACE) && line.ends_with("-01 vendor=value")), "{given:?}");
    assert_eq!(wrong, [(); 3].map(|()| String::new()));
}

#[test]
fn a_service_that_starts_a_manager_with_a_level_that_is_not_understood_finds_that_in_its_log() {
    let world = World::new();
    let mut service = world.command(crate::support::example("service"));
    assert!(
        service
            .arg(world.address())
            .args(["nothing", "2", "1"])
            .env("JOB_MANAGER_LOG", "loud")
            .output()
            .unwrap()
            .status
            .success()
    );
    world.ok(&["wait", "1"]);

    // The manager writes that a moment after its last commit.
    let log = || world.ok(&["logs", "--manager", "1"]);
    wait_for(&world, "the last line of the log", || log().contains("INFO  the job is completed"));

    assert!(log().contains("WARN  JOB_MANAGER_LOG is \"loud\", which is not understood"), "{}", log());
}

#[test]
fn fault_339_a_place_in_a_trace_that_is_given_is_refused_or_stands_instead_of_the_submitters() {
    const OWN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let other = OWN.replace('4', "5");
    let world = World::new();
    let create = |given: &[&str], own: Option<&str>| {
        let mut create = world.job_manager(&["create", "-q"]);
        for variable in given {
            create.args([
                if variable.starts_with('=') { "--env-only" } else { "--env" },
                variable.trim_start_matches('='),
            ]);
        }
        create.args(["--", "/bin/sh", "-c", "echo $TRACEPARENT $TRACESTATE"]).env("TRACESTATE", "own=1");
        own.map(|own| create.env("TRACEPARENT", own));
        create.output().unwrap()
    };
    let refused: [(&[&str], Option<&str>, &str); 9] = [
        (&["TRACEPARENT=nonsense"], Some(OWN), "TRACEPARENT is \"nonsense\""),
        (&["TRACEPARENT="], Some(OWN), "TRACEPARENT is \"\""),
        (&["TRACEPARENT={}"], Some(OWN), "TRACEPARENT is \"{}\""),
        (&["TRACEPARENT"], Some("00-x"), "TRACEPARENT is \"00-x\""),
        (&["TRACEPARENT"], None, "TRACEPARENT"),
        (&["=TRACEPARENT", "=PATH"], Some("00-x"), "TRACEPARENT is \"00-x\""),
        (&["TRACESTATE=caf\u{e9}"], Some(OWN), "TRACESTATE is \"caf\u{e9}\""),
        (&["TRACESTATE="], Some(OWN), "TRACESTATE is \"\""),
        (&["TRACESTATE=a=b"], None, "no TRACEPARENT"),
    ];
    for (given, own, named) in refused {
        let said = create(given, own);
        assert_eq!(said.status.code(), Some(2), "{given:?}: {}", text(&said.stderr));
        assert!(text(&said.stderr).contains(named), "{given:?}: {}", text(&said.stderr));
    }
    assert!(!crate::support::exists(&world.db()));

    for (given, own, begin, state) in [
        (vec![format!("TRACEPARENT={other}")], Some(OWN), &other[..36], ""),
        (vec![format!("TRACEPARENT={other}"), "TRACESTATE=a=b".to_owned()], Some(OWN), &other[..36], " a=b"),
        (vec!["TRACESTATE=a=b".to_owned()], Some(OWN), &OWN[..36], " a=b"),
        (vec!["=TRACEPARENT".to_owned(), "=PATH".to_owned()], Some(OWN), &OWN[..36], " own=1"),
        (vec![format!("TRACEPARENT={other}")], None, &other[..36], ""),
        (vec!["=TRACEPARENT".to_owned(), "=PATH".to_owned()], None, "", ""),
    ] {
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let created = create(&given, own);
        let job = text(&created.stdout).trim().to_owned();
        assert!(created.status.success(), "{given:?}: {}", text(&created.stderr));
        world.ok(&["start", &job]);
        world.ok(&["wait", &job]);

        let line = world.ok(&["logs", &job]);
        assert!(line.starts_with(begin) && line.ends_with(state), "{given:?}: {line}");
        assert!(!line.contains("00f067aa0ba902b7") && (state.is_empty() != line.contains('=')), "{given:?}: {line}");
    }
}

#[test]
fn a_handler_of_a_service_gets_a_span_of_the_trace_that_its_submitter_was_in() {
    let world = World::new();
    let mut service = world.command(crate::support::example("service"));
    service.arg(world.address()).args(["traced", "2", "1"]);
    service.env("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").env("TRACESTATE", "a=b");
    assert!(service.output().unwrap().status.success());
    world.ok(&["wait", "1"]);

    let spans: BTreeSet<String> =
        world.units("1").iter().map(|unit| unit["result"].as_str().unwrap_or_default().to_owned()).collect();

    assert_eq!(spans.len(), 2, "{spans:?}");
    for span in &spans {
        assert!(span.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && span.ends_with("-01 a=b"), "{spans:?}");
    }
}

#[test]
fn a_service_that_has_a_subscriber_of_its_own_keeps_it_in_its_managers() {
    let world = World::new();
    let mut service = world.command(crate::support::example("service"));
    service.arg(world.address()).args(["nothing", "3", "1"]).env("OWN_SUBSCRIBER", "1");
    assert!(service.output().unwrap().status.success());
    world.ok(&["wait", "1"]);

    wait_for(&world, "the end to be told", || world.lines("events").iter().any(|line| line == "the job is completed"));

    assert_eq!(world.ok(&["logs", "--manager"]), "");
}

//! Units in groups: each group has its limit, its rate and its bound on failures, and none starves another.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{World, repeat, wait_for};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A host that refuses whoever is one too many, and says so in `refused`; `$1` is its name, `$2` how many it takes, `$3` how long each
/// stays. What a process holds is free when it has ended, however that was.
const FAKE_HOST: &str = r#"
    for place in $(seq "$2"); do
        exec 9>"in.$1.$place"
        if flock -n 9; then sleep "${3:-0.05}"; exit 0; fi
    done
    echo "$1" >>refused
    exit 1
"#;

#[test]
fn units_of_a_group_run_no_more_at_a_time_than_it_may_and_nobody_waits_for_them() {
    let world = World::new();
    world.write("host.sh", FAKE_HOST);
    let began = Instant::now();

    // Two workers on two hosts, each of which takes one at a time: a lock in the command would let a worker wait for it.
    let items = ["a", "a", "a", "a", "b", "b", "b", "b"];
    let run = ["run", "-q", "-j", "2", "--group", "{}", "--per-group", "1", "--max-attempts", "1"];
    world.ok(&[&run[..], &["--", "sh", "host.sh", "{}", "1", "0.5", ":::"], &items[..]].concat());

    let took = began.elapsed();
    assert!(!world.path("refused").exists(), "{:?}", world.lines("refused"));
    assert!(took >= Duration::from_secs(2) && took < Duration::from_millis(3500), "{took:?}");
    world.assert_sound("1");
}

#[test]
fn a_large_group_starves_no_small_one() {
    let world = World::new();
    let large = repeat(3_000, 100_000);
    let lines: String = (0..large).map(|_| "{\"c\":\"large\"}\n").chain(["{\"c\":\"small\"}\n"; 3]).collect();
    world.write("in.jsonl", &lines);
    let script = "sleep 0.05; echo {c} >>order";

    let submit = ["submit", "-q", "-j", "2", "--group", "{c}", "--jsonl", "in.jsonl", "--shell", "--", script];
    let job = world.ok(&submit);
    let ended = |group: &str| match world.path("order").exists() {
        true => world.lines("order").iter().filter(|line| *line == group).count(),
        false => 0,
    };
    wait_for(&world, "the small group", || ended("small") == 3);

    // They take turns: each of the three starts with one of the large group beside it.
    assert!(ended("large") <= 12, "{}", ended("large"));
    world.ok(&["cancel", &job, "-y"]);
}

#[test]
fn fault_460_no_group_has_one_too_many_while_managers_are_killed() {
    let world = World::new();
    world.write("host.sh", FAKE_HOST);
    let hosts = repeat(40, 1_000);
    // The n-th host has about 1/n of the units of the first one.
    let count = |host: usize| (hosts / host).clamp(1, 60);
    let lines: String = (1..=hosts).flat_map(|host| vec![format!("http://H{host}.example/x\n"); count(host)]).collect();
    world.write("urls", &lines);

    let run = ["submit", "-q", "-j", "16", "--group", "{/host}", "--per-group", "2", "--backoff", "10ms..20ms"];
    let command = ["--lines", "urls", "--shell", "--", "sh host.sh $(basename $(dirname {})) 2"];
    let job = world.ok(&[&run[..], &command[..]].concat());
    // A unit may see two deaths of its manager.
    for killed in 1..=repeat(2, 40) {
        let enough = killed * repeat(30, 100);
        wait_for(&world, "units that end", || world.status(&job)["progress"]["completed"].as_u64() > Some(enough));
        world.kill_manager(&job);
        world.ok(&["resume", &job]);
    }
    let ended = world.run(&["wait", &job]);

    assert!(!world.path("refused").exists(), "{:?}", world.lines("refused"));
    assert!(ended.status.success(), "{}", world.report());
    world.assert_sound(&job);
}

#[test]
fn units_of_a_group_start_at_its_rate() {
    let world = World::new();
    let began = Instant::now();

    let run = ["run", "-q", "-j", "4", "--group", "{}", "--group-rate", "5/s"];
    world.ok(&[&run[..], &["--shell", "--", "date +%s%N >>started.{}", ":::"], &["a", "a", "a", "a", "b", "b"]].concat());

    let took = began.elapsed();
    assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(4), "{took:?}");
    let starts: Vec<u64> = world.lines("started.a").iter().map(|line| line.parse().unwrap()).collect();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] > 120_000_000), "{starts:?}");
}

#[test]
fn fault_461_a_group_with_too_many_failures_is_held_and_the_others_go_on() {
    let world = World::new();
    let script = "sleep 0.1; test {g} != bad -a {g} != worse";
    let of = |group: &str| format!("{{\"g\":\"{group}\"}}\n").repeat(9);
    world.write("in.jsonl", &[of("bad"), of("good"), of("worse")].concat());

    let run = ["run", "-q", "-j", "2", "--group", "{g}", "--per-group", "1", "--max-failures", "2/group"];
    let failed = ["--max-attempts", "1", "--jsonl", "in.jsonl", "--shell", "--", script];
    world.fails(12, &[&run[..], &failed[..]].concat());

    let status = world.status("1");
    // What had started when the failures before it were recorded came to its end.
    let failed = status["progress"]["failed"].as_u64().unwrap();
    assert!(status["progress"]["completed"] == 9 && (4..=8).contains(&failed), "{status}");
    assert_eq!(status["groups"]["held"].as_array().unwrap().len(), 2, "{status}");
    let shown = world.ok(&["status", "1"]);
    assert!(shown.contains("2 groups held: bad and 1 more: 2 units failed"), "{shown}");
    let explained = world.ok(&["explain", "1"]);
    assert!(explained.contains("2 groups held"), "{explained}");

    // What has stopped them is forgotten at the next start.
    world.ok(&["skip", "1", "--group", "worse", "--reason", "not wanted"]);
    world.ok(&["resume", "1"]);
    world.wait_for_status("1", "paused");
    assert!(world.status("1")["progress"]["failed"].as_u64() > Some(2), "{}", world.report());
    assert!(world.ok(&["status", "1"]).contains("1 group held: bad: 2 units failed"));
}

#[test]
fn a_unit_holds_its_group_and_no_other() {
    let world = World::new();
    let script = r#"
        if test {} = a -a ! -e said; then echo >said; exec "$BIN" unit-later 700ms --hold group --reason 'session limit'; fi
        date +%s%N >>ran.{}"#;
    let began = Instant::now();

    world.ok(&["run", "-q", "-j", "1", "--group", "{}", "--shell", "--", script, ":::", "a", "a", "a", "b", "b"]);

    assert!(began.elapsed() >= Duration::from_millis(700));
    let at = |name: &str| world.lines(name).iter().map(|line| line.parse::<u64>().unwrap()).collect::<Vec<_>>();
    let (a, b) = (at("ran.a"), at("ran.b"));
    assert_eq!((a.len(), b.len()), (3, 2));
    assert!(b.iter().max() < a.iter().min(), "{a:?} {b:?}");
    // A job without groups has none to hold.
    let script = r#""$BIN" unit-later 1s --hold group || exit 9"#;
    world.fails(10, &["run", "-q", "--exit", "9=fail", "--shell", "--", script]);
    let said = world.ok(&["unit", "2:1"]);
    assert!(said.contains("job 2 has no groups"), "{said}");
}

#[test]
fn a_group_is_a_filter_and_is_shown() {
    let world = World::new();
    world.write("in.jsonl", "{\"c\":\"x\"}\n{\"c\":\"y\"}\n{\"c\":\"x\"}\n");
    let run =
        ["run", "-q", "--group", "{c}", "--max-attempts", "1", "--jsonl", "in.jsonl", "--shell", "--", "test {c} = y"];
    world.fails(10, &run);

    assert_eq!(world.ok(&["units", "1", "--group", "x", "-q"]).lines().count(), 2);
    let table = world.ok(&["units", "1"]);
    assert!(table.starts_with("SEQ  STATUS     ATTEMPTS  TIME  GROUP  ITEM"), "{table}");
    let failed = ["x", "y"].map(|group| json(&world.ok(&["failures", "1", "--group", group, "--json"])));
    assert_eq!([0, 1].map(|at| failed[at]["failed"].as_i64()), [Some(2), Some(0)]);
    assert_eq!(failed[0]["clusters"][0]["last"], 3);
    assert_eq!(json(&world.ok(&["unit", "1:2", "--json"]))["unit"]["group"], "y");
    assert!(world.ok(&["unit", "1:1"]).contains("group     x"), "{}", world.ok(&["unit", "1:1"]));
    world.fails(3, &["retry", "1", "--group", "z"]);
    world.ok(&["skip", "1", "--group", "x", "--reason", "no"]);
    assert_eq!(world.status("1")["job_status"], "completed");
    // Later units have their groups too, which may be new.
    world.write("more.jsonl", "{\"c\":\"z\"}\n{\"c\":\"y\"}\n");
    world.ok(&["add", "1", "--jsonl", "more.jsonl"]);
    world.ok(&["skip", "1", "--group", "z", "--reason", "no"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(world.status("1")["progress"]["completed"], 2);
    world.assert_sound("1");
}

#[test]
fn bounds_of_groups_change_while_the_job_runs() {
    let world = World::new();
    let script = "touch running.$JOB_MANAGER_UNIT; while ! test -e go; do sleep 0.02; done";
    let submit = ["submit", "-q", "-j", "4", "--group", "{}", "--per-group", "1", "--shell", "--", script, ":::"];
    let job = world.ok(&[&submit[..], &["a"; 6][..], &["b"; 2][..]].concat());
    let running = || world.status(&job)["progress"]["running"].as_u64().unwrap();
    wait_for(&world, "one of each", || running() == 2);

    world.ok(&["set", &job, "group:a=3"]);
    wait_for(&world, "three and one", || running() == 4);
    assert!(world.fails(3, &["set", &job, "group:c=1"]).contains("no group \"c\""));
    // All of what is asked for, or nothing.
    world.fails(3, &["set", &job, "group:a=1", "group:c=1"]);
    world.fails(2, &["set", &job, "group:a=1", "per-group=1"]);
    assert_eq!(world.count("most FROM unit_groups WHERE name = 'a'"), 3);
    assert!(world.fails(2, &["set", &job, "per-group=5"]).contains("1 to 4 units at a time"));
    let status = world.status(&job);
    assert_eq!((&status["groups"]["total"], &status["groups"]["running"]), (&2.into(), &2.into()), "{status}");
    let waiting = world.ok(&["explain", &format!("{job}:6")]);
    assert!(waiting.contains("group a"), "{waiting}");
    world.write("go", "");
    world.ok(&["wait", &job]);
}

#[test]
fn groups_that_cannot_be_are_refused_before_anything_is_created() {
    let world = World::new();
    let long = "x".repeat(256);
    for (flags, items, said) in [
        (&["--per-group", "1"][..], &["a"][..], "--per-group requires --group"),
        (&["--group-rate", "1/s"][..], &["a"][..], "--group-rate requires --group"),
        (&["--max-failures", "2/group"][..], &["a"][..], "requires --group"),
        (&["--group", "{}", "-j", "2", "--per-group", "3"][..], &["a"][..], "1 to 2 units at a time"),
        (&["--group", "host"][..], &["a"][..], "every unit would be in the group"),
        (&["--group", "{#}"][..], &["a"][..], "cannot be part of a group"),
        (&["--group", "{}"][..], &[long.as_str()][..], "256 bytes"),
        (&["--group", "{}"][..], &[""][..], "is empty"),
        (&["--group", "{/host}"][..], &["example.com"][..], "is empty"),
        (&["--group", "{host}"][..], &["a"][..], "{host}"),
        (&["--group", "{}", "-n", "2"][..], &["a", "b"][..], "have several"),
    ] {
        let error = world.fails(2, &[&["create"], flags, &["--", "true", ":::"], items].concat());
        assert!(error.contains(said), "{flags:?}: {error}");
    }
    assert!(!world.db().exists());
}

#[cfg(feature = "postgres")]
#[test]
fn fault_462_one_manager_runs_the_units_of_groups_and_another_goes_on_when_it_has_left() {
    let Some(hosts) = crate::support::Hosts::new() else { return };
    let script = "mkdir in.{} || echo {} >>refused; echo {} >>begun; sleep 0.3; rmdir in.{}";
    let create = ["create", "-q", "-j", "4", "--group", "{}", "--per-group", "1", "--shell", "--", script, ":::"];
    let job = hosts.ok("creator", &[&create[..], &["a"; 12][..], &["b"; 12][..]].concat());
    hosts.start_on(&["one", "two"], &job);
    hosts.wait_for_managers(&["one", "two"]);
    hosts.wait("some units", || hosts.begun() > 3);

    let first = hosts.manager("one").unwrap();
    crate::support::send(first, nix::sys::signal::Signal::SIGTERM);
    hosts.wait_for_status(&job, "completed");

    assert!(hosts.lines("refused").is_empty(), "{:?}", hosts.lines("refused"));
    assert!(hosts.begun() >= 24 && hosts.count("SELECT completed FROM jobs") == 24);
    assert_eq!(hosts.count("SELECT count(*) FROM managers WHERE state = 'left'"), 2);
}

#[test]
fn fault_536_the_hold_of_a_group_is_lifted_when_somebody_says_so() {
    let world = World::new();
    let script = r#"echo {} >>tried; test {} = b -o -e go || exec "$BIN" unit-later 5h --hold group --reason limit"#;
    world.ok(&["submit", "-q", "-j", "1", "--group", "{}", "--shell", "--", script, ":::", "a", "a", "a", "b"]);
    wait_for(&world, "the hold", || {
        world.status("1")["groups"]["held"][0]["name"] == "a" && world.lines("tried").len() == 2
    });
    let explained = world.ok(&["explain", "1:2"]);
    world.write("go", "");

    let lifted = world.run(&["set", "1", "hold=none"]);
    wait_for(&world, "the others of the group", || world.status("1")["progress"]["completed"] == 3);
    let again = world.run(&["set", "1", "hold=none"]);
    world.ok(&["retry", "1", "--status", "pending", "--no-start"]);
    world.ok(&["wait", "1"]);

    assert!(explained.contains("held until") && explained.contains("job-manager set 1 hold=none"), "{explained}");
    assert_eq!(crate::support::text(&lifted.stdout), "1 limit changed\n");
    assert_eq!(crate::support::text(&again.stdout), "0 limits changed\n");
    assert!(crate::support::text(&again.stderr).contains("nothing holds the units of job 1"), "{again:?}");
    world.assert_sound("1");
}

#[test]
fn a_new_rate_of_groups_holds_for_units_that_wait_by_the_old_one() {
    let world = World::new();
    let units = world.write("units", "a\na\n");
    let submit = ["submit", "-q", "-j", "1", "--group", "{}", "--group-rate", "1/h", "--lines"];
    world.ok(&[&submit[..], &[units.to_str().unwrap(), "--", "true"]].concat());
    wait_for(&world, "the first unit", || world.status("1")["progress"]["completed"] == 1);

    world.ok(&["set", "1", "group-rate=10/s"]);

    world.wait_for_status("1", "completed");
}

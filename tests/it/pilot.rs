//! A person decides on evidence: units drawn at random run first, and what they took says what the rest will take.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Hosts, World, text, wait_for};

/// Names of the units that have run, in order.
fn done(world: &World) -> Vec<u64> {
    let mut done: Vec<u64> = world.lines("done").iter().map(|line| line.parse().unwrap()).collect();
    done.sort_unstable();
    done
}

#[test]
fn the_units_of_a_sample_run_first_and_the_same_seed_draws_the_same_from_a_stream() {
    let world = World::new();
    let pilot = |seed: &str| {
        let _ = std::fs::remove_file(world.path("done"));
        let ran = world.sh(&format!(
            "seq 1 25000 | \"$BIN\" run -q --output none --canary 20 --sample{seed} - -- sh -c 'echo $1 >>done' - {{}}"
        ));
        assert_eq!(ran.status.code(), Some(12), "{}", text(&ran.stderr));
        done(&world)
    };

    let (first, same, other, default) = (pilot("=7"), pilot("=7"), pilot("=8"), pilot(""));

    assert_eq!((first.len(), &first), (20, &same));
    assert!(first != other && first != default);
    assert!(first[0] < 10_000 && first[19] > 15_000, "{first:?}");
    let status = world.status("1");
    assert_eq!(
        (status["job_status"].as_str(), status["progress"]["completed"].as_i64()),
        (Some("awaiting_approval"), Some(20))
    );
    assert!(status["waiting_for"].to_string().contains("drawn at random"), "{status}");
    world.assert_sound("1");
}

#[test]
fn after_an_approval_all_other_units_run_and_none_twice() {
    let world = World::new();
    let command = ["--", "sh", "-c", "echo $1 >>done", "-", "{}"];
    world.fails(
        12,
        &[&["run", "-q", "-j", "3", "--range", "1-300", "--canary", "5", "--sample=3"][..], &command].concat(),
    );
    let sample = done(&world);
    world.fails(4, &["resume", "1"]);

    world.ok(&["approve", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(sample.len(), 5);
    assert_eq!(done(&world), (1..=300).collect::<Vec<u64>>());
    world.fails(4, &["approve", "1"]);
    world.assert_sound("1");
}

#[test]
fn a_status_projects_what_the_rest_takes_and_costs_from_the_first_units() {
    let world = World::new();
    let script =
        "test $(( $1 % 10 )) != 3 || exit 7; sleep 0.0$(( $1 % 4 )); echo \"{{\\\"cost\\\": 0.0$(( $1 % 9 ))}}\"";
    let options = ["--range", "1-1000", "--canary", "50", "--sample=1", "-j", "4", "--max-attempts", "1"];
    let meter = ["--result", "json", "--meter", "usd=.cost:-0"];
    world.fails(12, &[&["run", "-q"][..], &options, &meter, &["--", "sh", "-c", script, "-", "{}"]].concat());

    let status = world.status("1");
    let projection = &status["projection"];
    assert_eq!((projection["ended"].as_u64(), projection["left"].as_u64()), (Some(50), Some(950)), "{status}");
    let well = projection["well"].as_u64().unwrap();
    assert!((35..50).contains(&well) && projection["at_random"] == true, "{projection}");
    let share = |place: usize| projection["share"][place].as_f64().unwrap();
    assert!(share(0) < 0.9 && 0.9 < share(1), "{projection}");
    assert_eq!(projection["failures"][0][0].as_u64(), Some(50 - well), "{projection}");
    let usd = &projection["meters"][0];
    // The last digit is 0 to 8 in turn, in nine of ten units.
    let (low, high) = (usd["low"].as_f64().unwrap(), usd["high"].as_f64().unwrap());
    assert!(usd["name"] == "usd" && low < 36.0 && 36.0 < high, "{usd}");
    assert!(projection["seconds"]["low"].as_f64() < projection["seconds"]["high"].as_f64(), "{projection}");
    let shown = world.ok(&["status", "1"]);
    for words in [
        &format!("pilot     {well} of 50 ended well (true share "),
        "failed    ",
        "950 units left: about ",
        " on 4 workers (",
        " usd at the end (",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let why = world.ok(&["explain", "1"]);
    assert!(why.contains(&format!("with 950 units left: {well} of 50 ended well")), "{why}");
}

#[test]
fn an_approval_of_some_more_units_asks_again_and_may_raise_a_budget() {
    for sample in [&[][..], &["--sample"]] {
        let world = World::new();
        let command = ["--", "sh", "-c", "echo $1 >>done; \"$BIN\" unit-spend usd=1", "-", "{}"];
        let options = ["--range", "1-40", "-j", "2", "--canary", "4", "--budget", "usd=10", "--reserve", "usd=1"];
        world.fails(12, &[&["run", "-q"][..], &options, sample, &command].concat());

        world.fails(2, &["approve", "1", "--next", "0"]);
        world.fails(2, &["approve", "1", "--budget", "eur=60"]);
        world.fails(4, &["approve", "1", "--budget", "usd=4"]);
        assert_eq!(world.status("1")["job_status"], "awaiting_approval");
        world.ok(&["approve", "1", "--next", "10", "--budget", "usd=60"]);
        world.fails(12, &["wait", "1"]);

        let status = world.status("1");
        assert_eq!((status["job_status"].as_str(), done(&world).len()), (Some("awaiting_approval"), 14));
        assert_eq!(
            (status["projection"]["ended"].as_u64(), status["meters"][0]["budget"].as_f64()),
            (Some(14), Some(60.0))
        );
        if sample.is_empty() {
            assert_eq!(done(&world), (1..=14).collect::<Vec<u64>>());
        }
        world.ok(&["approve", "1", "--next", "100"]);
        world.ok(&["wait", "1"]);
        assert_eq!(done(&world), (1..=40).collect::<Vec<u64>>());
        world.assert_sound("1");
    }
}

#[test]
fn samples_that_cannot_be_drawn_are_refused_before_anything_is_created() {
    let world = World::new();
    let refused = |options: &[&str], words: &str| {
        let error = world.fails(2, &[&["create"][..], options, &["--", "true", "{}", ":::", "1", "2"]].concat());
        assert!(error.contains(words), "{error}");
    };

    refused(&["--sample"], "--canary");
    refused(&["--canary", "2", "--sample=2%"], "invalid seed");
    refused(&["--canary", "2", "--sample=-1"], "invalid seed");
    refused(&["--canary", "10001", "--sample"], "10000 units at most");
    assert!(!world.db().exists() || world.ok(&["list", "-a", "-q"]).is_empty());
}

#[test]
fn fault_475_a_manager_that_dies_in_a_pilot_leaves_the_sample_and_nothing_else_to_run() {
    let world = World::new();
    let script = "echo $1 >>begun; until [ -e go ]; do sleep 0.05; done; echo $1 >>done";
    let options = ["--range", "1-200", "-j", "2", "--canary", "6", "--sample=5"];
    world.ok(&[&["submit", "-q"][..], &options, &["--", "sh", "-c", script, "-", "{}"]].concat());
    wait_for(&world, "two units", || world.lines("begun").len() == 2);

    world.kill_manager("1");
    std::fs::write(world.path("go"), "").unwrap();
    world.ok(&["resume", "1"]);
    world.fails(12, &["wait", "1"]);

    let sample: Value =
        serde_json::from_str(&world.ok(&["units", "1", "--status", "completed", "--json", "--limit", "100"])).unwrap();
    let done_once: BTreeSet<u64> = done(&world).into_iter().collect();
    assert_eq!((done_once.len(), sample["units"].as_array().map(Vec::len)), (6, Some(6)), "{sample}");
    world.ok(&["approve", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(world.status("1")["progress"]["completed"], 200);
    world.assert_sound("1");
}

#[test]
fn units_that_came_back_and_are_not_of_the_sample_wait_for_the_approval() {
    let world = World::new();
    let command = ["--", "sh", "-c", "test $1 -gt 900 || echo $1 >>done", "-", "{}"];
    world.ok(&[&["create", "-q", "--range", "1-100", "--canary", "4", "--sample=2"][..], &command].concat());
    world.ok(&["skip", "1", "--seq", "1-50"]);
    world.ok(&["retry", "1", "--status", "skipped"]);

    world.ok(&["start", "1"]);
    world.fails(12, &["wait", "1"]);

    assert_eq!((done(&world).len(), world.status("1")["progress"]["pending"].as_i64()), (4, Some(96)));
    world.ok(&["approve", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(done(&world), (1..=100).collect::<Vec<u64>>());
}

#[test]
fn units_of_groups_keep_to_the_first_ones_until_the_approval_and_none_is_lost_after_it() {
    for (sample, dies) in [(&[][..], false), (&[], true), (&["--sample=3"], false), (&["--sample=3"], true)] {
        let world = World::new();
        let script = "echo $1 >>begun; until [ -e go ]; do sleep 0.02; done; echo $1 >>done";
        world.write(
            "in.jsonl",
            &(1..=60).map(|n| format!("{{\"n\":{n},\"host\":\"h{}\"}}\n", n % 7)).collect::<String>(),
        );
        let options = ["--jsonl", "in.jsonl", "--group", "{host}", "--per-group", "2", "-j", "4", "--canary", "5"];
        world.ok(&[&["submit", "-q"][..], &options, sample, &["--", "sh", "-c", script, "-", "{n}"]].concat());
        wait_for(&world, "four units", || world.path("begun").exists() && world.lines("begun").len() == 4);
        if dies {
            world.kill_manager("1");
        }
        std::fs::write(world.path("go"), "").unwrap();
        if dies {
            world.ok(&["resume", "1"]);
        }
        world.fails(12, &["wait", "1"]);
        // Those that ran beside the death of the manager run again.
        let done = |world: &World| BTreeSet::from_iter(done(world)).into_iter().collect::<Vec<u64>>();
        let first = done(&world);
        assert_eq!(first.len(), 5, "{first:?}");
        assert_eq!(first == [1, 2, 3, 4, 5], sample.is_empty(), "{first:?}");

        world.ok(&["approve", "1", "--next", "10"]);
        world.fails(12, &["wait", "1"]);
        assert_eq!(done(&world).len(), 15);
        world.ok(&["approve", "1"]);
        world.ok(&["wait", "1"]);
        assert_eq!(done(&world), (1..=60).collect::<Vec<u64>>());
        world.assert_sound("1");
    }
}

#[test]
fn fault_476_hosts_share_the_sample_and_run_nothing_else_before_the_approval() {
    let Some(hosts) = Hosts::new() else { return };
    let until_go = "echo {} >>begun; until [ -e go ]; do sleep 0.05; done";
    let job = hosts.create(300, &["-j", "2", "--canary", "12", "--sample=4"], until_go);
    let works = ["one", "two", "three"].map(|host| hosts.work(host, &[&job]));
    hosts.wait("units on each host", || hosts.lines("begun").len() == 6);

    hosts.let_go();
    hosts.wait_for_status(&job, "awaiting_approval");
    let (begun, claimed) = (hosts.lines("begun").len(), hosts.count("SELECT claimed_through FROM jobs"));
    hosts.ok("two", &["approve", &job, "--next", "20"]);
    hosts.wait("the next units", || hosts.count("SELECT completed FROM jobs") == 32);
    hosts.wait_for_status(&job, "awaiting_approval");
    let next = hosts.lines("begun").len();
    hosts.ok("one", &["approve", &job]);
    hosts.wait_for_status(&job, "completed");

    assert_eq!((begun, claimed, next), (12, 0, 32));
    let mut all = hosts.lines("begun");
    all.sort();
    all.dedup();
    assert_eq!((all.len(), hosts.lines("begun").len(), hosts.count("SELECT completed FROM jobs")), (300, 300, 300));
    works.into_iter().for_each(|work| hosts.leave(work));
}

#[test]
fn a_unit_that_is_not_of_the_pilot_says_that_it_waits_for_approval() {
    for (sample, said) in
        [(None, "only the first 2 units may run"), (Some("--sample=1"), "only a sample of 2 units may run")]
    {
        let world = World::new();
        let submit = ["submit", "-q", "--range", "1-50", "-j", "2", "--canary", "2"];
        let command = ["--", "sh", "-c", "until test -e go-on; do sleep 0.05; done"];
        let job = world.ok(&[&submit[..], sample.as_slice(), &command].concat());
        wait_for(&world, "the pilot", || world.status(&job)["progress"]["running"] == 2);
        let waiting = world.ok(&["units", &job, "--status", "pending", "-q", "--limit", "1"]);

        let explained = world.ok(&["explain", &format!("{job}:{waiting}")]);

        assert!(explained.contains("waits for approval: until then") && explained.contains(said), "{explained}");
        world.write("go-on", "");
        world.run(&["wait", &job]);
    }
}

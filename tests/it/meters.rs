//! What attempts cost: counted whatever happens to them, within budgets and rates.

use std::time::{Duration, Instant};

use job_manager::client::budget;
use job_manager::model::{JobStatus, Timestamp};
use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};
use serde_json::Value;

use crate::support::{Random, World, children_of, text, wait_for};

/// Options of units that print what they cost.
const JSON: [&str; 6] = ["--result", "json", "--meter", "usd=.cost", "--backoff", "10ms"];

fn meter(world: &World, job: &str, name: &str) -> Value {
    let status = world.status(job);
    let found =
        status["meters"].as_array().unwrap_or_else(|| panic!("{status}")).iter().find(|meter| meter["name"] == name);
    found.unwrap_or_else(|| panic!("{status}")).clone()
}

#[test]
fn a_number_in_the_json_that_an_attempt_prints_counts_however_the_attempt_ends() {
    let world = World::new();
    // Each unit fails once; the second is ended by its time limit when it has printed nothing.
    world.write("unit.sh", r#"test $1$JOB_MANAGER_ATTEMPT != 21 || sleep 60; echo "{\"cost\": 0.25, \"usage\": {\"tokens\": 1800}}"; test $JOB_MANAGER_ATTEMPT = 2"#);

    let options = ["--meter", "tokens=.usage.tokens", "-j", "1", "--timeout", "1s", "--max-attempts", "2"];
    world.ok(&[&["run", "-q"][..], &JSON, &options, &["--", "sh", "unit.sh", "{}", ":::", "1", "2"]].concat());

    // Four attempts, of which one has an unknown cost and counts as the most that one has cost.
    let (usd, tokens) = (meter(&world, "1", "usd"), meter(&world, "1", "tokens"));
    assert_eq!((usd["spent"].as_f64(), usd["unmetered"].as_u64()), (Some(1.0), Some(1)), "{usd}");
    assert_eq!(tokens["spent"].as_u64(), Some(7200), "{tokens}");
    let shown = world.ok(&["status", "1"]);
    assert!(shown.contains("spent     1 usd, 1 attempt of unknown cost"), "{shown}");
    let unit: Value = serde_json::from_str(&world.ok(&["unit", "1:1", "--json"])).unwrap();
    assert_eq!(unit["unit"]["spent"], serde_json::json!({ "usd": 0.5, "tokens": 3600 }), "{unit}");
    assert!(world.ok(&["unit", "1:1"]).contains("spent     0.50 usd"));
    let listed = world.ok(&["units", "1", "--sort", "spend"]);
    assert!(listed.contains("SPENT") && listed.contains("0.50 usd, 3600 tokens"), "{listed}");
    world.assert_sound("1");
}

#[test]
fn fault_421_a_job_pauses_before_its_budget_is_exceeded_and_a_resume_without_a_higher_one_is_refused() {
    let world = World::new();
    let command = ["--", "sh", "-c", "echo '{{\"cost\": 0.42}}'", "{}"];
    world.ok(&[&["submit", "-q", "-j", "2", "--range", "1-20", "--budget", "usd=5"][..], &JSON, &command].concat());
    world.wait_for_status("1", "paused");

    let usd = meter(&world, "1", "usd");
    let spent = usd["spent"].as_f64().unwrap();
    assert!((4.58..=5.0).contains(&spent), "{usd}");
    let why: Value = serde_json::from_str(&world.ok(&["explain", "1", "--json"])).unwrap();
    assert_eq!(why["cause"], "over_budget", "{why}");
    assert!(
        why["sentence"]
            .as_str()
            .unwrap()
            .contains(&format!("budget of 5 usd: {spent:.2} spent, a unit costs about 0.42")),
        "{why}"
    );
    let refused = world.fails(4, &["resume", "1"]);
    assert!(refused.contains("job-manager set 1 budget.usd="), "{refused}");
    let shown = world.ok(&["status", "1"]);
    assert!(shown.contains(&format!("spent     {spent:.2} of 5 usd, about 8.40 at the end")), "{shown}");

    world.ok(&["set", "1", "budget.usd=80"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(meter(&world, "1", "usd")["spent"].as_f64(), Some(8.4));
    world.assert_sound("1");
}

#[test]
fn fault_422_a_unit_that_completes_without_a_number_pauses_a_job_with_a_budget_and_is_named() {
    let world = World::new();
    let script = "sleep 0.1; test {} -eq 3 && echo '{{\"price\": 1}}' || echo '{{\"cost\": 0.01}}'";
    let options = ["--budget", "usd=50", "-j", "1", "--range", "1-9", "--shell", "--", script];
    world.ok(&[&["submit", "-q"][..], &JSON, &options].concat());
    world.wait_for_status("1", "paused");

    let why = world.ok(&["explain", "1"]);
    assert!(why.contains("unit 3 ended and has printed no number at .cost"), "{why}");
    assert_eq!(world.status("1")["progress"]["completed"], 3);

    // Where it may be missing it is nothing.
    world.ok(&["set", "1", "meter.usd=.cost:-0"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    assert_eq!(meter(&world, "1", "usd")["unmetered"], 1);

    let options = ["--budget", "tokens=50", "-j", "1", "--range", "1-9", "--", "sleep", "0.1"];
    world.ok(&[&["submit", "-q"][..], &options].concat());
    world.wait_for_status("2", "paused");
    let why = world.ok(&["explain", "2"]);
    assert!(why.contains("unit 1 ended and did not say what it cost"), "{why}");
    world.assert_sound("1");
}

#[test]
fn fault_428_a_budget_of_attempts_whose_cost_nobody_knows_stops_at_the_first_unless_one_is_reserved() {
    let world = World::new();
    let hang = "echo 1 >>bill; sleep 30";
    let options = ["--timeout", "0.2s", "--kill-after", "1s", "--max-attempts", "2", "-j", "4"];
    let units = ["--range", "1-12", "--budget", "usd=2", "--max-failures", "100%", "--shell", "--", hang];
    world.ok(&[&["submit", "-q"][..], &JSON, &options, &units].concat());
    world.wait_for_status("1", "paused");

    let why = world.ok(&["explain", "1"]);
    assert!(why.contains("ended and has printed no number at .cost") && why.contains("reserve"), "{why}");
    assert!(world.lines("bill").len() <= 2, "{:?}", world.lines("bill"));
    world.ok(&["set", "1", "reserve.usd=1"]);
    world.ok(&["resume", "1"]);
    world.wait_for_status("1", "paused");
    assert!(world.lines("bill").len() <= 4, "{:?}", world.lines("bill"));
    assert!(world.fails(4, &["resume", "1"]).contains("budget of 2 usd"));

    // What is there and is no number is not missing.
    for (number, is_known) in [(r#"{{"cost":"1.00"}}"#, false), (r#"{{"cost":null}}"#, true), ("{{}}", true)] {
        let printed = ["--meter", "usd=.cost:-0", "--result", "json", "--budget", "usd=2", "--", "echo", number];
        let job = world.ok(&[&["submit", "-q", "--range", "1-3", "-j", "1"][..], &printed].concat());
        world.wait_for_status(job.trim(), if is_known { "completed" } else { "paused" });
    }
}

#[test]
fn fault_448_no_unit_starts_after_the_end_of_one_that_a_budget_could_not_count_however_quick_they_are() {
    let world = World::new();
    let options = ["--budget", "usd=50", "--reserve", "usd=0.01", "-j", "1", "--range", "1-500"];
    let command = ["--shell", "--", "echo {} >>ran; echo '{{}}'"];
    world.ok(&[&["submit", "-q"][..], &JSON, &options, &command].concat());

    for begun in 1..=3 {
        world.wait_for_status("1", "paused");
        assert_eq!(world.lines("ran").len(), begun);
        world.ok(&["resume", "1"]);
    }

    // What a command says while it runs is known with the commit only.
    world.wait_for_status("1", "paused");
    let options = ["--budget", "usd=50", "--reserve", "usd=0.01", "-j", "1", "--range", "1-500"];
    let command = ["--shell", "--", r#"echo {} >>said; test {} = 3 || exec "$BIN" unit-spend usd=0.01"#];
    world.ok(&[&["submit", "-q"][..], &options, &command].concat());
    world.wait_for_status("2", "paused");
    assert_eq!(world.lines("said").len(), 3);
    world.assert_sound("2");
}

#[test]
fn fault_449_what_the_last_unit_of_a_job_says_that_it_spends_is_refused_and_leaves_nothing() {
    let world = World::new();
    let then = r#""$BIN" unit-spend usd=1 2>said; echo $? >code"#;

    world.ok(&["run", "-q", "--budget", "usd=5", "--then", then, "--", "sh", "-c", r#""$BIN" unit-spend usd=1"#]);

    assert_eq!(world.lines("code"), ["2"]);
    assert!(
        world.lines("said")[0].contains("the last unit of job 1 is not one of its items"),
        "{:?}",
        world.lines("said")
    );
    assert_eq!(meter(&world, "1", "usd")["spent"].as_f64(), Some(1.0));
    assert_eq!(world.count("(SELECT count(*) FROM spends)"), 1);
    assert_eq!(world.count("(SELECT count(*) FROM spends WHERE under_way IS NOT NULL)"), 0);
    world.assert_sound("1");
}

#[test]
fn a_meter_is_added_and_taken_away_by_its_path_and_a_slip_of_the_pen_makes_none() {
    let world = World::new();
    let command = ["--", "sh", "-c", "echo '{{\"cost\": 1}}'", "{}"];
    let options = ["--range", "1-9", "-j", "1", "--budget", "usd=3"];
    world.ok(&[&["submit", "-q"][..], &JSON, &options, &command].concat());
    world.wait_for_status("1", "paused");
    let shown = world.ok(&["explain", "1"]);
    let ended = world.run(&["wait", "1"]);

    let said = world.fails(2, &["set", "1", "budget.uds=20"]);
    world.ok(&["set", "1", "meter.calls=.calls:-0", "rate.calls=1000/s"]);
    world.ok(&["set", "1", "meter.calls=none"]);
    let twice = world.fails(2, &["set", "1", "meter.calls=none"]);
    let with_budget =
        [&["meter.usd=none"][..], &["budget.usd=5", "meter.usd=none"], &["meter.usd=none", "rate.usd=1/s"]]
            .map(|changes| world.fails(2, &[&["set", "1"][..], changes].concat()));
    world.ok(&["set", "1", "meter.calls=.calls:-0", "budget.calls=9"]);
    world.ok(&["set", "1", "meter.calls=none", "budget.calls=none"]);
    world.ok(&["set", "1", "budget.usd=none"]);
    let after = world.ok(&["explain", "1"]);

    assert!(twice.contains("has no meter \"calls\""), "{twice}");
    assert!(with_budget.iter().all(|said| said.contains("budget.usd=none")), "{with_budget:?}");
    assert!(said.contains("has no meter \"uds\", it has usd: meter.uds=PATH makes one"), "{said}");
    assert!(shown.contains("try: job-manager set 1 budget.usd="), "{shown}");
    let ended = text(&ended.stderr);
    assert!(ended.contains("budget of 3 usd: 3 spent") && ended.contains("set 1 budget.usd="), "{ended}");
    assert!(after.contains("a budget that was raised or taken away since") && after.contains("resume 1"), "{after}");
    let names: Vec<_> =
        world.status("1")["meters"].as_array().unwrap().iter().map(|meter| meter["name"].clone()).collect();
    assert_eq!(names, ["usd"]);
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);
    world.assert_sound("1");
}

#[test]
fn what_is_reserved_is_above_zero_and_for_a_budget_or_a_rate_and_large_amounts_are_counted() {
    let world = World::new();
    let nothing = world.fails(2, &["run", "-q", "--budget", "usd=5", "--reserve", "usd=0", "--", "true"]);
    let idle = world.fails(2, &["run", "-q", "--meter", "usd", "--reserve", "usd=1", "--", "true"]);
    let script = r#""$BIN" unit-spend usd=5000000000 tokens=0.0000001"#;
    world.ok(&["run", "-q", "--budget", "usd=9000000000000", "--meter", "tokens", "--", "sh", "-c", script]);

    assert!(nothing.contains("0 usd are reserved"), "{nothing}");
    assert!(idle.contains("usd has neither a budget nor a rate"), "{idle}");
    assert_eq!(meter(&world, "1", "usd")["spent"].as_f64(), Some(5e9));
    assert_eq!(meter(&world, "1", "tokens")["spent"].as_f64(), Some(0.000_001));
}

#[test]
fn fault_423_what_a_command_has_said_that_it_spends_outlives_the_kill_of_its_manager() {
    let world = World::new();
    let script = r#""$BIN" unit-spend usd=0.5 tokens=1800 && touch said-$JOB_MANAGER_KEY; until test -e go; do sleep 0.05; done; "$BIN" unit-spend usd=0.25"#;
    let options = ["--meter", "usd", "--meter", "tokens", "--backoff", "10ms", "--unit-key", "{}"];
    world.ok(&[&["submit", "-q"][..], &options, &["--", "sh", "-c", script, "{}", ":::", "a"]].concat());
    wait_for(&world, "what was said", || world.path("said-a").exists());

    world.kill_manager("1");
    assert_eq!(meter(&world, "1", "usd")["spent"].as_f64(), Some(0.5));
    // It ends what is left of the first attempt.
    world.ok(&["resume", "1"]);
    world.write("go", "");
    world.ok(&["wait", "1"]);

    let (usd, tokens) = (meter(&world, "1", "usd"), meter(&world, "1", "tokens"));
    assert_eq!((usd["spent"].as_f64(), usd["unmetered"].as_u64()), (Some(1.25), Some(0)), "{usd}");
    assert_eq!(tokens["spent"].as_u64(), Some(3600), "{tokens}");
    world.assert_sound("1");
}

#[test]
fn fault_424_an_attempt_that_was_killed_before_it_could_say_its_cost_counts_as_what_is_reserved_for_it() {
    let world = World::new();
    let script = "touch began-{}; until test -e go; do sleep 0.05; done; echo '{{\"cost\": 0.1}}'";
    let options = ["--budget", "usd=9", "--reserve", "usd=0.5", "-j", "2", "--range", "1-2", "--shell", "--", script];
    world.ok(&[&["submit", "-q"][..], &JSON, &options].concat());
    wait_for(&world, "two units", || world.path("began-1").exists() && world.path("began-2").exists());

    world.kill_manager("1");
    world.write("go", "");
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    let usd = meter(&world, "1", "usd");
    assert_eq!((usd["spent"].as_f64(), usd["unmetered"].as_u64()), (Some(1.2), Some(2)), "{usd}");
    world.assert_sound("1");
}

#[test]
fn one_unit_runs_at_a_time_until_it_is_known_what_one_costs() {
    let world = World::new();
    let script = "echo {} >>log; sleep 0.2; echo x >>log; echo '{{\"cost\": 1}}'";
    let options = ["--budget", "usd=100", "-j", "4", "--range", "1-4", "--shell", "--", script];
    world.ok(&[&["run", "-q"][..], &JSON, &options].concat());

    let log = world.lines("log");
    assert_eq!(log[1], "x", "two ran before anybody knew what one costs: {log:?}");
    assert!(log[2..].windows(2).any(|pair| pair.iter().all(|line| line != "x")), "then several at a time: {log:?}");
}

#[test]
fn the_last_unit_of_a_job_runs_though_its_budget_is_spent() {
    let world = World::new();
    let options =
        ["--budget", "usd=2", "-j", "1", "--range", "1-2", "--then", "touch last", "--", "echo", "{{\"cost\": 1}}"];

    world.ok(&[&["run", "-q"][..], &JSON, &options].concat());

    assert!(world.path("last").exists());
    assert_eq!(meter(&world, "1", "usd")["spent"].as_f64(), Some(2.0));
}

#[test]
fn a_meter_that_could_count_nothing_and_an_amount_that_is_none_are_refused_before_anything_is_made() {
    let world = World::new();
    for (options, words) in [
        (&["--meter", "usd=.cost"][..], "add --result json"),
        (&["--meter", "usd=cost"], "path of a number"),
        (&["--meter", "usd", "--meter", "usd"], "two values"),
        (&["--budget", "usd=0"], "zero"),
        (&["--budget", "usd=-1"], "negative"),
        (&["--budget", "usd=NaN"], "decimal"),
        (&["--budget", "50"], "names no meter"),
        (&["--budget", "usd=1", "--budget", "usd=2"], "two values"),
        (&["--rate", "tokens=90000"], "rate"),
        (&["--reserve", "usd=1e30"], "too large"),
        (&["--budget", "usd=5", "--reserve", "usd=6"], "no unit would ever start"),
        (&["--meter", "usd=.cost:-1", "--result", "json"], "no other number"),
    ] {
        let refused = world.fails(2, &[&["create", "-q"][..], options, &["--", "true", ":::", "1"]].concat());
        assert!(refused.contains(words), "{options:?}: {refused}");
    }
    assert!(!world.db().exists());

    let script = r#"
        for wrong in usd=NaN usd=-1 usd=1e99 eur=1 usd; do "$BIN" unit-spend $wrong 2>>said; echo $? >>codes; done
        "$BIN" unit-spend usd=1e3; echo $? >>codes"#;
    world.ok(&["run", "-q", "--meter", "usd", "--", "sh", "-c", script, "{}", ":::", "1"]);
    assert_eq!(world.lines("codes"), ["2", "2", "2", "2", "2", "0"]);
    assert!(world.lines("said").concat().contains("no meter \"eur\""), "{:?}", world.lines("said"));
    assert_eq!(meter(&world, "1", "usd")["spent"].as_u64(), Some(1000));
    let mut late = world.job_manager(&["unit-spend", "usd=1"]);
    late.env("JOB_MANAGER_JOB", "1").env("JOB_MANAGER_UNIT", "1").env("JOB_MANAGER_ATTEMPT", "1");
    let refused = late.output().unwrap();
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
}

#[test]
fn a_job_without_meters_leaves_no_trace_of_any() {
    let world = World::new();
    world.ok(&["run", "-q", "--range", "1-9", "--", "true"]);

    assert_eq!(world.count("(SELECT count(*) FROM meters) + (SELECT count(*) FROM spends)"), 0);
    assert!(world.status("1").get("meters").is_none());
    // Nothing of it is asked for them.
    world.damage("DROP TABLE spends");
    world.damage("DROP TABLE meters");
    world.ok(&["run", "-q", "--range", "1-9", "--", "true"]);
    world.ok(&["units", "2"]);
    world.ok(&["unit", "2:1"]);
    world.ok(&["status", "2"]);
}

#[test]
fn units_start_at_the_rate_of_a_meter() {
    let world = World::new();
    // A tenth of 600 is there at once, and 600 more in each second: 60 at once, then one of 60 in a tenth of a second.
    let options =
        ["--meter", "tokens=.n", "--rate", "tokens=600/s", "--reserve", "tokens=60", "--result", "json", "-j", "8"];
    let began = Instant::now();
    world.ok(&[&["run", "-q"][..], &options, &["--range", "1-20", "--", "echo", "{{\"n\": 60}}"]].concat());

    assert!(began.elapsed() >= Duration::from_millis(1700), "{:?}", began.elapsed());
    let span = world.count("max(started_at) - min(started_at) FROM units");
    assert!((1_600_000..6_000_000).contains(&span), "{span} µs between the first start and the last");
    assert_eq!(meter(&world, "1", "tokens")["spent"].as_u64(), Some(1200));
}

#[test]
fn fault_425_a_budget_by_the_day_holds_units_until_the_next_day_of_its_zone() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("letters", "ask");
    new.limits.workers = 1;
    let daily = budget("3/day").unwrap();
    let zone = daily.day_zone.clone().unwrap();
    new.limits.meter("usd").budget = Some(daily);
    let units = (1..=8).map(|number| NewUnit::new(&number).unwrap());
    let job = client.create_job(&new, units).unwrap().job;
    // Hours from midnight, in whatever zone this runs.
    let clock = testing::FakeClock::at(Timestamp::from_micros(1_780_000_000_000_000));
    let (began, days) = (clock.now(), std::sync::Mutex::new(Vec::new()));
    let days = std::sync::Arc::new(days);
    let mut handlers = Handlers::new();
    let (noted, own) = (std::sync::Arc::clone(&days), clock.clone());
    handlers.register("ask", move |_: i64, unit: &UnitContext<'_>| -> Result<(), UnitError> {
        noted.lock().unwrap().push(own.now());
        unit.spend("usd", 1)?;
        Ok(())
    });

    let status = testing::run_job_with_clock(&client, job, &handlers, &clock).unwrap();

    assert_eq!(status, JobStatus::Completed, "{zone}");
    let days = days.lock().unwrap();
    let waits: Vec<Duration> =
        days.windows(2).map(|pair| pair[1].since(pair[0])).filter(|wait| *wait > Duration::from_secs(60)).collect();
    // Eight units on three days; the second wait is a whole day, 23 to 25 hours long.
    assert_eq!(waits.len(), 2, "{days:?}");
    assert!((82_000..91_000).contains(&waits[1].as_secs()), "{waits:?}");
    assert!(clock.now().since(began) < Duration::from_secs(3 * 90_000));
    let spent = client.get_manager_status(job).unwrap().meters[0].spent;
    assert_eq!(spent.to_string(), "8");
}

#[test]
fn a_handler_that_says_nothing_or_something_unknown_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let mut new = NewJob::new("letters", "ask");
    new.limits.workers = 1;
    new.limits.meter("usd").budget = Some(budget("3").unwrap());
    let job = client.create_job(&new, (1..=200).map(|number| NewUnit::new(&number).unwrap())).unwrap().job;
    let mut handlers = Handlers::new();
    handlers.register("ask", |number: i64, unit: &UnitContext<'_>| -> Result<(), UnitError> {
        assert!(
            unit.spend("eur", 1).is_err() && unit.spend("usd", -0.5).is_err() && unit.spend("usd", f64::NAN).is_err()
        );
        if number != 2 {
            unit.spend("usd", 0.01)?;
        }
        Ok(())
    });

    let status = testing::run_job(&client, job, &handlers).unwrap();

    assert_eq!(status, JobStatus::Paused);
    let why = client.explain(job, None).unwrap().sentence;
    assert!(why.contains("unit 2 ended and did not say what it cost"), "{why}");
}

/// How long units and managers are killed: some seconds, or as many as `JM_TEST_BILLED_SECONDS` says.
fn time() -> Duration {
    let seconds = std::env::var("JM_TEST_BILLED_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(6))
}

#[test]
fn fault_420_what_is_recorded_is_what_was_billed_though_units_and_managers_are_killed_at_random() {
    const WORKERS: i64 = 4;
    const MOST: i64 = 999;
    let world = World::new();
    let mut random = Random::seeded();
    // It is billed first, in thousandths. One of eight is killed before it could say anything, one of four fails afterwards.
    world.write(
        "unit.sh",
        r#"
        set -- $(od -An -N3 -tu1 /dev/urandom)
        cost=$((100 + ($1 * 256 + $2) % 900))
        echo $cost >>bill
        test $(($3 % 8)) -gt 0 || kill -9 $$
        test $(($3 % 3)) -gt 0 || sleep 0.1
        echo "{\"cost\": 0.$cost}"
        test $(($3 % 4)) -gt 0"#,
    );
    let range = format!("1-{}", time().as_secs() * 1000);
    let options = ["--reserve", "usd=0.9", "-j", "4", "--max-attempts", "2", "--range", &range, "--", "sh", "unit.sh"];
    world.ok(&[&["submit", "-q", "--budget", "usd=1000000"][..], &JSON, &options].concat());
    let bill = || world.lines("bill").iter().filter_map(|line| line.parse::<i64>().ok()).sum::<i64>();
    // In one snapshot each: what was spent, in thousandths, and attempts of unknown cost; and what its units have cost beside it.
    let recorded = || {
        let found = world.count("coalesce(max(spent), 0) / 1000 * 1000000 + coalesce(max(unmetered), 0) FROM meters");
        let beside = "coalesce((SELECT sum(amount) FROM spends), 0) - coalesce((SELECT max(spent) FROM meters), 0)";
        assert_eq!(world.count(beside), 0, "the job has spent something else than its units");
        (found / 1_000_000, found % 1_000_000)
    };
    let check = || {
        let before = bill();
        let (spent, unmetered) = recorded();
        let after = bill();
        // Those of unknown cost count as what most cost; those under way, or just ended, are not recorded yet.
        assert!(spent <= after + unmetered * MOST, "{spent} recorded of {after}, {unmetered} of unknown cost");
        let missing = before - spent;
        assert!(
            missing <= (unmetered + 3 * WORKERS) * MOST,
            "{spent} recorded of {before}, {unmetered} of unknown cost"
        );
        (spent, unmetered)
    };

    let (began, mut killed, mut snapshots) = (Instant::now(), 0, 0);
    let mut next = Instant::now();
    while began.elapsed() < time() || killed < 3 {
        check();
        snapshots += 1;
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_millis(700 + u64::from(random.below(600) as u32));
            wait_for(&world, "something to be billed", || bill() > 0);
            world.kill_manager("1");
            check();
            world.ok(&["resume", "1"]);
            killed += 1;
        } else if let Some(child) = children_of(world.manager("1")).first() {
            // It may have ended by now.
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(*child as i32), nix::sys::signal::Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    // Nothing is spent while the new budget is set.
    world.ok(&["stop", "--wait", "1"]);
    let (spent, _) = check();
    let budget = spent / 1000 + 20;
    world.ok(&["set", "1", &format!("budget.usd={budget}")]);
    world.ok(&["resume", "1"]);
    world.wait_for_status("1", "paused");

    let (spent, unmetered) = check();
    let billed = bill();
    assert!(spent <= budget * 1000, "{spent} of {budget}");
    // What attempts of unknown cost have cost above what was reserved for them, and those under way at the end.
    assert!(billed <= budget * 1000 + (unmetered + WORKERS) * MOST, "{billed} billed, {budget} allowed");
    let why = world.ok(&["explain", "1"]);
    assert!(why.contains(&format!("budget of {budget} usd")), "{why}");
    world.fails(4, &["resume", "1"]);
    world.assert_sound("1");
    println!(
        "{killed} managers killed, {snapshots} snapshots, {billed} billed, {spent} recorded, {unmetered} of unknown cost"
    );
}

#[cfg(feature = "postgres")]
#[test]
fn fault_426_a_database_of_the_schema_before_on_a_server_is_read_as_it_is_and_brought_up_to_date_by_a_verb_that_writes()
{
    let Some(world) = World::on_server() else { return };
    world.ok(&["create", "-q", "--", "true", ":::", "1", "2"]);
    let newest = world.schema_on_server();
    world.back_to_schema(newest - 1);

    for verb in [&["list", "-a"][..], &["status", "1"], &["units", "1"], &["unit", "1:1"], &["explain", "1"]] {
        world.ok(verb);
    }
    assert_eq!(world.schema_on_server(), newest - 1, "a verb that reads has changed it");
    world.ok(&["start", "1"]);
    world.ok(&["wait", "1"]);

    assert_eq!(world.schema_on_server(), newest);
    world.ok(&["run", "-q", "--meter", "usd=.cost", "--result", "json", "--", "echo", "{{\"cost\": 2}}"]);
    assert_eq!(meter(&world, "2", "usd")["spent"].as_u64(), Some(2));
}

#[cfg(feature = "postgres")]
#[test]
fn fault_427_the_managers_of_a_job_on_several_hosts_share_its_budget() {
    let Some(hosts) = crate::support::Hosts::new() else { return };
    let names = ["one", "two", "three"];
    let options = ["-j", "2", "--budget", "usd=30", "--reserve", "usd=1", "--meter", "usd=.cost", "--result", "json"];
    let job = hosts.create(400, &options, "echo 1 >>bill; sleep 0.5; echo '{{\"cost\": 1}}'");
    hosts.start_on(&names, &job);
    hosts.wait_for_status(&job, "paused");

    let spent = hosts.count("SELECT spent / 1000000 FROM meters");
    let billed = i64::try_from(hosts.lines("bill").len()).unwrap();
    let of_units = hosts.count("SELECT sum(amount) / 1000000 FROM spends");
    let parts = hosts.count("SELECT count(*) FROM managers WHERE state = 'left'");
    // Each other manager may have started what its workers take before this one has seen that.
    assert!(
        (25..=36).contains(&spent) && spent == of_units && billed == spent,
        "{spent} spent, {billed} billed, {of_units}"
    );
    assert_eq!(parts, 3);
    let why = hosts.ok("two", &["explain", &job]);
    assert!(why.contains("budget of 30 usd"), "{why}");
    assert_eq!(hosts.run("one", &["resume", &job]).status.code(), Some(4));
}

#[cfg(feature = "serve")]
#[test]
fn metrics_have_what_a_job_that_has_not_ended_has_spent() {
    let world = World::new();
    let command = ["--budget", "usd=3.2", "-j", "1", "--range", "1-9", "--", "echo", "{{\"cost\": 1.25}}"];
    world.ok(&[&["submit", "-q"][..], &JSON, &command].concat());
    world.wait_for_status("1", "paused");

    let text = world.serve(&[]).ask("GET /metrics", &[], "").body;

    let line = "job_manager_job_spent_total{job_id=\"1\",name=\"echo\",meter=\"usd\"} 2.5";
    assert!(text.lines().any(|found| found == line), "{text}");
}

#[test]
fn fault_529_a_rate_that_nobody_counts_pauses_the_job_and_names_the_unit() {
    let world = World::new();
    let run = |name: &str, options: &[&str]| {
        let args = [&["run", "-q", "--name", name, "-j", "1", "--range", "1-10"][..], options].concat();
        assert_eq!(world.run(&args).status.code(), Some(12), "{}", world.report());
        world.ok(&["explain", name])
    };

    let path = run(
        "path",
        &["--result", "json", "--meter", "tokens=.t", "--rate", "tokens=60/min", "--", "echo", r#"{{"x":1}}"#],
    );
    let nobody = run("nobody", &["--rate", "usd=600/min", "--", "true"]);

    assert!(
        path.contains("unit 1 ended and has printed no number at .t, so that nobody keeps the rate of tokens"),
        "{path}"
    );
    assert!(
        nobody.contains("unit 1 ended and did not say what it cost, so that nobody keeps the rate of usd"),
        "{nobody}"
    );
}

#[test]
fn an_attempt_that_came_to_nothing_pauses_no_job_whose_meter_has_a_rate_only() {
    let world = World::new();
    let script = r#"test -e "tried$1" || {{ touch "tried$1"; exit 1; }}; echo '{{"t":1}}'"#;
    let options =
        ["run", "-q", "-j", "1", "--range", "1-3", "--backoff", "10ms", "--result", "json", "--meter", "tokens=.t"];
    let options = [&options[..], &["--rate", "tokens=600/s", "--", "sh", "-c", script, "sh", "{}"]].concat();

    world.ok(&options);

    assert_eq!(world.status("1")["progress"]["completed"], 3);
}

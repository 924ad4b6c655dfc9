//! One scenario: what is hit, and what must be true afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::support::{World, text, wait_for};

/// Resumes after which a job must have ended.
const RESUMES: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What happens, for people.
    #[expect(dead_code, reason = "it is there for whoever reads the file")]
    about: String,
    /// Number of the faults it shows.
    #[expect(dead_code, reason = "it is there for whoever reads the file")]
    faults: Vec<u32>,
    /// Crash point, action and count.
    pub crash: String,
    /// The command that is hit.
    #[serde(default)]
    during: During,
    #[serde(default = "forty")]
    units: usize,
    #[serde(default = "four")]
    workers: usize,
    /// Further options of the submission.
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    expect: Expect,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum During {
    #[default]
    Submit,
    Start,
    Resume,
    Stop,
    Copy,
}

/// Moves the job into another database, where it goes on.
const COPY: [&str; 5] = ["copy", "last", "--to", "other.db", "--cancel-source"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    /// Whether the job exists afterwards.
    exists: bool,
    /// State of the job after the crash, before any resume.
    job: Option<String>,
    /// What the job's error then says.
    error: Option<String>,
    /// Whether the crashed command reported success.
    reports_success: Option<bool>,
    /// Attempts beyond one per unit.
    repeats: usize,
    /// Units that fail permanently.
    failed: usize,
}

impl Default for Expect {
    fn default() -> Self {
        Self { exists: true, job: None, error: None, reports_success: None, repeats: 0, failed: 0 }
    }
}

fn forty() -> usize {
    40
}

fn four() -> usize {
    4
}

/// Notes its start and its end, and any other attempt of itself that lives beside it. One that starts later than half of the
/// others ends only when nobody holds the job up.
const UNIT: &str = "exec 9>lock.$JOB_MANAGER_UNIT; flock -n 9 || echo overlap $JOB_MANAGER_UNIT >>trace; \
    echo start $JOB_MANAGER_UNIT >>trace; while [ $JOB_MANAGER_UNIT -gt 20 ] && [ -e held ]; do sleep 0.01; done; sleep 0.0{}; echo end $JOB_MANAGER_UNIT >>trace";

impl Scenario {
    pub fn read(path: &Path) -> Scenario {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

pub fn run(path: &Path) {
    let mut scenario = Scenario::read(path);
    let mut world = World::new();

    hit(&world, &scenario);
    if scenario.during == During::Copy {
        world = world.with_db("other.db");
    }
    if !scenario.expect.exists {
        assert!(world.run(&["list", "-q", "-a"]).stdout.is_empty(), "half a job is seen");
        scenario.units = forty();
        world.ok(&submission(&world, &scenario, "submit"));
    }
    check_crash(&world, &scenario);
    bring_to_its_end(&world, &scenario);
    check_invariants(&world, &scenario);
}

/// Lets the crash happen, and waits until nobody runs the job.
fn hit(world: &World, scenario: &Scenario) {
    let submit = submission(world, scenario, "submit");
    let create = submission(world, scenario, "create");
    match scenario.during {
        During::Submit => crash(world, scenario, &submit),
        During::Start => {
            world.ok(&create);
            crash(world, scenario, &["start", "last"]);
        }
        During::Resume => {
            // Not a race between its units and the kill.
            world.write("held", "");
            world.ok(&submit);
            world.wait_for_completed("last", scenario.units as u64 / 8);
            world.kill_manager("last");
            std::fs::remove_file(world.path("held")).unwrap();
            crash(world, scenario, &["resume", "last"]);
        }
        During::Stop => {
            crash(world, scenario, &submit);
            world.wait_for_completed("last", scenario.units as u64 / 8);
            world.ok(&["stop", "last"]);
        }
        During::Copy => {
            world.ok(&create);
            crash(world, scenario, &COPY);
            assert!(world.run(&["--db", "other.db", "list", "-q", "-a"]).stdout.is_empty(), "half a copy is seen");
            world.ok(&COPY);
        }
    }
    if scenario.expect.exists && scenario.during != During::Copy {
        wait_for(world, "the manager to be gone", || world.status("last")["status"] != "running");
    }
}

fn crash(world: &World, scenario: &Scenario, args: &[&str]) {
    let output = world.job_manager(args).env("JOB_MANAGER_CRASH", &scenario.crash).output().unwrap();
    if let Some(success) = scenario.expect.reports_success {
        assert_eq!(output.status.success(), success, "{}", text(&output.stderr));
        assert!(success || output.status.code().is_none() || !output.stderr.is_empty(), "an error without a word");
    }
}

fn submission<'a>(world: &World, scenario: &'a Scenario, verb: &'a str) -> Vec<&'a str> {
    let items: String = (0..scenario.units).map(|number| format!("{}\n", number % 3)).collect();
    world.write("items", &items);
    let workers = Box::leak(scenario.workers.to_string().into_boxed_str());
    let mut args = vec![verb, "-j", workers, "--lines", "items", "--backoff", "1ms..5ms"];
    args.extend(scenario.options.iter().map(String::as_str));
    args.extend(["--shell", "--", UNIT]);
    args
}

fn check_crash(world: &World, scenario: &Scenario) {
    let status = world.status("last");
    if let Some(expected) = &scenario.expect.job {
        assert_eq!(status["job_status"], expected.as_str(), "{status}\n{}", world.report());
    }
    if let Some(expected) = &scenario.expect.error {
        assert!(status["error"].to_string().contains(expected.as_str()), "{status}");
    }
}

fn bring_to_its_end(world: &World, scenario: &Scenario) {
    for _ in 0..RESUMES {
        let resumed = world.run(&["resume", "last"]);
        assert!(matches!(resumed.status.code(), Some(0 | 4)), "{}", text(&resumed.stderr));
        let ended = world.run(&["wait", "last", "--timeout", "60s"]);
        let expected = if scenario.expect.failed == 0 { 0 } else { 10 };
        if ended.status.code() == Some(expected) {
            return;
        }
        assert_eq!(ended.status.code(), Some(13), "{}\n{}", text(&ended.stderr), world.report());
    }
    panic!("the job does not come to its end\n{}", world.report());
}

fn check_invariants(world: &World, scenario: &Scenario) {
    let trace = world.lines("trace");
    let count = |what: &str| -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for unit in trace.iter().filter_map(|line| line.strip_prefix(what)) {
            *times.entry(unit.trim().to_owned()).or_insert(0) += 1;
        }
        times
    };
    let (started, ended) = (count("start"), count("end"));
    let units = world.units("last");
    let job = world.status("last")["job"]["id"].to_string();
    let completed: BTreeSet<String> =
        units.iter().filter(|unit| unit["status"] == "completed").map(|unit| unit["seq"].to_string()).collect();

    assert!(count("overlap").is_empty(), "two attempts of one unit lived at once: {trace:?}");
    assert_eq!(units.len(), scenario.units, "a unit is lost");
    assert_eq!(completed.len(), scenario.units - scenario.expect.failed);
    let unproven: Vec<_> = completed.iter().filter(|unit| !ended.contains_key(*unit)).collect();
    assert!(unproven.is_empty(), "completed without having run to the end: {unproven:?}");
    let repeats = started.values().sum::<usize>() - started.len();
    assert!(repeats <= scenario.expect.repeats, "{repeats} attempts too many\n{}", world.report());
    world.assert_sound(&job);
    wait_for(world, "the manager to end", || world.status("last")["status"] == "stopped");
    world.assert_no_process_left();
}

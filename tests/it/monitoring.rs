//! What reads our metrics elsewhere: Prometheus, its rules, and the queries of the Grafana dashboard.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Served, World, wait_for, without_tool};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/monitoring");

fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        without_tool(tool);
    }
    found
}

/// One job that completed, one that fails and goes on, one that was killed and one that waits.
fn jobs(world: &World) -> String {
    world.ok(&["run", "-q", "--name", "nightly-photos", "--", "true", ":::", "a", "b"]);
    world.ok(&["create", "--name", "waits", "--", "true"]);
    let script = "test {} -gt 2 && sleep 600 || exit 1";
    let running =
        world.ok(&["submit", "-q", "-j", "4", "--max-attempts", "1", "--range", "1-4", "--shell", "--", script]);
    wait_for(world, "two failures", || world.status(&running)["progress"]["failed"] == 2);
    running
}

#[test]
fn each_alert_fires_when_it_should_and_metrics_are_written_as_prometheus_reads_them() {
    let world = World::new();
    if !is_there("promtool") {
        return;
    }
    let running = jobs(&world);
    let file = world.path("job-manager.prom");
    world.ok(&["metrics", "--textfile", file.to_str().unwrap()]);
    let promtool = |args: &[&str], input: Option<&std::path::Path>| {
        let mut command = Command::new("promtool");
        command.current_dir(EXAMPLES).args(args);
        if let Some(input) = input {
            command.stdin(std::fs::File::open(input).unwrap());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    };

    promtool(&["check", "rules", "alerts.yml"], None);
    promtool(&["test", "rules", "alerts_test.yml"], None);
    promtool(&["check", "metrics"], Some(&file));

    // The collector is somebody else.
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o444, 0o444);
    world.fails(2, &["metrics", "--textfile", "-"]);
    world.fails(2, &["metrics", "--textfile", world.path("none/of.prom").to_str().unwrap()]);
    let said = world.fails(2, &["metrics", "--json"]);
    assert!(said.contains("metrics are text for Prometheus"), "{said}");
    world.ok(&["cancel", &running]);
}

/// What only grows, by name and labels.
fn counters(world: &World) -> BTreeMap<String, f64> {
    let text = world.ok(&["metrics"]);
    let is_counter = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap();
        ["_total", "_bucket", "_count", "_sum"].iter().any(|end| name.ends_with(end))
    };
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter(is_counter);
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[test]
fn counters_go_on_whatever_is_retried_deleted_or_dies() {
    let world = World::new();
    world.ok(&["run", "-q", "--", "true", ":::", "a", "b"]);
    let fails = ["--max-attempts", "2", "--backoff", "1ms..1ms", "--shell", "--", "test -e {}", ":::", "a", "b"];
    world.run(&[&["run", "-q"], &fails[..]].concat());
    let mut before = counters(&world);
    let count = |counters: &BTreeMap<String, f64>, name: &str| counters[&format!("job_manager_{name}")] as u64;
    let check = |before: &mut BTreeMap<String, f64>, what: &str| {
        let now = counters(&world);
        let less: Vec<_> =
            before.iter().filter(|(name, value)| now.get(*name).is_none_or(|now| now < *value)).collect();
        assert!(less.is_empty(), "{what}: less than before: {less:?} in {now:?}");
        *before = now;
    };
    assert_eq!(count(&before, "units_ended_total{outcome=\"completed\"}"), 2, "{before:?}");
    assert_eq!(count(&before, "units_ended_total{outcome=\"failed\"}"), 2);
    assert_eq!(count(&before, "attempts_total{outcome=\"failed\"}"), 4);
    assert_eq!(count(&before, "retries_total"), 2);
    assert_eq!(count(&before, "unit_duration_seconds_count{outcome=\"completed\"}"), 2);
    assert!(count(&before, "commit_duration_seconds_bucket{le=\"60.0\"}") > 0, "{before:?}");
    assert_eq!(count(&before, "unit_duration_seconds_bucket{le=\"+Inf\",outcome=\"failed\"}"), 2);

    world.ok(&["retry", "--no-start", "2", "--failed", "--seq", "1"]);
    check(&mut before, "units were sent back");
    world.ok(&["skip", "2", "--all"]);
    check(&mut before, "units were skipped");
    assert_eq!(count(&before, "units_ended_total{outcome=\"failed\"}"), 2);
    assert_eq!(count(&before, "units_ended_total{outcome=\"skipped\"}"), 2);
    let job = world.ok(&["submit", "-q", "--shell", "--", "until [ -e go ]; do sleep 0.01; done"]);
    wait_for(&world, "the unit to run", || world.status(&job)["progress"]["running"] == 1);
    world.kill_manager(&job);
    world.write("go", "");
    world.ok(&["resume", &job]);
    world.ok(&["wait", &job]);
    check(&mut before, "a manager has died");
    assert_eq!(count(&before, "manager_deaths_total"), 1);
    assert_eq!(count(&before, "attempts_total{outcome=\"crashed\"}"), 1);
    world.ok(&["rm", "1", "-y"]);
    check(&mut before, "a job was deleted");
    world.ok(&["prune", "--older-than", "0s", "-y"]);
    check(&mut before, "all jobs were deleted");

    assert_eq!(count(&before, "units_ended_total{outcome=\"completed\"}"), 3);
    assert_eq!(count(&before, "attempts_total{outcome=\"completed\"}"), 3);
}

#[test]
fn every_query_of_the_grafana_dashboard_has_an_answer_in_a_real_prometheus() {
    let world = World::new();
    if !is_there("prometheus") {
        return;
    }
    let running = jobs(&world);
    let dashboard = world.serve(&[]);
    let text = std::fs::read_to_string(format!("{EXAMPLES}/grafana.json")).unwrap();
    let grafana: Value = serde_json::from_str(&text).unwrap();
    let queries: Vec<&str> = grafana["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let prometheus = Prometheus::start(&world, &dashboard);

    for query in &queries {
        wait_for(&world, query, || prometheus.samples(query) > 0);
    }

    assert!(queries.len() >= 9, "{queries:?}");
    drop(prometheus);
    world.ok(&["cancel", &running]);
}

struct Prometheus {
    process: std::process::Child,
    port: u16,
}

impl Prometheus {
    fn start(world: &World, dashboard: &Served) -> Prometheus {
        let config = format!(
            "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: job-manager\n    authorization: {{ credentials: {} }}\n    \
             static_configs: [{{ targets: [\"127.0.0.1:{}\"] }}]\n",
            dashboard.token, dashboard.port
        );
        let config = world.write("prometheus.yml", &config);
        // Free a moment ago; whoever takes it meanwhile makes the start fail, and nothing else.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", world.path("prometheus").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Prometheus { process, port }
    }

    fn samples(&self, query: &str) -> usize {
        let address = format!("http://127.0.0.1:{}/api/v1/query", self.port);
        let answer =
            Command::new("curl").args(["-sG", &address, "--data-urlencode", &format!("query={query}")]).output();
        let answer: Option<Value> = serde_json::from_slice(&answer.unwrap().stdout).ok();
        answer.and_then(|answer| Some(answer["data"]["result"].as_array()?.len())).unwrap_or(0)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn several_writers_of_one_file_of_metrics_leave_it_whole_and_nothing_beside_it() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);
    let dir = world.path("textfiles");
    std::fs::create_dir(&dir).unwrap();
    let file = dir.join("jobs.prom");

    let writers: Vec<_> = (0..8)
        .map(|_| world.job_manager(&["metrics", "--textfile", file.to_str().unwrap()]).spawn().unwrap())
        .collect();
    let ended: Vec<_> = writers.into_iter().map(|mut writer| writer.wait().unwrap().success()).collect();

    assert_eq!(ended, [true; 8]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("job_manager_jobs"));
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
}

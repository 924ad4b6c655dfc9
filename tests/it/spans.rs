//! Spans that a manager sends to a collector of OpenTelemetry.

use std::collections::HashSet;
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Answer, World, serve, wait_for};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Runs a collector; returns its address and the spans that it was given.
fn collector() -> (String, Arc<Mutex<Vec<Value>>>) {
    let spans = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&spans);
    let address = serve(move |asked| {
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/traces"));
        let request: Value = serde_json::from_str(&asked.body).unwrap();
        let resource = &request["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "job-manager");
        taken.lock().unwrap().extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned());
        Answer::ok("{}")
    });
    (format!("http://{address}"), spans)
}

fn with_collector(world: &World, address: &str, args: &[&str]) -> Command {
    let mut command = world.job_manager(args);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", address);
    command
}

fn of_name(spans: &Mutex<Vec<Value>>, name: &str) -> Vec<Value> {
    spans.lock().unwrap().iter().filter(|span| span["name"] == name).cloned().collect()
}

fn attribute(span: &Value, key: &str) -> Option<String> {
    let found = span["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == key)?;
    let value = found["value"].as_object().unwrap().values().next().unwrap();
    Some(value.as_str().unwrap().to_owned())
}

fn nanos(span: &Value, field: &str) -> u64 {
    span[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_job_and_its_attempts_are_spans_below_the_one_that_created_it() {
    let world = World::new();
    let (address, spans) = collector();
    let script = r#"echo "$TRACEPARENT" >>parents; test {} != 2 || exit 3"#;

    let run = ["run", "-q", "--name", "n", "-j", "1", "--max-attempts", "2", "--backoff", "1ms"];
    let mut run = with_collector(&world, &address, &[&run[..], &["--shell", "--", script, ":::", "1", "2"]].concat());
    assert_eq!(run.env("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01")).status().unwrap().code(), Some(10));
    wait_for(&world, "the span of the job", || of_name(&spans, "job").len() == 1);

    let job = of_name(&spans, "job").remove(0);
    assert_eq!((&job["traceId"], &job["parentSpanId"]), (&TRACE.into(), &PARENT.into()));
    assert_eq!(
        (attribute(&job, "job_manager.job.status").as_deref(), &job["status"]["code"]),
        (Some("failed"), &2.into())
    );
    let attempts = of_name(&spans, "attempt");
    let seen: Vec<_> = attempts
        .iter()
        .map(|span| {
            assert_eq!((&span["traceId"], &span["parentSpanId"]), (&TRACE.into(), &job["spanId"]));
            let (began, ended) = (nanos(span, "startTimeUnixNano"), nanos(span, "endTimeUnixNano"));
            assert!(nanos(&job, "startTimeUnixNano") <= began && began <= ended, "{span} {job}");
            assert!(ended <= nanos(&job, "endTimeUnixNano"), "{span} {job}");
            let of = |key| attribute(span, key).unwrap_or_default();
            [
                of("job_manager.unit.seq"),
                of("job_manager.attempt"),
                of("process.exit.code"),
                of("job_manager.unit.status"),
            ]
            .join(" ")
        })
        .collect();
    assert_eq!(seen, ["1 1 0 completed", "2 1 3 pending", "2 2 3 failed"]);
    assert!(attempts[2]["status"]["message"].as_str().unwrap().contains("exited with code 3"), "{attempts:?}");
    // What the units themselves send is below their attempts.
    let parents: HashSet<String> = world.lines("parents").into_iter().collect();
    let own = |span: &Value| format!("00-{TRACE}-{}-01", span["spanId"].as_str().unwrap());
    assert_eq!(attempts.iter().map(own).collect::<HashSet<_>>(), parents);
}

#[test]
fn spans_are_sampled_bounded_and_off_unless_asked_for() {
    let world = World::new();
    let (address, spans) = collector();
    let run = ["run", "-q", "--range", "1-200", "-j", "4", "--output", "none", "--", "true"];

    world.ok(&run);
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    assert!(with_collector(&world, &address, &run).env("TRACEPARENT", unsampled).status().unwrap().success());
    assert!(with_collector(&world, &address, &run).env("OTEL_TRACES_SAMPLER_ARG", "0.2").status().unwrap().success());
    wait_for(&world, "the span of a job", || of_name(&spans, "job").len() == 1);

    let uid = world.status("3")["job"]["uid"].as_str().unwrap().replace('-', "");
    let job = of_name(&spans, "job").remove(0);
    assert_eq!((&job["traceId"], job.get("parentSpanId")), (&uid.into(), None));
    // Each of 200 has its own chance of a fifth.
    let sampled = of_name(&spans, "attempt").len();
    assert!((10..=80).contains(&sampled), "{sampled}");
}

#[test]
fn a_collector_that_is_away_or_silent_delays_no_unit_and_is_named_in_the_log() {
    let world = World::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for (address, said) in [
        ("http://127.0.0.1:1", "has not taken"),
        ("https://127.0.0.1", "only http://"),
        (&*silent, "the span collector did not answer in time"),
    ] {
        let began = Instant::now();
        let run = ["run", "-q", "--range", "1-9", "--", "true"];
        assert!(with_collector(&world, address, &run).status().unwrap().success());
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());

        let job = world.ok(&["list", "--json"]);
        let job = serde_json::from_str::<Value>(&job).unwrap()["jobs"][0]["job"]["id"].to_string();
        wait_for(&world, "what the manager says of it", || world.ok(&["logs", "--manager", &job]).contains(said));
    }
}

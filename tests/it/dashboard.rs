//! `serve`: what is answered, what is changed, and how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{World, needs_file, send, wait_for};

/// A job of five units of which two failed, in different ways.
fn failed_job(world: &World) -> String {
    let script = "case {} in *3) echo \"no such page {}\" >&2; exit 1;; *4) exit 7;; *) echo page {};; esac";
    world.run(&["run", "-q", "--name", "pages", "--max-attempts", "1", "--range", "1-5", "--shell", "--", script]);
    "1".to_owned()
}

fn document(world: &World, args: &[&str]) -> Value {
    serde_json::from_str(&world.ok(&[args, &["--json"]].concat())).unwrap()
}

#[test]
fn a_dashboard_answers_with_the_documents_of_the_command_line() {
    let world = World::new();
    failed_job(&world);
    let dashboard = world.serve(&[]);

    for (path, args) in [
        ("/api/v1/jobs", &["list"][..]),
        ("/api/v1/jobs?status=failed,paused", &["list", "--status", "failed", "--status", "paused"]),
        ("/api/v1/jobs?status=interrupted,failed", &["list", "--status", "interrupted", "--status", "failed"]),
        ("/api/v1/jobs?name=other", &["list", "--name", "other"]),
        ("/api/v1/jobs/1", &["status", "1"]),
        ("/api/v1/jobs/pages", &["status", "pages"]),
        ("/api/v1/jobs/1/units", &["units", "1"]),
        ("/api/v1/jobs/1/units?status=failed", &["units", "1", "--failed"]),
        ("/api/v1/jobs/1/units?limit=2&after=1", &["units", "1", "--limit", "2", "--after", "1"]),
        ("/api/v1/jobs/1/units?sort=duration", &["units", "1", "--sort", "duration"]),
        ("/api/v1/jobs/1/units/3", &["unit", "1:3"]),
        ("/api/v1/jobs/1/failures", &["failures", "1"]),
        ("/api/v1/jobs/1/explain", &["explain", "1"]),
        ("/api/v1/jobs/1/explain?unit=3", &["explain", "1:3"]),
    ] {
        assert_eq!(dashboard.get(path), document(&world, args), "{path}");
    }
    assert_eq!(dashboard.get("/api/v1/about")["read_only"], false);
}

#[test]
fn what_cannot_be_answered_is_an_error_with_a_fitting_status() {
    let world = World::new();
    failed_job(&world);
    world.ok(&["create", "--", "true"]);
    let dashboard = world.serve(&[]);
    let json = ("Content-Type", "application/json");

    for (status, request, headers, body) in [
        (404, "GET /api/v1/jobs/7", &[][..], ""),
        (404, "GET /api/v1/jobs/1/units/6", &[], ""),
        (404, "GET /api/v1/jobs/99999999999999", &[], ""),
        (400, "GET /api/v1/jobs/1/units/x", &[], ""),
        (400, "GET /api/v1/jobs?status=nonsense", &[], ""),
        (400, "GET /api/v1/jobs?unknown=1", &[], ""),
        (400, "GET /api/v1/jobs/1/units?match=(", &[], ""),
        (400, "GET /api/v1/jobs/%ff", &[], ""),
        (400, "GET /api/v1/jobs/%ff/units/%ff", &[], ""),
        (400, "POST /api/v1/jobs/%ff/stop", &[], ""),
        (404, "GET /nothing", &[], ""),
        (405, "GET /api/v1/jobs/1/stop", &[], ""),
        (405, "POST /api/v1/jobs/1", &[], ""),
        (405, "DELETE /", &[], ""),
        (405, "POST /metrics", &[], ""),
        (409, "POST /api/v1/jobs/1/stop", &[], ""),
        (409, "POST /api/v1/jobs/1/resume", &[], ""),
        (409, "POST /api/v1/jobs/1/approve", &[], ""),
        (409, "POST /api/v1/jobs/1/cancel", &[], ""),
        (404, "POST /api/v1/jobs/1/retry", &[json], r#"{"cluster":"000000000000"}"#),
        (404, "POST /api/v1/jobs/1/retry", &[json], r#"{"unit":1000000}"#),
        (400, "POST /api/v1/jobs/1/retry", &[json], r#"{"unit":9223372036854775807}"#),
        (400, "POST /api/v1/jobs/1/retry", &[json], "{}"),
        (400, "POST /api/v1/jobs/1/retry", &[], ""),
        (422, "POST /api/v1/jobs/1/scale", &[json], r#"{"workers":"many"}"#),
        (422, "POST /api/v1/jobs/1/scale", &[json], r#"{"workers":4,"more":1}"#),
        (422, "POST /api/v1/jobs/2/scale", &[json], r#"{"workers":5000}"#),
        (415, "POST /api/v1/jobs/1/scale", &[("Content-Type", "text/plain")], r#"{"workers":4}"#),
    ] {
        let reply = dashboard.ask(request, headers, body);

        assert_eq!(reply.status, status, "{request} {body}: {}", reply.body);
        assert!(!reply.json()["error"].as_str().unwrap().is_empty(), "{request}");
    }
    for (parameter, path) in [
        ("match", "jobs/1/units?match=("),
        ("status", "jobs/1/units?status=failed,nonsense"),
        ("sort", "jobs/1/units?sort=size"),
        ("cluster", "jobs/1/units?cluster=none"),
        ("after", "jobs/1/units?after=abc"),
        ("limit", "jobs/1/units?limit=1e3"),
        ("status", "jobs?status=nonsense"),
        ("limit", "jobs?limit=many"),
        ("unit", "jobs/1/explain?unit=x"),
    ] {
        let reply = dashboard.ask(&format!("GET /api/v1/{path}"), &[], "");

        assert_eq!(
            (reply.status, reply.json()["parameter"].as_str()),
            (400, Some(parameter)),
            "{path}: {}",
            reply.body
        );
    }
    let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(dashboard.post("/api/v1/jobs/1/cancel", &large).status, 413);
    assert_eq!(dashboard.ask("POST /api/v1/jobs", &[], "").header("allow"), Some("GET,HEAD"));
}

#[test]
fn a_job_is_paused_scaled_resumed_and_cancelled_through_a_dashboard() {
    let world = World::new();
    let job = world.ok(&["submit", "-j", "1", "--range", "1-1000", "--shell", "--", ": {}; test -e go || sleep 0.05"]);
    let dashboard = world.serve(&[]);
    let post = |verb: &str, body: &str| {
        let reply = dashboard.post(&format!("/api/v1/jobs/{job}/{verb}"), body);
        assert_eq!(reply.status, 200, "{verb}: {}", reply.body);
        reply.json()
    };

    let stopping = post("stop", "{}");
    world.wait_for_status(&job, "paused");
    let scaled = post("scale", r#"{"workers":3}"#);
    let resumed = post("resume", "{}");
    let manager = world.manager(&job);
    let again = post("resume", "{}");
    post("cancel", r#"{"reason":"enough"}"#);
    world.wait_for_status(&job, "cancelled");

    assert_eq!(stopping["job"]["id"], 1);
    assert_eq!(scaled, json!({ "schema": 1, "job": { "id": 1 }, "workers": 3 }));
    assert_eq!(resumed, json!({ "schema": 1, "job": { "id": 1 }, "pid": manager, "already_running": false }));
    assert_eq!(again["already_running"], true);
    assert_eq!(dashboard.get("/api/v1/jobs/1/units?limit=1&status=cancelled")["units"][0]["error"], "enough");
    world.assert_sound(&job);
}

#[test]
fn settings_are_changed_as_they_are_written_and_what_is_refused_names_the_setting() {
    let world = World::new();
    let job =
        world.ok(&["create", "-q", "-j", "3", "--rate", "10/30s", "--timeout", "90s", "--at-most-once", "--", "true"]);
    failed_job(&world);
    let dashboard = world.serve(&[]);
    let path = format!("/api/v1/jobs/{job}/settings");

    let before = dashboard.get(&path)["settings"].clone();
    let changed = dashboard.post(&path, r#"{"rate":"none","workers":"7","timeout":"2m","max_failures":"5%"}"#).json();
    let refused: Vec<_> = [
        (&path[..], r#"{"rate":"fast"}"#),
        (&path, r#"{"workers":"0"}"#),
        (&path, r#"{"workers":"9999"}"#),
        (&path, r#"{"timeout":"{t}"}"#),
        (&path, r#"{"max_attempts":"4"}"#),
        (&path, r#"{"rate":"1/s","deadline":"soon"}"#),
        (&path, "{}"),
        ("/api/v1/jobs/2/settings", r#"{"rate":"1/s"}"#),
    ]
    .into_iter()
    .map(|(path, body)| {
        let reply = dashboard.post(path, body);
        (reply.status, reply.json()["parameter"].clone())
    })
    .collect();

    let six = |settings: &Value| {
        ["workers", "rate", "timeout", "max_attempts", "max_failures", "deadline"].map(|name| settings[name].clone())
    };
    assert_eq!(six(&before), ["3", "10/30s", "1m30s", "1", "none", "none"]);
    assert_eq!(six(&changed["settings"]), ["7", "none", "2m", "1", "5%", "none"]);
    let expected = [
        (400, json!("rate")),
        (400, json!("workers")),
        (422, json!("workers")),
        (400, json!("timeout")),
        (409, json!("max_attempts")),
        (400, json!("deadline")),
        (400, Value::Null),
        (409, json!("rate")),
    ];
    assert_eq!(refused, expected);
    assert_eq!(dashboard.get(&path), changed);
}

#[test]
fn all_settings_that_the_command_line_takes_are_set_through_the_same_door() {
    let world = World::new();
    let create = ["create", "-q", "-j", "4", "--meter", "usd=.cost", "--result", "json", "--group", "g{}", "--"];
    let job = world.ok(&[&create[..], &["true", ":::", "a", "b"]].concat());
    let dashboard = world.serve(&[]);
    let path = format!("/api/v1/jobs/{job}/settings");
    let of_all = [
        ("adapt", "2"),
        ("backoff", "2s..1m"),
        ("max_later", "2d"),
        ("kill_after", "3s"),
        ("memfree", "512M"),
        ("load", "80%"),
        ("diskfree", "/=1G\n/tmp=1536K"),
        ("window", "22:00-06:00,12:00-13:00"),
        ("not_before", "2026-01-02T03:04:05.000Z"),
        ("per_group", "2"),
        ("group_rate", "6/min"),
        ("group_failures", "20"),
        ("budget.usd", "50"),
        ("reserve.usd", "0.50"),
        ("rate.usd", "90/min"),
        ("meter.usd", ".usage.cost:-0"),
    ];

    for (name, value) in of_all {
        let reply = dashboard.post(&path, &json!({ name: value }).to_string());
        assert_eq!((reply.status, &reply.json()["settings"][name]), (200, &json!(value)), "{}", reply.body);
    }
    let names: Vec<String> = dashboard.get(&path)["settings"].as_object().unwrap().keys().cloned().collect();
    let none: Vec<_> = ["after", "hold", "group:ga", "diskfree", "lease"]
        .map(|name| (name, dashboard.post(&path, &json!({ name: "none" }).to_string())))
        .into_iter()
        .filter(|(_, reply)| reply.status != 200)
        .map(|(name, reply)| format!("{name}: {}", reply.body))
        .collect();
    let help = world.ok(&["set", "--help"]);
    let same = |name: &str, key: &str, value: &str| {
        let refused = dashboard.post(&path, &json!({ name: value }).to_string());
        let said = refused.json()["error"].as_str().unwrap().to_owned();
        assert_eq!(refused.json()["parameter"], name, "{}", refused.body);
        assert!(world.fails(2, &["set", &job, &format!("{key}={value}")]).contains(&said), "{said}");
    };

    assert_eq!(none, [] as [String; 0]);
    for name in &names {
        let key = name.split('.').next().unwrap().replace('_', "-");
        assert!(key == "workers" || help.contains(&key), "{key} in {help}");
    }
    for (name, key, value) in [
        ("load", "load", "much"),
        ("kill_after", "kill-after", "0"),
        ("budget.eur", "budget.eur", "5"),
        ("group_rate", "group-rate", "soon"),
        ("hold", "hold", "1h"),
        ("diskfree", "diskfree", "/nowhere"),
    ] {
        same(name, key, value);
    }
    assert_eq!(dashboard.post(&path, r#"{"meter.usd":""}"#).status, 400);
    assert_eq!(dashboard.post(&path, r#"{"per_group":"1","group:ga":"1"}"#).status, 400);
    assert_eq!(dashboard.get(&path)["settings"]["window"], "22:00-06:00,12:00-13:00");
}

#[test]
fn failed_units_are_retried_by_kind_or_one_by_one_or_all() {
    let world = World::new();
    let job = failed_job(&world);
    let dashboard = world.serve(&[]);
    let retry = |body: &str| dashboard.post("/api/v1/jobs/1/retry", body).json()["units_changed"].clone();
    let pending = || dashboard.get("/api/v1/jobs/1")["progress"]["pending"].clone();
    let kind = dashboard.get("/api/v1/jobs/1/failures")["clusters"][0]["cluster"].as_str().unwrap().to_owned();

    let of_kind = retry(&format!("{{\"cluster\":\"{kind}\"}}"));
    let after_kind = pending();
    let all = retry(r#"{"failed":true}"#);
    dashboard.post("/api/v1/jobs/1/resume", "");
    world.wait_for_status(&job, "failed");
    let one = retry(r#"{"unit":4}"#);

    assert_eq!((of_kind, after_kind, all, one), (json!(1), json!(1), json!(1), json!(1)));
    let left = world.units(&job).into_iter().map(|unit| unit["status"].clone()).collect::<Vec<_>>();
    assert_eq!(left, ["completed", "completed", "failed", "pending", "completed"]);
    world.assert_sound(&job);
}

#[test]
fn a_unit_is_cancelled_or_skipped_and_a_request_of_two_meanings_changes_nothing() {
    let world = World::new();
    let job = failed_job(&world);
    let waiting = world.ok(&["create", "-q", "--", "true", ":::", "a", "b"]);
    let dashboard = world.serve(&[]);

    for (path, body) in [
        ("1/retry", r#"{"failed":true,"status":"cancelled"}"#),
        ("1/retry", r#"{"failed":true,"reason":"why"}"#),
        ("1/skip", r#"{"failed":true,"start":true}"#),
        ("1/skip", "{}"),
        ("1/units/3/kill", r#"{"then":"cancel"}"#),
        ("2/units/1/cancel", r#"{"then":"retry"}"#),
    ] {
        assert_eq!(dashboard.post(&format!("/api/v1/jobs/{path}"), body).status, 400, "{path} {body}");
    }
    let before = [&job, &waiting].map(|job| world.status(job)["progress"].clone());
    let cancelled = dashboard.post("/api/v1/jobs/2/units/1/cancel", r#"{"reason":"enough"}"#).json();
    let skipped = dashboard.post("/api/v1/jobs/1/skip", r#"{"failed":true,"match":".","reason":"known"}"#).json();

    assert_eq!((&before[0]["failed"], &before[1]["pending"]), (&json!(2), &json!(2)));
    assert_eq!((&cancelled["units_changed"], &skipped["units_changed"]), (&json!(1), &json!(2)));
    assert_eq!(world.units(&waiting)[0]["error"], "enough");
}

#[test]
fn a_flagged_unit_is_accepted_or_done_again_through_a_dashboard() {
    let world = World::new();
    let script = r#"test {} = 1 || test "$JOB_MANAGER_LAST_ERROR" = 'two dates' || "$BIN" unit-flag doubtful"#;
    world.ok(&["run", "-q", "--range", "1-3", "--shell", "--", script]);
    let dashboard = world.serve(&[]);
    let post = |body: &str| dashboard.post("/api/v1/jobs/1/review", body);

    let before = dashboard.get("/api/v1/jobs/1/review");
    let accepted = post(r#"{"accept":[2]}"#).json();
    let redone = post(r#"{"redo":[3],"note":"two dates"}"#).json();
    world.wait_for_status("1", "completed");
    let refused: Vec<u16> = [r#"{"accept":[2]}"#, r#"{"accept":[9]}"#, "{}", r#"{"accept":[1],"redo":[1]}"#]
        .iter()
        .map(|body| post(body).status)
        .collect();

    let units: Vec<_> = before["units"].as_array().unwrap().iter().map(|unit| (&unit["seq"], &unit["flag"])).collect();
    assert_eq!(units, [(&json!(2), &json!("doubtful")), (&json!(3), &json!("doubtful"))]);
    assert_eq!((&before["undecided"], &accepted["undecided"]), (&json!(2), &json!(1)));
    assert_eq!((&redone["added"], &redone["undecided"], &redone["started"]), (&json!([4]), &json!(0), &json!(true)));
    assert_eq!(refused, [409, 404, 400, 400]);
    assert_eq!(dashboard.get("/api/v1/jobs/1/units/3")["flag"]["note"], "two dates");
    assert_eq!(dashboard.get("/api/v1/jobs/1/review")["units"], json!([]));
}

#[test]
fn a_canary_is_approved_or_rejected_through_a_dashboard() {
    let world = World::new();
    for _ in 0..2 {
        world.run(&["run", "-q", "--canary", "2", "--range", "1-6", "--", "true"]);
    }
    let dashboard = world.serve(&[]);

    let approved = dashboard.post("/api/v1/jobs/1/approve", "").json();
    let rejected = dashboard.post("/api/v1/jobs/2/reject", r#"{"reason":"blurred"}"#).json();

    assert_eq!(approved["already_running"], false);
    assert_eq!(rejected, json!({ "schema": 1, "job": { "id": 2 }, "units_changed": 4 }));
    world.wait_for_status("1", "completed");
    assert_eq!(world.status("2")["job_status"], "cancelled");
}

#[test]
fn an_open_page_is_told_of_changes_and_does_not_hold_the_end_up() {
    let world = World::new();
    let job = world.ok(&["submit", "--", "sleep", "600"]);
    let mut dashboard = world.serve(&[]);
    let mut events = dashboard.events();
    let mut others: Vec<_> = (0..5).map(|_| dashboard.events()).collect();
    // Somebody who never comes to the end of his request.
    let mut slow = TcpStream::connect(("127.0.0.1", dashboard.port)).unwrap();
    slow.write_all(b"GET /api/v1/jobs HTTP/1.1\r\nHost:").unwrap();
    let mut next = |wanted: &str| events.by_ref().find(|line| line.starts_with(wanted)).unwrap();

    let first = next("data: ");
    world.ok(&["create", "--", "true"]);
    let second = next("data: ");
    others.iter_mut().for_each(|stream| assert!(stream.any(|line| line == "event: change")));
    let asked = Instant::now();
    let exit = dashboard.terminate();

    assert_ne!(first, second);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(exit.code(), Some(0));
    // The stream was brought to its end, not cut off: its last chunk is an empty one.
    assert!(events.any(|line| line == "0"));
    assert_eq!(world.status(&job)["status"], "running");
    world.ok(&["cancel", &job]);
}

#[test]
fn pages_beyond_a_bound_are_not_told_of_changes() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let dashboard = world.serve(&[]);
    let mut streams: Vec<_> = (0..64).map(|_| dashboard.events()).collect();
    streams.iter_mut().for_each(|stream| assert!(stream.any(|line| line == "event: change")));

    let refused = dashboard.ask("GET /api/v1/events", &[], "");
    streams.pop();

    assert_eq!(refused.status, 503);
    wait_for(&world, "a place to be free", || dashboard.events().next().unwrap().ends_with("200 OK"));
}

#[test]
fn fault_85_many_who_never_finish_a_request_do_not_keep_the_owner_out() {
    let world = World::new();
    let job = world.ok(&["create", "--", "true"]);
    let dashboard = world.serve_with_descriptors(64);
    let begun = |_| {
        let mut stream = dashboard.connect();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        stream
    };
    let strangers: Vec<TcpStream> = (0..50).map(begun).collect();

    let resumed = dashboard.post("/api/v1/jobs/1/resume", "");

    assert_eq!(resumed.status, 200, "{}", resumed.body);
    world.wait_for_status(&job, "completed");
    drop(strangers);
}

#[test]
fn fault_85_many_who_do_not_read_what_they_asked_for_do_not_keep_the_owner_out() {
    needs_file!("rows are changed in the file");
    let world = World::new();
    world.ok(&["create", "-q", "--range", "1-4", "--", "true"]);
    world.sql("UPDATE units SET payload = '\"' || printf('%.*c', 8000000, 'x') || '\"'");
    // Places for 32.
    let dashboard = world.serve_with_descriptors(64);
    let (host, token) = (dashboard.host(), &dashboard.token);
    let asked = |_| {
        let mut stream = dashboard.connect();
        let head = format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(format!("GET /api/v1/jobs/1/download/items.txt HTTP/1.1\r\n{head}").as_bytes()).unwrap();
        // The answer has begun.
        stream.read_exact(&mut [0; 12]).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..32).map(asked).collect();

    let began = Instant::now();
    let about = dashboard.get("/api/v1/about");
    let waited = began.elapsed();

    assert_eq!(about["schema"], 1);
    assert!(waited < Duration::from_secs(15), "{waited:?}");
    drop(slow);
}

#[test]
fn fault_85_a_stranger_loses_the_connection_with_the_first_refusal() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let dashboard = world.serve(&[]);
    let mut stream = dashboard.connect();
    let request = format!("GET /api/v1/jobs HTTP/1.1\r\nHost: {}\r\n\r\n", dashboard.host());
    let mut answers = String::new();

    stream.write_all(request.repeat(2).as_bytes()).unwrap();
    stream.read_to_string(&mut answers).unwrap();

    assert_eq!(answers.matches("HTTP/1.1 401").count(), 1, "{answers}");
}

#[test]
fn a_dashboard_needs_a_database_and_a_free_port() {
    let world = World::new();
    world.fails(3, &["serve", "--port", "0"]);
    assert!(!world.db().exists());
    world.ok(&["create", "--", "true"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();

    let said = world.fails(2, &["serve", "--port", &port]);

    assert!(said.contains(&format!("port {port} is in use")) && said.contains("--port 0"), "{said}");
}

#[test]
fn the_answer_is_the_address_in_one_line() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let token = world.serve(&[]).token.clone();

    let said = [&["serve", "--port", "0"][..], &["serve", "--port", "0", "-q"]].map(|args| {
        let mut process = world.job_manager(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        send(process.id(), Signal::SIGINT);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!((process.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
        line
    });

    assert!(said[0].starts_with("dashboard at http://127.0.0.1:"), "{}", said[0]);
    assert!(said[1].starts_with("http://127.0.0.1:"), "{}", said[1]);
    let tokens = said.each_ref().map(|line| line.trim_end().split_once("/#token=").unwrap().1);
    assert!(tokens.iter().all(|entry| entry.len() == 64 && *entry != token) && tokens[0] != tokens[1], "{said:?}");
}

#[test]
fn the_token_of_programs_survives_a_restart_that_of_the_address_does_not_and_the_port_is_free_at_once() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);
    let mut first = world.serve(&[]);
    first.get("/api/v1/jobs");
    first.terminate();

    let second = world.serve(&["--port", &first.port.to_string()]);

    assert_eq!(first.token, second.token);
    assert_ne!(first.entry, second.entry);
    assert_eq!(second.port, first.port);
    let file = world.path("jobs.db.d/dashboard.token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), second.token);
}

#[test]
fn two_dashboards_that_start_together_agree_on_the_token() {
    let world = World::new();
    world.ok(&["create", "--", "true"]);

    let tokens: Vec<String> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| world.serve(&[]).token.clone())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });

    assert!(tokens.iter().all(|token| *token == tokens[0] && token.len() == 64), "{tokens:?}");
}

#[test]
fn metrics_are_read_when_they_are_asked_for_and_name_no_unit() {
    let world = World::new();
    failed_job(&world);
    world.ok(&[
        "create",
        "--name",
        "nasty\" \\ \u{1b}[2J\nname",
        "--unit-key",
        "secret-{}",
        "--range",
        "1-3",
        "--",
        "true",
    ]);
    let lost = world.ok(&["submit", "-j", "2", "--", "sleep", "600", ":::", "a", "b", "c"]);
    wait_for(&world, "two running units", || world.status(&lost)["progress"]["running"] == 2);
    let dashboard = world.serve(&[]);
    let has = |text: &str, line: &str| assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");

    let running = dashboard.ask("GET /metrics", &[], "").body;
    world.kill_manager(&lost);
    let reply = dashboard.ask("GET /metrics", &[], "");

    has(&running, "job_manager_job_manager_up{job_id=\"3\",name=\"sleep\"} 1");
    let text = &reply.body;
    has(text, "job_manager_jobs{status=\"failed\"} 1");
    has(text, "job_manager_jobs{status=\"running\"} 1");
    has(text, "job_manager_units{status=\"completed\"} 3");
    has(text, "job_manager_units{status=\"pending\"} 4");
    has(text, "job_manager_managers{health=\"lost\"} 1");
    has(text, "job_manager_job_manager_up{job_id=\"3\",name=\"sleep\"} 0");
    has(text, "job_manager_job_units{job_id=\"2\",name=\"nasty\\\" \\\\ \u{fffd}[2J name\",status=\"pending\"} 3");
    assert!(text.ends_with("# EOF\n") && !text.contains("secret-") && !text.contains('\u{1b}'), "{text}");
    assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    world.ok(&["cancel", &lost]);
}

#[test]
fn a_database_that_somebody_writes_to_for_long_is_busy_and_can_still_be_looked_at() {
    needs_file!("SQLite has one lock for all writers");
    let world = World::new();
    failed_job(&world);
    world.ok(&["create", "--", "true"]);
    let dashboard = world.serve(&[]);
    let held = world.hold_write_lock();

    let post = &|(path, body)| dashboard.post(path, body);
    let asked = Instant::now();
    let (refused, looked) = std::thread::scope(|scope| {
        let refused = [("/api/v1/jobs/1/retry", r#"{"failed":true}"#), ("/api/v1/jobs/2/resume", "")]
            .map(|asked| scope.spawn(move || post(asked)));
        dashboard.get("/api/v1/jobs/1");
        let looked = asked.elapsed();
        (refused.map(|asking| asking.join().unwrap()), looked)
    });
    let refused_after = asked.elapsed();
    drop(held);

    for reply in refused {
        assert_eq!(reply.status, 503, "{}", reply.body);
        assert!(reply.json()["error"].as_str().unwrap().contains("busy"));
    }
    assert!(looked < Duration::from_secs(2), "{looked:?}");
    assert!(refused_after < Duration::from_secs(8), "{refused_after:?}");
}

#[test]
fn a_database_that_was_moved_away_is_not_shown_as_if_it_were_there() {
    needs_file!("it is moved");
    let world = World::new();
    failed_job(&world);
    let dashboard = world.serve(&[]);
    dashboard.get("/api/v1/jobs");

    fs::rename(world.db(), world.path("elsewhere.db")).unwrap();
    let reply = dashboard.ask("GET /api/v1/jobs", &[], "");

    assert_eq!(reply.status, 503);
    assert!(reply.json()["error"].as_str().unwrap().contains("was moved"), "{}", reply.body);
}

#[test]
fn an_approval_is_for_as_many_units_as_it_says_and_a_body_that_is_not_understood_is_refused() {
    let world = World::new();
    world.run(&["run", "-q", "--canary", "2", "--range", "1-6", "--", "true", "{}"]);
    let dashboard = world.serve(&[]);

    for (verb, body) in [
        ("approve", "not json"),
        ("approve", r#"{"nxt":1}"#),
        ("approve", r#"{"next":0}"#),
        ("resume", r#"{"now":true}"#),
    ] {
        let refused = dashboard.post(&format!("/api/v1/jobs/1/{verb}"), body);
        assert!((400..=422).contains(&refused.status) && refused.status != 409, "{verb} {body}: {}", refused.status);
    }
    assert_eq!(world.status("1")["job_status"], "awaiting_approval");
    assert_eq!(dashboard.post("/api/v1/jobs/1/approve", r#"{"next":1}"#).status, 200);

    wait_for(&world, "one more unit", || world.status("1")["progress"]["completed"] == 3);
    world.wait_for_status("1", "awaiting_approval");
}

//! The examples, run as their readers would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{BIN, World, example, is_alive, needs_file, send, text, wait_for};

/// The example service, with the address it listens on.
struct Service {
    process: Child,
    address: String,
}

impl Service {
    fn start(world: &World) -> Service {
        Self::start_with(world, &[])
    }

    fn start_with(world: &World, variables: &[(&str, &str)]) -> Service {
        let mut command = world.command(example("service_http"));
        command.envs(variables.iter().copied());
        let mut process = command.arg(world.address()).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Service { process, address }
    }

    fn ask(&self, request: &str, body: &str) -> Value {
        let answer = self.send(request, body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Returns all of the answer; nothing when the service dies of the question.
    fn send(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        if read.is_ok() { answer } else { String::new() }
    }

    fn wait_for_death(mut self) {
        self.process.wait().unwrap();
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_batch_started_by_http_survives_the_service_and_is_known_to_the_next_one() {
    let world = World::new();
    let request = r#"{"key":"monday","units":100000}"#;
    let service = Service::start(&world);
    let first = service.ask("POST /batches", request);
    assert_eq!(first, json!({"batch": 1, "new": true}));

    // It stands still, so that the service dies while units wait.
    let manager = world.manager("1");
    world.suspend(manager);
    let pending = world.status("1")["progress"]["pending"].as_u64().unwrap();
    service.kill();
    assert!(pending > 0, "all units had ended before the service was killed");
    send(manager, Signal::SIGCONT);
    let service = Service::start(&world);
    assert_eq!(service.ask("POST /batches", request), json!({"batch": 1, "new": false}));
    wait_for(&world, "the batch to end", || service.ask("GET /batches/1", "")["job_status"] == "completed");

    assert_eq!(service.ask("GET /batches/1", "")["progress"]["completed"], 100_000);
    service.kill();
    world.assert_sound("1");
    world.assert_no_process_left();
}

#[cfg(feature = "crash-points")]
#[test]
fn fault_233_a_batch_whose_service_died_between_its_creation_and_its_start_completes() {
    for (again, crash) in [(true, "before-launch:kill"), (false, "before-launch:kill"), (true, "job-partial:kill")] {
        let world = World::new();
        let request = r#"{"key":"monday","units":20000}"#;
        let service = Service::start_with(&world, &[("JOB_MANAGER_CRASH", crash)]);
        service.send("POST /batches", request);
        service.wait_for_death();
        assert_eq!(world.count("(SELECT count(*) FROM jobs WHERE status NOT IN ('created', 'partial'))"), 0);

        // Whoever asks again has it started, and so has the start of the service itself.
        let service = Service::start(&world);
        if again {
            let batch = service.ask("POST /batches", request)["batch"].as_i64().unwrap();
            wait_for(&world, "the batch to end", || {
                service.ask(&format!("GET /batches/{batch}"), "")["job_status"] == "completed"
            });
        } else {
            wait_for(&world, "the batch to end", || service.ask("GET /batches/1", "")["job_status"] == "completed");
        }

        assert_eq!(world.count("(SELECT count(*) FROM units WHERE status = 'completed')"), 20_000);
        service.kill();
        world.assert_no_process_left();
    }
}

#[test]
fn fault_233_the_readmes_example_may_be_run_again_with_its_key() {
    needs_file!("the example names one");
    let world = World::new();
    std::fs::create_dir(world.path("articles")).unwrap();
    world.write("articles/one.txt", "three words here");
    let run = || world.command(example("word_count")).output().unwrap();

    let (first, second) = (run(), run());

    assert_eq!(text(&first.stdout), "3\n", "{}{}", text(&first.stderr), world.report());
    assert_eq!(text(&second.stdout), "3\n", "{}", text(&second.stderr));
    assert_eq!(world.count("(SELECT count(*) FROM jobs)"), 1);
}

#[test]
fn the_readme_shows_the_example_that_is_tested() {
    let root = env!("CARGO_MANIFEST_DIR");
    let [readme, example] =
        ["README.md", "examples/word_count.rs"].map(|file| std::fs::read_to_string(format!("{root}/{file}")).unwrap());
    let (_, code) = example.split_once("\n\n").unwrap();

    assert!(
        readme.contains(&format!("```rust,no_run\n{code}```\n")),
        "examples/word_count.rs is not what the README shows"
    );
}

#[test]
fn the_pipeline_sums_up_typed_results() {
    let world = World::new();
    world.write("a.txt", "one three\nfive, seventeen");
    world.write("b.txt", "a an and");

    let output = world.command(example("pipeline")).arg(world.address()).args(["a.txt", "b.txt"]).output().unwrap();

    assert_eq!(text(&output.stdout), "5 words, the longest is seventeen\n", "{}", text(&output.stderr));
}

#[test]
fn the_pipeline_names_the_document_that_failed() {
    let world = World::new();

    let output = world.command(example("pipeline")).arg(world.address()).arg("missing.txt").output().unwrap();

    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("missing.txt: No such file"), "{}", text(&output.stderr));
}

#[test]
fn the_quota_pauses_the_job_and_costs_no_attempt() {
    let world = World::new();

    let output = world.command(example("quota")).arg(world.address()).arg("25").output().unwrap();

    assert_eq!(text(&output.stdout), "Completed: 25 answers\n", "{}", text(&output.stderr));
    assert!(world.units("1").iter().all(|unit| unit["attempts"] == 1));
    assert!(world.count("(SELECT count(*) FROM attempts WHERE cause = 'postponed')") > 0);
}

#[cfg(feature = "async")]
#[test]
fn async_units_run_side_by_side_and_are_cut_off_by_their_timeout() {
    let world = World::new();
    use std::net::TcpListener;

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap()).lines();
            while request.next().unwrap().unwrap() != "" {}
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
        }
    });

    let mut command = world.command(example("async_fetch"));
    let began = std::time::Instant::now();
    let silent = silent.local_addr().unwrap().to_string();
    let output = command.arg(world.address()).args([&address, &silent, &silent, &silent]).output().unwrap();

    let said = text(&output.stdout);
    assert!(said.contains("HTTP/1.0 200 OK"), "{said}{}", text(&output.stderr));
    assert_eq!(said.matches("timed out after 2s").count(), 3, "{said}");
    assert!(began.elapsed().as_secs() < 6, "the units waited for each other");
}

#[test]
fn a_batch_of_a_web_service_is_stopped_from_outside() {
    let world = World::new();
    let service = Service::start(&world);
    service.ask("POST /batches", r#"{"key":"k","units":200000}"#);
    let manager = world.manager("1");

    world.ok(&["stop", "1", "--wait"]);

    wait_for(&world, "the manager to end", || !is_alive(manager));
    world.assert_sound("1");
    service.kill();
}

#[test]
fn the_nightly_batch_ends_with_its_counts_and_a_report() {
    let world = World::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/nightly/run.sh");

    let mut run = world.command(script);
    run.arg(world.path("nightly")).env("JOB_MANAGER", BIN);
    run.env("UNITS", "30").env("RATE", "100/s").env("QUOTA_AT", "10").env("POISON", "20");
    let ran = run.output().unwrap();

    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let report = std::fs::read_to_string(world.path("nightly/report.txt")).unwrap();
    assert_eq!(report.trim(), "29 of 30 answered, 1 failed");
    assert!(text(&ran.stdout).contains("30 completed, 1 failed, 0 skipped"), "{}", text(&ran.stdout));
}

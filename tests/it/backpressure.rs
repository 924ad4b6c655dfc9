//! Servers that take so much and no more, and jobs that ask them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::support::{Answer, Asked, BIN, World, example, repeat, serve, text, wait_for, without_tool};

/// Answers that the server gives per second, and how many it may give at once after a quiet time.
const RATE: f64 = 80.0;
const BURST: f64 = 40.0;
/// Time that an answer takes.
const ANSWER: Duration = Duration::from_millis(150);
/// Time in which the job finds the rate, from the first call on.
const WARM_UP: Duration = Duration::from_secs(4);
const UNITS: usize = 1200;

#[derive(Clone, Copy)]
struct Call {
    at: Instant,
    is_refused: bool,
}

struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    fn take(&mut self) -> bool {
        let now = Instant::now();
        self.tokens = (self.tokens + (now - self.filled_at).as_secs_f64() * RATE).min(BURST);
        self.filled_at = now;
        let has_one = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(has_one));
        has_one
    }
}

#[test]
fn fault_442_a_job_asks_a_limited_server_for_nearly_all_it_gives_also_across_a_kill_of_its_manager() {
    let world = World::new();
    let bucket = Mutex::new(Bucket { tokens: BURST, filled_at: Instant::now() });
    let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
    let noted = Arc::clone(&calls);
    let address = serve(move |_| {
        let is_refused = !bucket.lock().unwrap().take();
        noted.lock().unwrap().push(Call { at: Instant::now(), is_refused });
        if is_refused {
            return Answer { status: "429 Too Many Requests", header: "Retry-After: 1\r\n", body: String::new() };
        }
        std::thread::sleep(ANSWER);
        Answer::ok("an answer")
    });
    let mut service = world.command(example("rate_limited"));
    let started = service.arg(world.address()).args([&address, &UNITS.to_string()]).output().unwrap();
    assert!(started.status.success(), "{}", text(&started.stderr));

    wait_for(&world, "half of the answers", || calls.lock().unwrap().len() > UNITS / 2);
    world.kill_manager("1");
    world.ok(&["resume", "1"]);
    world.ok(&["wait", "1"]);

    let calls = calls.lock().unwrap().clone();
    // When the last ones have been asked, nobody makes use of what the server would give.
    let mut answered = calls.iter().filter(|call| !call.is_refused).map(|call| call.at);
    let (first, last) = (calls[0].at, answered.nth(UNITS * 95 / 100).unwrap());
    let warm = calls.iter().filter(|call| call.at - first > WARM_UP && call.at <= last);
    let (refused, answered): (Vec<&Call>, Vec<&Call>) = warm.partition(|call| call.is_refused);
    let share = refused.len() as f64 / (refused.len() + answered.len()) as f64;
    let throughput = answered.len() as f64 / (last - first - WARM_UP).as_secs_f64() / RATE;
    println!("refused {:.1} %, {:.1} % of the rate, {} calls", share * 100.0, throughput * 100.0, calls.len());
    assert!(share <= 0.05, "{:.1} % refused", share * 100.0);
    assert!(throughput >= 0.9, "{throughput:.2} of the rate");
    let progress = &world.status("1")["progress"];
    assert_eq!((&progress["completed"], &progress["failed"]), (&UNITS.into(), &0.into()));
    world.assert_sound("1");
}

/// A provider of batches, which are done some time after they were submitted.
#[derive(Default)]
struct Provider {
    /// The batches by their tokens: number and time of each.
    batches: HashMap<String, (usize, Instant)>,
    /// Submissions of a token that was there.
    again: usize,
    /// Submissions of each body.
    of_body: HashMap<String, usize>,
}

/// Starts a provider, which takes `takes` to do a batch.
fn provider(takes: Duration) -> (String, Arc<Mutex<Provider>>) {
    let provider: Arc<Mutex<Provider>> = Arc::default();
    let kept = Arc::clone(&provider);
    let answer = move |asked: &Asked| {
        let mut provider = kept.lock().unwrap();
        if asked.method == "POST" {
            let token = asked.token.clone().expect("a token");
            let next = provider.batches.len() + 1;
            if let Some((number, _)) = provider.batches.get(&token).copied() {
                provider.again += 1;
                return Answer::ok(format!("b{number}"));
            }
            provider.batches.insert(token, (next, Instant::now()));
            *provider.of_body.entry(asked.body.clone()).or_default() += 1;
            return Answer::ok(format!("b{next}"));
        }
        let mut parts = asked.path.trim_start_matches("/batches/b").split('/');
        let number = parts.next().and_then(|number| number.parse::<usize>().ok());
        let found = provider.batches.values().find(|(of, _)| Some(*of) == number);
        match (found, parts.next()) {
            (None, _) => Answer { status: "404 Not Found", header: "", body: String::new() },
            (Some((number, _)), Some(_)) => Answer::ok(format!("answers of b{number}")),
            (Some((_, at)), None) if at.elapsed() >= takes => Answer::ok("completed"),
            _ => Answer::ok("in_progress"),
        }
    };
    (serve(answer), provider)
}

/// Kills the manager of job 1 every now and then until its units have ended, and has the next one go on.
fn kill_again_and_again(world: &World, every: Duration, provider: &str) -> usize {
    let mut kills = 0;
    loop {
        std::thread::sleep(every);
        let status = world.status("1");
        if status["job_status"] != "running" {
            return kills;
        }
        // It may have come to its end since.
        if let Some(pid) = status["pid"].as_i64()
            && nix::sys::signal::kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).is_ok()
        {
            wait_for(world, "the manager to be gone", || world.status("1")["status"] == "stopped");
            kills += 1;
        }
        // It may have ended in this very moment.
        let resumed = world.job_manager(&["resume", "1"]).env("PROVIDER", provider).output().unwrap();
        assert!(matches!(resumed.status.code(), Some(0 | 4)), "{}", text(&resumed.stderr));
    }
}

#[test]
fn fault_444_no_batch_is_submitted_twice_while_managers_are_killed() {
    let units = repeat(1000, 10_000);
    let (world, (address, provider)) = (World::new(), provider(Duration::from_millis(300)));
    let mut service = world.command(example("service"));
    service.arg(world.address()).args(["remote", &units.to_string(), "4"]).env("PROVIDER", &address);
    assert!(service.status().unwrap().success());

    let kills = kill_again_and_again(&world, Duration::from_millis(500), &address);

    let provider = provider.lock().unwrap();
    assert!(kills > 0 && provider.of_body.values().all(|times| *times == 1), "{kills} kills");
    println!("{units} batches, {kills} kills, {} submissions of a token that was there", provider.again);
    let progress = &world.status("1")["progress"];
    assert_eq!((&progress["completed"], &progress["failed"]), (&units.into(), &0.into()), "{}", world.report());
    assert_eq!((provider.batches.len(), provider.of_body.len()), (units, units));
    // Hardly any batch was done when it was looked at first.
    let postponed = world.count("(SELECT count(DISTINCT unit_id) FROM attempts WHERE cause = 'postponed')");
    assert!(postponed > i64::try_from(units / 2).unwrap(), "{postponed} units waited for their batches");
    world.assert_sound("1");
}

#[test]
fn the_example_of_remote_batches_submits_each_once_while_managers_are_killed() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        return without_tool("curl");
    }
    let (world, (address, provider)) = (World::new(), provider(Duration::from_secs(1)));
    let questions = world.numbers(60);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/provider-batch/run.sh");
    let run = || {
        let mut run = world.command(script);
        run.args([&questions, world.path("batches").to_str().unwrap()]).env("JOB_MANAGER", BIN);
        run.env("PROVIDER", format!("http://{address}")).env("SIZE", "5").env("POLL", "500ms").output().unwrap()
    };

    // `run` ends when its manager is killed, and a second one goes on with the job.
    let killed = std::thread::scope(|threads| {
        let ran = threads.spawn(run);
        wait_for(&world, "half of the batches", || provider.lock().unwrap().batches.len() >= 6);
        let db = world.path("batches/jobs.db");
        let status = world.ok(&["--db", db.to_str().unwrap(), "status", "1", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        crate::support::kill(u32::try_from(status["pid"].as_u64().unwrap()).unwrap());
        ran.join().unwrap()
    });
    let ran = run();

    assert_eq!(killed.status.code(), Some(13), "{}", text(&killed.stderr));
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let provider = provider.lock().unwrap();
    assert_eq!((provider.batches.len(), provider.of_body.values().max()), (12, Some(&1)));
    let answers = world.lines("batches/answers.jsonl");
    assert_eq!(answers.iter().filter(|line| line.contains("answers of b")).count(), 12, "{answers:?}");
}

#[test]
fn the_example_of_agents_lives_with_one_that_hangs_one_that_lies_and_a_limit() {
    let world = World::new();
    let tasks: String = (1..=20).map(|id| format!("{{\"id\": {id}, \"prompt\": \"square {id}\"}}\n")).collect();
    let tasks = world.write("tasks.jsonl", &tasks);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/claude-headless/run.sh");

    let mut run = world.command(script);
    run.arg(tasks).arg(world.path("agents")).env("JOB_MANAGER", BIN);
    run.env("TIMEOUT", "2s").env("BACKOFF", "100ms..1s").env("LIMITED_FOR", "4");
    run.env("HANGS", "2").env("LIES", "3").env("BUSY", "4").env("LIMITED", "10");
    let ran = run.output().unwrap();

    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert!(text(&ran.stdout).contains("20 tasks done, 0.40 usd"), "{}", text(&ran.stdout));
    let db = world.path("agents/jobs.db");
    let of = |unit: &str| -> serde_json::Value {
        serde_json::from_str(&world.ok(&["--db", db.to_str().unwrap(), "--json", "unit", unit])).unwrap()
    };
    let attempts = |id: u32| of(&format!("1:{id}"))["unit"]["attempts"].as_u64().unwrap();
    assert_eq!((attempts(2), attempts(3), attempts(4), attempts(10)), (2, 2, 1, 1));
    let limited = of("1:10");
    assert_eq!(limited["attempts_not_completed"][0]["error"], "session limit", "{limited}");
    // Nobody asked again before the limit was over, but those who had asked already.
    let calls = world.lines("agents/calls.log");
    assert!((1..=4).contains(&calls.iter().filter(|call| call.ends_with(" limited")).count()), "{calls:?}");
}

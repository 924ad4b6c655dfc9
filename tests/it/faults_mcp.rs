//! Faults around the MCP server: noise, and hosts that are slow, closed or killed.

use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Host, World, is_alive, on_server, wait_for};

/// Time in which the server must have ended when its host has gone.
const END: Duration = Duration::from_secs(2);
/// Time for an answer; a build without optimisation is several times slower.
const ANSWER: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });

#[test]
fn fault_05_units_and_sources_never_take_the_messages_of_an_mcp_host() {
    let world = World::new();
    let mut host = Host::new(&world);

    let job = host.ok("start_batch", json!({ "command": ["cat"] }))["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    for file in ["/dev/stdin", "/proc/self/fd/0", "/dev/zero"] {
        let refused = host.refused("start_batch", json!({ "command": ["echo", "{}"], "lines_file": file }));
        assert!(refused.contains("no file") || refused.contains("is outside"), "{refused}");
    }
    let unit = host.ok("get_unit", json!({ "job": job, "seq": 1 }));

    assert_eq!((status.as_str(), &unit["stdout"]), ("completed", &json!(null)));
}

#[test]
fn fault_90_standard_output_holds_nothing_but_json_rpc() {
    let world = World::new();
    let mut host = Host::new(&world);
    let noise = "for i in 1 2 3; do echo noise; echo noise >&2; echo noise > /proc/self/fd/1; done; exit 1";

    let job =
        host.ok("start_batch", json!({ "shell": noise, "range": "1-50", "max_attempts": 1 }))["job"]["id"].clone();
    let status = host.wait_for_job(&job);
    // A file in the place of the next job's directory: its manager cannot be started.
    world.write("jobs.db.d/2", "");
    let unstarted = host.refused("start_batch", json!({ "command": ["true"] }));
    host.say(&json!("not a message"));
    host.say(&json!({ "jsonrpc": "2.0", "id": 900, "method": "no/such/method" }));
    let unknown = host.answer(900);
    let no_tool = host.ask("tools/call", &json!({ "name": "no_such_tool" }));

    // Every line that came was parsed on its way here.
    assert_eq!(status, "failed");
    assert!(unstarted.contains("job 2 was created") && unstarted.contains("resume_job"), "{unstarted}");
    assert!(unknown["error"]["code"].is_i64() && no_tool["error"]["code"].is_i64(), "{unknown} {no_tool}");
}

#[test]
fn fault_90_the_server_ends_soon_after_its_host_hangs_up_and_the_job_goes_on() {
    let world = World::new();
    for start in [Host::new, Host::over_sockets, Host::silent] {
        let mut host = start(&world);
        host.hang_up();
        let (status, took) = host.wait_for_end();
        assert!(status.success() && took < END, "{status} after {took:?}");
    }

    for start in [Host::new, Host::over_sockets] {
        let mut host = start(&world);
        let job = host.ok("start_batch", json!({ "command": ["sleep", "60"] }))["job"]["id"].clone();
        host.begin("wait_job", &json!({ "job": job, "timeout": 45 }));
        host.hang_up();
        let (status, took) = host.wait_for_end();

        assert!(status.success() && took < END, "{status} after {took:?}");
        assert!(is_alive(world.manager(&job.to_string())), "the manager ended with its host");
    }
}

#[test]
fn fault_90_the_server_ends_when_nobody_reads_its_answers() {
    let world = World::new();
    for start in [Host::new, Host::over_sockets] {
        let mut host = start(&world);
        host.stop_listening();
        // The first answer may still be taken; the thread that takes it closes the pipe then.
        let mut ended = None;
        wait_for(&world, "the server to end", || {
            host.try_say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
            ended = host.try_end();
            ended.is_some()
        });

        assert!(ended.unwrap().success(), "{ended:?}");
    }
}

#[test]
fn fault_90_an_idle_server_uses_no_processor_time() {
    let world = World::new();
    let mut host = Host::new(&world);
    host.ok("list_jobs", json!({}));
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", host.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };

    let before = ticks();
    // The span that is measured; there is nothing to wait for.
    std::thread::sleep(Duration::from_secs(1));

    assert!(ticks() - before <= 2, "{} hundredths of a second in one second", ticks() - before);
}

#[test]
fn fault_90_a_host_killed_with_its_process_group_leaves_the_manager_alive_and_the_next_host_finds_the_job() {
    let world = World::new();
    let mut host = Host::new(&world);
    let job = host.ok("start_batch", json!({ "command": ["sleep", "0.02"], "range": "1-100", "name": "left" }))["job"]
        ["id"]
        .clone();
    let manager = world.manager(&job.to_string());

    killpg(Pid::from_raw(i32::try_from(host.pid()).unwrap()), Signal::SIGKILL).unwrap();
    host.wait_for_end();
    let lived = is_alive(manager);
    let mut next = Host::new(&world);
    let listed = next.ok("list_jobs", json!({}));
    let status = next.wait_for_job(&json!("left"));

    assert!(lived, "the manager died with the host");
    assert_eq!(listed["jobs"][0]["name"], "left");
    assert_eq!(status, "completed");
    world.assert_sound(&job.to_string());
}

#[test]
fn fault_91_every_call_about_a_hundred_thousand_units_is_answered_at_once() {
    let world = World::new();
    let mut host = Host::new(&world);
    let batch = json!({ "command": ["false"], "range": "1-100000", "max_attempts": 1, "canary": 1 });
    // The one call that takes the time that its items take.
    host.ok("start_batch", batch);
    host.wait_for_job(&json!(1));
    world.sql(FAIL_ALL);

    for (tool, arguments) in [
        ("job_status", json!({ "job": 1 })),
        ("explain", json!({ "job": 1 })),
        ("list_failures", json!({ "job": 1 })),
        ("list_units", json!({ "job": 1 })),
        ("get_results", json!({ "job": 1 })),
        ("list_jobs", json!({})),
        ("get_unit", json!({ "job": 1, "seq": 99_999 })),
        ("list_units", json!({ "job": 1, "matching": "^99999$" })),
        ("change_units", json!({ "job": 1, "action": "retry", "status": ["failed"] })),
        ("change_settings", json!({ "job": 1, "workers": 1 })),
        ("reject_job", json!({ "job": 1, "reason": "test" })),
    ] {
        let before = host.processor_time();
        let answered = host.call(tool, arguments);
        // Not the time on the wall, which is that of everything else on the machine as well.
        let worked = host.processor_time() - before;

        assert!(!answered.failed, "{tool}: {}", answered.text);
        assert!(worked < ANSWER, "{tool} took {worked:?} of processor time");
        assert!(answered.bytes < 40 * 1024, "{tool} answered with {} bytes", answered.bytes);
    }
}

/// Fails every unit of the job without running them.
const FAIL_ALL: &str = "
    BEGIN;
    UPDATE units SET status = 'failed', attempts = 1, started_at = 1, finished_at = 2, exit_code = 1, error = 'line ' || id
    WHERE status = 'pending';
    UPDATE jobs SET pending = 0, failed = total;
    COMMIT";

#[test]
fn fault_91_a_locked_database_is_said_at_once_and_reading_goes_on() {
    let world = World::new();
    let mut host = Host::new(&world);
    host.ok("start_batch", json!({ "command": ["true"], "range": "1-2", "canary": 1 }));
    host.wait_for_job(&json!(1));
    host.ok("start_batch", json!({ "command": ["sleep", "60"] }));
    host.ok("stop_job", json!({ "job": 2, "now": true }));
    host.wait_for_job(&json!(2));

    let locked = world.hold_write_lock();
    for (tool, arguments) in [
        ("start_batch", json!({ "command": ["true"] })),
        ("resume_job", json!({ "job": 2 })),
        ("change_settings", json!({ "job": 1, "workers": 1 })),
        ("approve_job", json!({ "job": 1 })),
        ("reject_job", json!({ "job": 1, "reason": "test" })),
        ("cancel_job", json!({ "job": 2, "reason": "test" })),
        ("change_units", json!({ "job": 1, "action": "retry", "status": ["failed"] })),
    ] {
        // There the manager that is started finds out, not the call.
        if on_server() && ["resume_job", "approve_job"].contains(&tool) {
            continue;
        }
        let answered = host.call(tool, arguments);

        assert!(answered.failed && answered.text.contains("database is busy"), "{tool}: {}", answered.text);
        assert!(answered.text.contains("call again in a few seconds"), "{tool}: {}", answered.text);
        assert!(answered.took < ANSWER, "{tool} took {:?}", answered.took);
    }
    let read = host.call("job_status", json!({ "job": 1 }));
    drop(locked);
    host.ok("approve_job", json!({ "job": 1 }));

    assert!(!read.failed && read.took < ANSWER, "{} after {:?}", read.text, read.took);
    assert_eq!(host.wait_for_job(&json!(1)), "completed");
}

#[test]
fn fault_91_words_of_any_length_make_no_long_answer() {
    let world = World::new();
    let mut host = Host::new(&world);
    let labels: serde_json::Map<String, serde_json::Value> =
        (10..26).map(|n| (format!("{n}{}", "\"".repeat(62)), json!("\u{1}".repeat(255)))).collect();
    let batch =
        json!({ "command": ["true"], "range": "1-2", "canary": 1, "name": "\u{1}".repeat(255), "label": labels });
    let long = "x".repeat(100_000);
    for wrong in
        [json!({ "name": long }), json!({ "label": { "a": long } }), json!({ "key": long }), json!({ &long: 1 })]
    {
        let mut batch = batch.clone();
        batch.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = host.call("start_batch", batch);
        assert!(refused.failed && refused.bytes < 8 * 1024, "{} bytes: {}", refused.bytes, refused.text);
    }
    host.ok("start_batch", batch);
    host.wait_for_job(&json!(1));
    let much = "x".repeat(200_000);
    let rows = ["error", "callback_error", "halt_reason"].map(|key| format!("(1, '{key}', '{much}')")).join(", ");
    world.sql(&format!(
        "INSERT INTO metadata (job_id, key, value) VALUES {rows} \
         ON CONFLICT (job_id, key) DO UPDATE SET value = excluded.value"
    ));

    for (tool, arguments) in [
        ("job_status", json!({ "job": 1 })),
        ("wait_job", json!({ "job": 1 })),
        ("explain", json!({ "job": 1 })),
        ("list_jobs", json!({})),
        ("change_settings", json!({ "job": 1, "workers": 1 })),
        ("reject_job", json!({ "job": 1, "reason": long })),
        ("explain", json!({ "job": 1, "seq": 2 })),
        ("list_units", json!({ "job": 1 })),
        ("job_status", json!({ "job": long })),
    ] {
        let answered = host.call(tool, arguments);

        assert!(answered.bytes < 40 * 1024, "{tool} answered with {} bytes", answered.bytes);
    }
}

#[test]
fn fault_92_a_message_beyond_the_limit_is_refused_and_the_conversation_goes_on() {
    let world = World::new();
    let mut host = Host::new(&world);
    let long = json!({ "command": ["true"], "items": ["x".repeat(16 << 20)] });

    let call = host.begin("start_batch", &long);
    let refusal = host.answer(call);
    let jobs = host.ok("list_jobs", json!({}));

    assert!(refusal["error"]["message"].as_str().unwrap().contains("16777216 bytes"), "{refusal}");
    assert_eq!(jobs["jobs"], json!([]));
}

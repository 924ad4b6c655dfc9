//! Every verb is hit at its first, second, third … system call of interest, until it succeeds unharmed.

use crate::support::{BIN, World, on_server, repeat, text, without_tool};

const UNITS: u64 = 6;
/// A verb that is still hit after so many calls would go on for ever.
const MOST_CALLS: u32 = 2_000;

/// What is done to a system call.
#[derive(Clone, Copy)]
struct Blow {
    calls: &'static str,
    what: &'static str,
    /// Steps of the loop in `make test`; `make test-thorough` hits every call.
    step: u32,
}

const KILL_WRITES: Blow = Blow { calls: "pwrite64", what: "signal=SIGKILL", step: 3 };
const KILL_SYNCS: Blow = Blow { calls: "fsync,fdatasync", what: "signal=SIGKILL", step: 1 };
const KILL_OPENS: Blow = Blow { calls: "openat", what: "signal=SIGKILL", step: 5 };
const NO_SPACE: Blow = Blow { calls: "pwrite64", what: "error=ENOSPC", step: 3 };
const BAD_DISK: Blow = Blow { calls: "fsync,fdatasync", what: "error=EIO", step: 1 };

/// Runs `verb` under a blow at its k-th call for growing k; `prepare` makes the world that it is run in.
fn hit_every_call(blow: Blow, verb: &[&str], prepare: impl Fn(&World)) {
    let (mut nth, step) = (1, repeat(blow.step, 1));
    loop {
        assert!(nth < MOST_CALLS, "{verb:?} is hit for ever by {} at {}", blow.what, blow.calls);
        let world = World::new();
        prepare(&world);
        let mut strace = world.command("strace");
        let inject = format!("inject={}:{}:when={nth}", blow.calls, blow.what);
        let trace = format!("trace={}", blow.calls);
        strace.args(["-f", "-o", "strace.log", "-e", &trace, "-e", &inject, BIN]).args(verb);
        strace.output().unwrap();

        check(&world, &format!("{verb:?} with {} at call {nth} of {}", blow.what, blow.calls));
        let log = world.lines("strace.log").join("\n");
        if !log.contains("(INJECTED)") && !log.contains("killed by SIGKILL") {
            println!("{} blows", nth / step);
            // What a verb commits, a server writes.
            assert!(nth > 1 || on_server(), "nothing was hit");
            return;
        }
        nth += step;
    }
}

/// Whatever happened: the job is whole or absent, and it comes to its end.
fn check(world: &World, hit: &str) {
    world.write("go", "");
    let listed = world.run(&["list", "-q", "-a"]);
    if listed.stdout.is_empty() {
        world.ok(&["submit", "-q", "-j", "2", "--lines", "numbers", "--shell", "--", "echo {} >>done"]);
    }
    for _ in 0..6 {
        let resumed = world.run(&["resume", "last"]);
        assert!(matches!(resumed.status.code(), Some(0 | 4)), "{hit}: {}", text(&resumed.stderr));
        let ended = world.run(&["wait", "last", "--timeout", "30s"]);
        if ended.status.code() == Some(0) {
            break;
        }
        assert!(matches!(ended.status.code(), Some(10 | 12 | 13)), "{hit}: {}", text(&ended.stderr));
    }
    let status = world.status("last");
    assert_eq!(status["progress"]["completed"], UNITS, "{hit}: {status}\n{}", world.report());
    let done = world.lines("done");
    assert!((1..=UNITS).all(|number| done.contains(&number.to_string())), "{hit}: {done:?}");
    world.assert_sound(&status["job"]["id"].to_string());
}

fn numbers(world: &World) {
    world.numbers(UNITS as usize);
}

fn interrupted(world: &World) {
    numbers(world);
    let script = "test {} -lt 4 || test -e go || sleep 600; echo {} >>done";
    let job = world.ok(&["submit", "-j", "2", "--lines", "numbers", "--shell", "--", script]);
    world.wait_for_completed(&job, 3);
    world.kill_manager(&job);
    world.write("go", "");
}

fn running(world: &World) {
    numbers(world);
    let script = "test {} -lt 4 || until test -e go; do sleep 0.05; done; echo {} >>done";
    let job = world.ok(&["submit", "-j", "2", "--lines", "numbers", "--shell", "--", script]);
    world.wait_for_completed(&job, 3);
}

const RUN: &[&str] = &["run", "-q", "-j", "2", "--lines", "numbers", "--shell", "--", "echo {} >>done"];
const SUBMIT: &[&str] = &["submit", "-q", "-j", "2", "--lines", "numbers", "--shell", "--", "echo {} >>done"];

fn has_strace(world: &World) -> bool {
    world.sh("command -v strace").status.success()
}

macro_rules! loops {
    ($($name:ident: $blow:expr, $verb:expr, $prepare:expr;)*) => {$(
        #[test]
        fn $name() {
            if !has_strace(&World::new()) {
                return without_tool("strace");
            }
            hit_every_call($blow, $verb, $prepare);
        }
    )*};
}

loops! {
    a_start_killed_at_any_write_is_whole_or_absent: KILL_WRITES, SUBMIT, numbers;
    a_start_killed_at_any_sync_is_whole_or_absent: KILL_SYNCS, SUBMIT, numbers;
    a_start_killed_at_any_open_is_whole_or_absent: KILL_OPENS, SUBMIT, numbers;
    a_start_without_space_at_any_write_loses_nothing: NO_SPACE, SUBMIT, numbers;
    a_start_on_a_bad_disk_loses_nothing: BAD_DISK, SUBMIT, numbers;
    a_run_killed_at_any_write_is_whole_or_absent: KILL_WRITES, RUN, numbers;
    a_run_killed_at_any_sync_is_whole_or_absent: KILL_SYNCS, RUN, numbers;
    a_run_on_a_bad_disk_loses_nothing: BAD_DISK, RUN, numbers;
    a_stop_killed_at_any_write_loses_nothing: KILL_WRITES, &["stop", "1"], running;
    a_stop_killed_at_any_sync_loses_nothing: KILL_SYNCS, &["stop", "1"], running;
    a_stop_without_space_at_any_write_loses_nothing: NO_SPACE, &["stop", "1"], running;
    a_resume_killed_at_any_write_loses_nothing: KILL_WRITES, &["resume", "1"], interrupted;
    a_resume_killed_at_any_sync_loses_nothing: KILL_SYNCS, &["resume", "1"], interrupted;
    a_resume_without_space_at_any_write_loses_nothing: NO_SPACE, &["resume", "1"], interrupted;
}

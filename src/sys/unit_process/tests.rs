//! Tests of a unit's process, with real processes.

use std::sync::Arc;

use nix::sys::resource::{UsageWho, getrusage};

use super::super::inherited::null_output;
use super::*;

#[derive(Default)]
struct Collected {
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Streams for Collected {
    fn take_stdout(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
    fn take_stderr(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }
}

fn command(program: &str, words: &[&str]) -> UnitCommand {
    let argv = [&[program], words].concat().into_iter().map(Into::into).collect();
    UnitCommand::new(program.into(), argv, "/".into(), &Arc::new(std::env::vars_os().collect()))
}

fn run(script: &str, timeout: Option<Duration>, kill_after: Duration) -> (Ending, Collected) {
    let stop = EventFd::new().unwrap();
    let mut collected = Collected::default();
    let process = UnitProcess::spawn(&command("/bin/sh", &["-c", script]), &null_output().unwrap(), true).unwrap();
    let ending = process.supervise(&Times::limited(timeout, kill_after), &stop, &mut collected).unwrap();
    (ending, collected)
}

#[test]
fn both_streams_and_the_exit_code_arrive() {
    let (ending, collected) = run("printf out; printf err >&2; exit 7", None, Duration::from_secs(5));

    assert_eq!(ending.exit_code, Some(7));
    assert_eq!((collected.out.as_slice(), collected.err.as_slice()), (&b"out"[..], &b"err"[..]));
}

#[test]
fn more_output_than_a_pipe_holds_does_not_block() {
    let (ending, collected) = run("head -c 1000000 /dev/zero", None, Duration::from_secs(5));

    assert_eq!(ending.exit_code, Some(0));
    assert_eq!(collected.out.len(), 1_000_000);
}

#[test]
fn fault_32_a_unit_that_ignores_term_is_killed() {
    let (ending, _) =
        run("trap '' TERM; while :; do sleep 0.05; done", Some(Duration::from_millis(50)), Duration::from_millis(200));

    assert!(ending.timed_out);
    assert_eq!(ending.signal, Some(9));
}

#[test]
fn a_process_left_behind_with_the_output_does_not_hold_the_unit() {
    let started = Instant::now();

    let (ending, _) = run("sleep 600 & exit 0", None, Duration::from_secs(5));

    assert_eq!(ending.exit_code, Some(0));
    assert!(ending.leaked);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn ringing_the_stop_ends_the_unit() {
    let stop = EventFd::new().unwrap();
    let process = UnitProcess::spawn(&command("/bin/sleep", &["600"]), &null_output().unwrap(), true).unwrap();

    stop.ring();
    let times = Times::limited(None, Duration::from_secs(5));
    let ending = process.supervise(&times, &stop, &mut Collected::default()).unwrap();

    assert!(ending.stopped);
    assert_eq!(ending.signal, Some(15));
}

#[test]
fn fault_303_others_of_a_group_that_cannot_be_looked_at_have_their_time() {
    let now = Instant::now();
    let deadlines = Deadlines { kill_at: Some(now + Duration::from_secs(1)), ..Deadlines::default() };
    let unseen = || Err(io::Error::from(Errno::MFILE));

    assert!(!deadlines.is_over(now, unseen));
    assert!(deadlines.is_over(now + Duration::from_secs(1), unseen));
    assert!(deadlines.is_over(now, || Ok(false)));
}

#[test]
fn a_worker_wakes_once_for_the_end_of_a_unit_that_has_closed_its_output_before() {
    let switches = || getrusage(UsageWho::RUSAGE_THREAD).unwrap().voluntary_context_switches();
    let before = switches();

    for _ in 0..20 {
        run("exec >&- 2>&-; sleep 0.02", None, Duration::from_secs(5));
    }

    // Two for each: until it is the program, and until it has ended.
    assert!(switches() - before < 50, "{}", switches() - before);
}

#[test]
fn a_process_without_a_sign_of_life_is_ended_and_one_that_gives_some_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("alive");
    let stop = EventFd::new().unwrap();
    let idle = Duration::from_millis(600);
    let signs = "for i in 1 2 3 4 5 6 7 8; do sleep 0.15; printf . >\"$0\"; done; sleep 600";
    let words = "for i in 1 2 3 4 5 6 7 8; do sleep 0.15; echo $i; done; sleep 600";
    for script in [signs, words] {
        let life = LifeSign::listen(&pipe).unwrap();
        let command = command("/bin/sh", &["-c", script, pipe.to_str().unwrap()]);
        let began = Instant::now();
        let process = UnitProcess::spawn(&command, &null_output().unwrap(), true).unwrap();

        let times = Times { idle: Some(idle), life: Some(&life), ..Times::limited(None, Duration::from_secs(5)) };
        let ending = process.supervise(&times, &stop, &mut Collected::default()).unwrap();

        assert!(ending.idle && !ending.timed_out && !ending.stopped, "{ending:?}");
        assert!(began.elapsed() >= Duration::from_millis(8 * 150) + idle, "{:?}", began.elapsed());
    }
}

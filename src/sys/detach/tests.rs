//! Tests of a launch, with real processes.

use nix::errno::Errno;
use nix::unistd::Pid;

use super::*;
use crate::without as skipped;

const INSIDE: &str = "JOB_MANAGER_TEST_LAUNCH";
const LAST_NUMBER: &str = "/proc/sys/kernel/ns_last_pid";

#[test]
fn fault_301_a_launcher_that_the_kernel_has_reaped_is_not_ended_by_its_number() {
    if std::env::var_os(INSIDE).is_some() {
        return launch_where_nobody_reaps();
    }

    // Numbers of processes are chosen in a namespace of their own, below a process that ignores SIGCHLD.
    let test = "sys::detach::tests::fault_301_a_launcher_that_the_kernel_has_reaped_is_not_ended_by_its_number";
    let script = format!("trap '' CHLD; echo 100 >{LAST_NUMBER} && echo ready; exec \"$0\" --exact {test} --nocapture");
    let mut inner = Command::new("unshare");
    inner.args(["-U", "-r", "-p", "-f", "sh", "-c", &script]).arg(std::env::current_exe().unwrap());
    let Ok(ran) = inner.env(INSIDE, "1").output() else { return skipped::without_tool("unshare") };

    let said = String::from_utf8_lossy(&ran.stdout);
    if !said.starts_with("ready") {
        return skipped::without("the numbers of processes cannot be chosen");
    }
    assert!(said.contains("test result: ok. 1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}

/// Has a launcher end without a word, gives its number to a stranger, and looks for that one after the launch.
fn launch_where_nobody_reaps() {
    // On a busy machine the time of a launch may be over before its number is free.
    let mut tries = [2, 4, 8, 16].into_iter().map(|seconds| launch_beside_stranger(Duration::from_secs(seconds)));
    let found = tries.find_map(|(launched, stranger)| Some((launched, stranger?)));

    let (launched, mut stranger) = found.expect("the number was free in time");
    assert!(matches!(launched, Launched::TimedOut), "{launched:?}");
    assert!(matches!(stranger.try_wait(), Ok(None)), "it was ended");
    stranger.kill().unwrap();
}

/// Launches something that ends without a word; returns what came of it, and whoever got its number meanwhile.
fn launch_beside_stranger(time: Duration) -> (Launched, Option<Child>) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("number");
    // The pipe stays open, so that the launch waits for its time.
    let script = format!("sleep {1} & echo $$ >{0}.new; mv {0}.new {0}", file.display(), 2 * time.as_secs());
    let launched = std::thread::spawn(move || {
        let plan = LaunchPlan {
            program: Path::new("/bin/sh"),
            title: "launcher",
            args: vec!["-c".into(), script.into()],
            variables: Vec::new(),
            forget: &[],
            scope: None,
            log: File::options().write(true).open("/dev/null").unwrap(),
        };
        launch(plan, time)
    });

    let mut stranger = None;
    while stranger.is_none() && !launched.is_finished() {
        let number = fs::read_to_string(&file).ok().and_then(|number| number.trim().parse().ok());
        stranger = number.and_then(take_number);
    }
    (launched.join().unwrap().unwrap(), stranger)
}

/// Starts a process with that number, if it is free.
fn take_number(number: i32) -> Option<Child> {
    if nix::sys::signal::kill(Pid::from_raw(number), None) != Err(Errno::ESRCH) {
        return None;
    }
    fs::write(LAST_NUMBER, (number - 1).to_string()).unwrap();
    let mut child = Command::new("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap();
    let is_it = i32::try_from(child.id()) == Ok(number);
    if !is_it {
        child.kill().unwrap();
        // Nobody reaps here but the kernel, which has no status to tell.
        let _ = child.wait();
    }
    is_it.then_some(child)
}

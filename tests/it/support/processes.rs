//! Looking at processes through `/proc`, and ending those of a test.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// What `/proc/<pid>/stat` says about where a process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub state: char,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
}

/// Reads where a process stands; none when it is gone.
pub fn identity(pid: u32) -> Option<Identity> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    Some(Identity {
        state: fields[0].chars().next()?,
        parent: fields[1].parse().ok()?,
        group: fields[2].parse().ok()?,
        session: fields[3].parse().ok()?,
    })
}

/// Returns the processor time that a process has used, in steps of the 10 ms that Linux counts it in.
pub fn processor_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().skip(11).take(2);
    fields.map(|ticks| Duration::from_millis(10 * ticks.parse::<u64>().unwrap())).sum()
}

/// Says whether a process runs; a zombie does not.
pub fn is_alive(pid: u32) -> bool {
    identity(pid).is_some_and(|identity| !matches!(identity.state, 'Z' | 'X'))
}

/// Kills a process.
pub fn kill(pid: u32) {
    nix::sys::signal::kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
}

/// Returns the zombies among the children of a process.
pub fn zombies_below(parent: u32) -> Vec<u32> {
    children_of(parent).into_iter().filter(|pid| identity(*pid).is_some_and(|found| found.state == 'Z')).collect()
}

/// Returns the children of a process.
pub fn children_of(parent: u32) -> Vec<u32> {
    all().into_iter().filter(|pid| identity(*pid).is_some_and(|found| found.parent == parent)).collect()
}

/// Returns the processes that carry the mark of a world in their environment.
pub fn of_world(dir: &Path) -> Vec<u32> {
    with_variable(&mark_of(dir))
}

/// Returns the processes with that variable, written as `NAME=value`, in their environment.
fn with_variable(variable: &str) -> Vec<u32> {
    let own = std::process::id();
    all()
        .into_iter()
        .filter(|pid| *pid != own && is_alive(*pid))
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ"))
                .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes()))
        })
        .collect()
}

fn mark_of(dir: &Path) -> String {
    format!("JM_TEST_WORLD={}", dir.display())
}

/// Kills everything of a world, also what is born meanwhile.
pub fn end_world(dir: &Path) {
    end_with_variable(&mark_of(dir));
}

/// Kills everything with that variable, also what is born meanwhile.
pub fn end_with_variable(variable: &str) {
    for _ in 0..50 {
        let found = with_variable(variable);
        if found.is_empty() {
            return;
        }
        for pid in found {
            // It may have ended by itself.
            let _ = nix::sys::signal::kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
        }
        std::thread::yield_now();
    }
}

/// Returns all processes of the machine.
pub fn all() -> Vec<u32> {
    fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

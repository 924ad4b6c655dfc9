//! Processes of units that outlived their manager, found and ended.
//!
//! Two marks give one away: the cookie in the environment it was started with, and a slot file as its standard
//! input. A process that shed both, by a new environment and a new standard input, is not found.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Name of the environment variable that marks every process of a unit.
pub const COOKIE_VARIABLE: &str = "JOB_MANAGER_COOKIE";

/// Passes over the process table before giving up on processes that breed faster than they are ended.
const PASSES: usize = 20;

/// Ends every process whose cookie begins with `cookie` or whose standard input is `slots` or lies below it: TERM,
/// then KILL after `patience`. Returns how many there were, and whether none is left.
pub fn end_orphans(cookie: Option<&str>, slots: &Path, patience: Duration) -> io::Result<(usize, bool)> {
    let mark = cookie.map(|cookie| format!("{COOKIE_VARIABLE}={cookie}").into_bytes());
    let mut ended = 0;
    for pass in 0..PASSES {
        let found = find(mark.as_deref(), slots)?;
        if found.is_empty() {
            return Ok((ended, true));
        }
        // Whoever appears only now was born while its parents were being ended, and has had its TERM with them.
        let gentle = if pass == 0 { patience } else { Duration::ZERO };
        end(&found, gentle)?;
        ended += found.len();
    }
    Ok((ended, false))
}

/// Returns handles of the marked processes.
fn find(mark: Option<&[u8]>, slots: &Path) -> io::Result<Vec<OwnedFd>> {
    let own = rustix::process::getpid();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(raw) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Some(pid) = Pid::from_raw(raw).filter(|&pid| pid != own) else { continue };
        // The handle comes first: what is read afterwards is about the process that it holds.
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        if is_marked(raw, mark, slots) && !has_ended(&handle)? {
            found.push(handle);
        }
    }
    Ok(found)
}

fn is_marked(pid: i32, mark: Option<&[u8]>, slots: &Path) -> bool {
    // Processes of other users cannot be read, and are not ours.
    let by_cookie = mark.is_some_and(|mark| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(mark)))
    });
    by_cookie || fs::read_link(format!("/proc/{pid}/fd/0")).is_ok_and(|stdin| stdin.starts_with(slots))
}

fn end(processes: &[OwnedFd], patience: Duration) -> io::Result<()> {
    if !patience.is_zero() {
        signal_all(processes, Signal::TERM);
        if wait_all(processes, patience)? {
            return Ok(());
        }
    }
    signal_all(processes, Signal::KILL);
    wait_all(processes, Duration::from_secs(2)).map(drop)
}

fn signal_all(processes: &[OwnedFd], signal: Signal) {
    for process in processes {
        // One that has ended meanwhile is what we want; one that may not be signalled shows in the next pass.
        let _ = pidfd_send_signal(process, signal);
    }
}

/// Waits until all have ended; false when time ran out.
fn wait_all(processes: &[OwnedFd], patience: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + patience;
    for process in processes {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&timeout)) {
                Ok(0) => return Ok(false),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(true)
}

fn has_ended(process: &OwnedFd) -> io::Result<bool> {
    Ok(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_marked_process_is_ended_and_a_stranger_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut marked = Command::new("sleep")
            .arg("600")
            .env(COOKIE_VARIABLE, "orphan-test-1:7")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut stranger = Command::new("sleep")
            .arg("600")
            .env(COOKIE_VARIABLE, "orphan-test-2:7")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();

        let outcome = end_orphans(Some("orphan-test-1:"), dir.path(), Duration::from_secs(5)).unwrap();

        assert_eq!(outcome, (1, true));
        assert!(marked.wait().unwrap().code().is_none());
        assert!(stranger.try_wait().unwrap().is_none());
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn a_process_without_the_cookie_is_known_by_its_standard_input() {
        let dir = tempfile::tempdir().unwrap();
        let slot = super::super::SlotFile::at(dir.path().join("0"));
        let mut child = Command::new("sleep").arg("600").stdin(slot.occupy(b"").unwrap()).spawn().unwrap();
        assert!(!slot.is_free().unwrap());

        let outcome = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();

        assert_eq!(outcome, (1, true));
        child.wait().unwrap();
        assert!(slot.is_free().unwrap());
    }
}

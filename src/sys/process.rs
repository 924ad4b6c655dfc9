//! Who a process is, and whether it still is.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use crate::model::ProcessIdentity;

/// What became of a process that was once identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessVerdict {
    /// It lives.
    Alive,
    /// It has ended; perhaps its number belongs to another process now.
    Gone,
    /// Its host has booted since, so that it must have ended.
    HostRebooted,
    /// It ran on another host, where this one cannot look.
    OtherHost,
    /// A process of that number exists, but this one may not look at it.
    Invisible,
}

/// Returns the identity of the calling process.
pub fn own_identity() -> io::Result<ProcessIdentity> {
    let pid = std::process::id();
    Ok(ProcessIdentity { pid, start_ticks: start_ticks(pid)?, boot_id: boot_id()?, host: host()? })
}

/// Finds out whether the process of that identity lives.
pub fn verify_process(identity: &ProcessIdentity) -> ProcessVerdict {
    match (host(), boot_id()) {
        (Ok(host), _) if host != identity.host => return ProcessVerdict::OtherHost,
        (_, Ok(boot)) if boot != identity.boot_id => return ProcessVerdict::HostRebooted,
        (Ok(_), Ok(_)) => {}
        _ => return ProcessVerdict::Invisible,
    }
    // EPERM means that the process exists and belongs to somebody else.
    match kill(pid(identity), None) {
        Ok(()) | Err(Errno::EPERM) => {}
        Err(_) => return ProcessVerdict::Gone,
    }
    match start_ticks(identity.pid) {
        Ok(ticks) if ticks == identity.start_ticks => {}
        Ok(_) => return ProcessVerdict::Gone,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return ProcessVerdict::Gone,
        Err(_) => return ProcessVerdict::Invisible,
    }
    // `kill` succeeds for a zombie too, and where nobody reaps one it lasts for ever.
    if is_zombie(identity.pid) { ProcessVerdict::Gone } else { ProcessVerdict::Alive }
}

/// Sends a signal to exactly the process of that identity; false when it has ended.
///
/// The number is turned into a handle first and the identity is checked on what the handle holds, so that a process
/// that got the number in between is never hit.
pub fn signal_process(identity: &ProcessIdentity, signal: Signal) -> io::Result<bool> {
    let Some(raw) = i32::try_from(identity.pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return Ok(false);
    };
    let handle = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if verify_process(identity) != ProcessVerdict::Alive {
        return Ok(false);
    }
    match pidfd_send_signal(&handle, signal) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::SRCH) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Returns the clock tick since boot at which a process started.
pub(super) fn start_ticks(pid: u32) -> io::Result<u64> {
    const START_TIME: usize = 22;
    // The name, field 2, may itself hold spaces and brackets: what follows the last bracket is field 3.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(START_TIME - 3))
        .and_then(|ticks| ticks.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("cannot read /proc/{pid}/stat")))
}

fn is_zombie(pid: u32) -> bool {
    let Ok(mut system) = System::new() else { return false };
    let pid = sysinfo::Pid::from_u32(pid);
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing().without_tasks(),
    );
    system.process(pid).is_none_or(|process| matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead))
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

fn host() -> io::Result<String> {
    Ok(nix::unistd::gethostname()?.to_string_lossy().into_owned())
}

fn pid(identity: &ProcessIdentity) -> Pid {
    // A number that does not fit names no process; the largest one is never given out.
    Pid::from_raw(i32::try_from(identity.pid).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn identity_of(pid: u32) -> ProcessIdentity {
        ProcessIdentity { pid, start_ticks: start_ticks(pid).unwrap(), ..own_identity().unwrap() }
    }

    #[test]
    fn this_process_lives() {
        assert_eq!(verify_process(&own_identity().unwrap()), ProcessVerdict::Alive);
    }

    #[test]
    fn a_number_with_another_start_is_another_process() {
        let mut identity = own_identity().unwrap();
        identity.start_ticks += 1;

        assert_eq!(verify_process(&identity), ProcessVerdict::Gone);
        assert!(!signal_process(&identity, Signal::KILL).unwrap());
    }

    #[test]
    fn a_zombie_is_gone_although_its_number_can_be_signalled() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let identity = identity_of(child.id());
        assert_eq!(verify_process(&identity), ProcessVerdict::Alive);

        signal_process(&identity, Signal::KILL).unwrap();
        while !fs::read_to_string(format!("/proc/{}/stat", identity.pid)).unwrap().contains(") Z ") {
            std::thread::yield_now();
        }

        assert_eq!(kill(pid(&identity), None), Ok(()));
        assert_eq!(verify_process(&identity), ProcessVerdict::Gone);
        child.wait().unwrap();
    }

    #[test]
    fn another_boot_or_host_is_told_apart() {
        let own = own_identity().unwrap();

        let other_boot = ProcessIdentity { boot_id: "before".to_owned(), ..own.clone() };
        let other_host = ProcessIdentity { host: "elsewhere".to_owned(), ..own };

        assert_eq!(verify_process(&other_boot), ProcessVerdict::HostRebooted);
        assert_eq!(verify_process(&other_host), ProcessVerdict::OtherHost);
    }
}

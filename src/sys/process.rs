//! Who a process is, and whether it still is.

use std::fs;
use std::io;
use std::sync::OnceLock;

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
    /// It was killed or is exiting: it does nothing more, and may hold its locks for a moment yet.
    Ending,
    /// It has ended; perhaps its number belongs to another process now.
    Gone,
    /// Its host has booted since, so that it must have ended.
    HostRebooted,
    /// It ran on another host, where this one cannot look, or on this one before a reboot and under another name.
    OtherHost,
    /// Its number and ticks are those of another PID or time namespace, in which this one cannot look.
    OtherNamespace,
    /// A process of that number may exist, but this one may not look at it.
    Invisible,
}

/// Returns the identity of the calling process.
pub fn own_identity() -> io::Result<ProcessIdentity> {
    let pid = std::process::id();
    let start_ticks = Stat::of("self")?.start_ticks;
    let (boot_id, namespaces) = (boot_id()?.to_owned(), Some(namespaces()?.to_owned()));
    Ok(ProcessIdentity { pid, start_ticks, boot_id, host: host()?, namespaces })
}

/// Finds out whether the process of that identity lives.
///
/// The name of the host is asked only where the boot is another one: names change while a host runs.
pub fn verify_process(identity: &ProcessIdentity) -> ProcessVerdict {
    match boot_id() {
        Ok(boot) if boot == identity.boot_id => {}
        Ok(_) if host().is_ok_and(|host| host == identity.host) => return ProcessVerdict::HostRebooted,
        Ok(_) => return ProcessVerdict::OtherHost,
        Err(_) => return ProcessVerdict::Invisible,
    }
    match (&identity.namespaces, namespaces()) {
        (Some(theirs), Ok(ours)) if *theirs != ours => return ProcessVerdict::OtherNamespace,
        (Some(_), Err(_)) => return ProcessVerdict::Invisible,
        (Some(_) | None, _) => {}
    }
    if !exists(identity) {
        return ProcessVerdict::Gone;
    }
    if !proc_is_ours() {
        return ProcessVerdict::Invisible;
    }
    match look(identity) {
        Ok(verdict) => verdict,
        // It has ended in this moment, or `/proc` hides the processes of others.
        Err(_) if exists(identity) => ProcessVerdict::Invisible,
        Err(_) => ProcessVerdict::Gone,
    }
}

fn look(identity: &ProcessIdentity) -> io::Result<ProcessVerdict> {
    // In this order: a signal that is no longer pending shows as an exit.
    let is_killed = is_killed(identity.pid)?;
    let stat = Stat::of(&identity.pid.to_string())?;
    Ok(match stat {
        Stat { start_ticks, .. } if start_ticks != identity.start_ticks => ProcessVerdict::Gone,
        // Its other threads have its files open still.
        Stat { threads: 2.., .. } if is_zombie(identity.pid) => ProcessVerdict::Ending,
        // `kill` succeeds for a zombie too, and where nobody reaps one it lasts for ever.
        Stat { .. } if is_zombie(identity.pid) => ProcessVerdict::Gone,
        Stat { flags, .. } if is_killed || flags & EXITING != 0 => ProcessVerdict::Ending,
        Stat { .. } => ProcessVerdict::Alive,
    })
}

/// Returns `true` if there is a process of that number; EPERM means that it belongs to somebody else.
fn exists(identity: &ProcessIdentity) -> bool {
    matches!(kill(pid(identity), None), Ok(()) | Err(Errno::EPERM))
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

/// Bits of a process's flags while it exits: PF_EXITING and PF_SIGNALED.
const EXITING: u32 = 0x4 | 0x400;

/// What `/proc/PID/stat` says.
struct Stat {
    flags: u32,
    threads: u32,
    /// Clock ticks since boot at which the process started.
    start_ticks: u64,
}

impl Stat {
    fn of(process: &str) -> io::Result<Stat> {
        let path = format!("/proc/{process}/stat");
        let stat = fs::read_to_string(&path)?;
        Self::parse(&stat).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("cannot read {path}")))
    }

    fn parse(stat: &str) -> Option<Stat> {
        // The name, field 2, may itself hold spaces and brackets: what follows the last bracket is field 3.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3);
        Some(Stat {
            flags: field(9)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
        })
    }
}

/// Returns `true` if a process was sent KILL: from then on it does nothing more, however long its end takes.
fn is_killed(pid: u32) -> io::Result<bool> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let pending = status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    Ok(pending.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok()).any(|mask| mask & KILL_BIT != 0))
}

/// KILL in a mask of signals.
const KILL_BIT: u64 = 1 << (9 - 1);

/// Names the namespaces in which numbers and ticks of this process are told.
fn namespaces() -> io::Result<&'static str> {
    static NAMES: OnceLock<String> = OnceLock::new();
    let name = |kind: &str| match fs::read_link(format!("/proc/self/ns/{kind}")) {
        Ok(name) => Ok(name.to_string_lossy().into_owned()),
        // Old kernels have one of that kind.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    };
    once(&NAMES, || Ok(format!("{} {}", name("pid")?, name("time")?)))
}

/// Reads what does not change while this process lives.
fn once(cell: &'static OnceLock<String>, read: impl FnOnce() -> io::Result<String>) -> io::Result<&'static str> {
    match cell.get() {
        Some(known) => Ok(known),
        None => read().map(|read| cell.get_or_init(|| read).as_str()),
    }
}

/// Returns `true` if `/proc` shows the PID namespace of this process.
fn proc_is_ours() -> bool {
    fs::read_link("/proc/self").is_ok_and(|own| own.to_str() == Some(std::process::id().to_string().as_str()))
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

fn boot_id() -> io::Result<&'static str> {
    static ID: OnceLock<String> = OnceLock::new();
    once(&ID, || Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned()))
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
        let start_ticks = Stat::of(&pid.to_string()).unwrap().start_ticks;
        ProcessIdentity { pid, start_ticks, ..own_identity().unwrap() }
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
    fn fault_114_a_process_that_was_killed_is_not_alive_although_it_is_still_there() {
        for _ in 0..200 {
            let mut child = Command::new("sleep").arg("600").spawn().unwrap();
            let identity = identity_of(child.id());

            kill(pid(&identity), nix::sys::signal::Signal::SIGKILL).unwrap();
            let verdict = verify_process(&identity);

            child.wait().unwrap();
            assert!(matches!(verdict, ProcessVerdict::Ending | ProcessVerdict::Gone), "{verdict:?}");
        }
    }

    #[test]
    fn another_boot_or_host_is_told_apart() {
        let own = own_identity().unwrap();

        let other_boot = ProcessIdentity { boot_id: "before".to_owned(), ..own.clone() };
        let other_host = ProcessIdentity { host: "elsewhere".to_owned(), ..other_boot.clone() };

        assert_eq!(verify_process(&other_boot), ProcessVerdict::HostRebooted);
        assert_eq!(verify_process(&other_host), ProcessVerdict::OtherHost);
    }

    #[test]
    fn fault_113_a_host_that_was_renamed_is_the_same_host() {
        let renamed = ProcessIdentity { host: "lease-17".to_owned(), ..own_identity().unwrap() };

        assert_eq!(verify_process(&renamed), ProcessVerdict::Alive);
    }

    #[test]
    fn fault_113_a_number_of_another_namespace_is_not_looked_up_in_this_one() {
        let inside = ProcessIdentity { namespaces: Some("pid:[1] time:[1]".to_owned()), ..own_identity().unwrap() };

        assert_eq!(verify_process(&inside), ProcessVerdict::OtherNamespace);
        assert!(!signal_process(&inside, Signal::KILL).unwrap());
    }
}

//! The table of verdicts.

use std::time::Duration;

use serde::Serialize;

use crate::sys::{LockProbe, ProcessVerdict};

/// Heartbeat age above which a living manager is called stalled; it writes about every second.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// Who wrote the record of the latest manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A process that worked on this database.
    Process(ProcessVerdict),
    /// A process that works on the database of which this one is a copy: it says nothing about this one.
    OfOriginal,
    /// A process of another host that works on the same database, which is on a server: of that one its lease tells.
    OfOtherHost,
}

/// What is known of the managers that other hosts have, from the server that keeps their leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseSeen {
    /// There are none.
    None,
    /// One has a lease.
    Valid,
    /// The leases of all have ended, and nobody has taken over.
    Ended,
}

/// All that is known about a job's manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The job's lock.
    pub lock: LockProbe,
    /// What became of the latest manager; `None` before the first.
    pub writer: Option<Writer>,
    /// Time since the manager last wrote.
    pub heartbeat_age: Option<Duration>,
}

/// Whether a job's manager lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// The job never had a manager.
    NotStarted,
    /// A manager lives.
    Running,
    /// The latest manager has ended.
    Stopped,
    /// It cannot be told from here; nobody takes over on such a verdict.
    Unknown,
}

/// What a person should know besides the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It lives and has not written for long.
    #[error("the manager lives but has not written for a while")]
    Stalled,
    /// Its host has booted since.
    #[error("the host was rebooted")]
    HostRebooted,
    /// It ran on a host that cannot be asked from here, or on this one before a reboot and under another name.
    #[error("the manager ran on another host")]
    OtherHost,
    /// It is told by the numbers of another PID or time namespace, as in a container.
    #[error("the manager ran in another container or namespace, where its process cannot be looked at from here")]
    OtherNamespace,
    /// Its process belongs to somebody else.
    #[error("the manager's process may not be looked at")]
    Invisible,
    /// Nobody here may look at the job's lock.
    #[error("the job's lock may not be looked at")]
    LockInvisible,
    /// It was killed, and the kernel has not ended it yet.
    #[error("the manager was killed and is about to be gone")]
    Killed,
    /// The manager on record is that of the database of which this one is a copy.
    #[error("this database is a copy: the manager on record belongs to the original")]
    Copy,
    /// It has a lease that has ended, on another host; whoever begins may take over.
    #[error("the manager's host is silent and its lease has ended")]
    Silent,
    /// The lock says that one lives, the record names another process.
    #[error("a manager holds the lock but is not the recorded process")]
    Unidentified,
}

/// Judges the evidence: where the lock can be looked at it decides, where it cannot or is gone the process does, and
/// where neither can the verdict is unknown, with the reason.
pub fn judge(evidence: Evidence) -> (Health, Option<Reason>) {
    use LockProbe::{Free, Held, Missing, Unknown};
    use ProcessVerdict::{Alive, Ending, Gone, HostRebooted, Invisible, OtherHost, OtherNamespace};
    use Writer::{OfOriginal, OfOtherHost, Process};

    let stalled = evidence.heartbeat_age.filter(|age| *age > STALLED_AFTER).map(|_| Reason::Stalled);
    match (evidence.lock, evidence.writer) {
        (Held | Missing | Unknown, Some(Process(Alive))) => (Health::Running, stalled),
        // It holds its lock until the kernel is done with it, and will not do anything more.
        (Held, Some(Process(Ending))) => (Health::Stopped, Some(Reason::Killed)),
        (Held, Some(Process(OtherNamespace))) => (Health::Running, Some(Reason::OtherNamespace)),
        (Held, Some(Process(Invisible))) => (Health::Running, Some(Reason::Invisible)),
        (Held, None | Some(Process(Gone | HostRebooted | OtherHost) | OfOriginal | OfOtherHost)) => {
            (Health::Running, Some(Reason::Unidentified))
        }

        (Free | Missing, None) => (Health::NotStarted, None),
        (Free | Missing, Some(OfOriginal)) => (Health::Stopped, Some(Reason::Copy)),
        (Free | Missing, Some(OfOtherHost)) => (Health::Stopped, None),
        (Free | Missing | Unknown, Some(Process(HostRebooted))) => (Health::Stopped, Some(Reason::HostRebooted)),
        (Free | Missing | Unknown, Some(Process(Ending | Gone))) => (Health::Stopped, None),
        (Free, Some(Process(Alive | OtherNamespace | Invisible))) => (Health::Stopped, None),
        // File systems that several hosts share are refused.
        (Free | Missing, Some(Process(OtherHost))) => (Health::Stopped, Some(Reason::OtherHost)),

        (Missing | Unknown, Some(Process(OtherNamespace))) => (Health::Unknown, Some(Reason::OtherNamespace)),
        (Missing | Unknown, Some(Process(Invisible))) => (Health::Unknown, Some(Reason::Invisible)),
        (Unknown, Some(Process(OtherHost))) => (Health::Unknown, Some(Reason::OtherHost)),
        (Unknown, None | Some(OfOriginal | OfOtherHost)) => (Health::Unknown, Some(Reason::LockInvisible)),
    }
}

/// Judges what was seen on this host together with the leases of other hosts: a job runs if any of its managers does.
pub fn judge_all(here: (Health, Option<Reason>), lease: LeaseSeen) -> (Health, Option<Reason>) {
    match (here.0, lease) {
        (Health::Running, _) | (_, LeaseSeen::None) => here,
        (_, LeaseSeen::Valid) => (Health::Running, None),
        (_, LeaseSeen::Ended) => (Health::Unknown, Some(Reason::Silent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: [LockProbe; 4] = [LockProbe::Held, LockProbe::Free, LockProbe::Missing, LockProbe::Unknown];

    fn writers() -> Vec<Option<Writer>> {
        use ProcessVerdict::*;
        let processes = [Alive, Ending, Gone, HostRebooted, OtherHost, OtherNamespace, Invisible];
        [None, Some(Writer::OfOriginal), Some(Writer::OfOtherHost)]
            .into_iter()
            .chain(processes.map(|process| Some(Writer::Process(process))))
            .collect()
    }

    fn verdict(lock: LockProbe, process: ProcessVerdict) -> (Health, Option<Reason>) {
        judge(Evidence { lock, writer: Some(Writer::Process(process)), heartbeat_age: None })
    }

    fn health(lock: LockProbe, writer: Option<Writer>, age_s: u64) -> Health {
        judge(Evidence { lock, writer, heartbeat_age: Some(Duration::from_secs(age_s)) }).0
    }

    #[test]
    fn a_held_lock_means_running_unless_its_holder_was_killed() {
        for writer in writers() {
            let killed = writer == Some(Writer::Process(ProcessVerdict::Ending));
            let expected = if killed { Health::Stopped } else { Health::Running };
            assert_eq!(health(LockProbe::Held, writer, 0), expected, "{writer:?}");
        }
    }

    #[test]
    fn fault_16_a_free_lock_means_not_running_whatever_the_number_says() {
        for writer in writers() {
            assert_ne!(health(LockProbe::Free, writer, 0), Health::Running);
        }
    }

    #[test]
    fn the_age_of_a_heartbeat_never_changes_the_verdict() {
        for lock in LOCKS {
            for writer in writers() {
                assert_eq!(health(lock, writer, 0), health(lock, writer, 1_000_000));
            }
        }
    }

    #[test]
    fn fault_113_what_cannot_be_seen_is_unknown_with_the_reason_and_never_dead() {
        for lock in [LockProbe::Missing, LockProbe::Unknown] {
            for (process, reason) in [
                (ProcessVerdict::OtherNamespace, Reason::OtherNamespace),
                (ProcessVerdict::Invisible, Reason::Invisible),
            ] {
                assert_eq!(verdict(lock, process), (Health::Unknown, Some(reason)));
                assert_eq!(verdict(LockProbe::Held, process), (Health::Running, Some(reason)));
            }
            assert_eq!(verdict(lock, ProcessVerdict::Alive).0, Health::Running);
        }
        for lock in LOCKS {
            for writer in writers() {
                let (health, reason) = judge(Evidence { lock, writer, heartbeat_age: None });
                assert!(health != Health::Unknown || reason.is_some(), "{lock:?} {writer:?}");
            }
        }
    }

    #[test]
    fn fault_112_the_manager_of_the_original_says_nothing_about_a_copy() {
        let judged = |lock| judge(Evidence { lock, writer: Some(Writer::OfOriginal), heartbeat_age: None });

        assert_eq!(judged(LockProbe::Free), (Health::Stopped, Some(Reason::Copy)));
        assert_eq!(judged(LockProbe::Missing), (Health::Stopped, Some(Reason::Copy)));
        assert_eq!(judged(LockProbe::Held), (Health::Running, Some(Reason::Unidentified)));
    }

    #[test]
    fn another_hosts_lease_is_what_tells_unless_one_runs_here() {
        for here in [Health::NotStarted, Health::Stopped, Health::Unknown] {
            let here = (here, None);
            assert_eq!(judge_all(here, LeaseSeen::Valid), (Health::Running, None));
            assert_eq!(judge_all(here, LeaseSeen::Ended), (Health::Unknown, Some(Reason::Silent)));
            assert_eq!(judge_all(here, LeaseSeen::None), here);
        }
        for lease in [LeaseSeen::None, LeaseSeen::Valid, LeaseSeen::Ended] {
            assert_eq!(judge_all((Health::Running, None), lease), (Health::Running, None));
        }
        for lock in [LockProbe::Free, LockProbe::Missing] {
            let judged = judge(Evidence { lock, writer: Some(Writer::OfOtherHost), heartbeat_age: None });
            assert_eq!(judged, (Health::Stopped, None), "it is no copy");
        }
    }

    #[test]
    fn fault_24_a_reboot_is_named_as_the_reason() {
        for lock in [LockProbe::Free, LockProbe::Missing, LockProbe::Unknown] {
            let judged = verdict(lock, ProcessVerdict::HostRebooted);

            assert_eq!(judged, (Health::Stopped, Some(Reason::HostRebooted)));
        }
    }
}

//! The table of verdicts.

use std::time::Duration;

use serde::Serialize;

use crate::sys::ProcessVerdict;

/// Heartbeat age above which a living manager is called stalled; it writes about every second.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// What a look at the lock said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// Somebody holds it.
    Held,
    /// Nobody holds it.
    Free,
    /// It cannot be looked at from here.
    Unknown,
}

/// All that is known about a job's manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The job's lock.
    pub lock: LockState,
    /// The process that the latest manager said it was; none before the first.
    pub process: Option<ProcessVerdict>,
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
    /// It ran on a host that cannot be asked from here.
    #[error("the manager ran on another host")]
    OtherHost,
    /// Its process belongs to somebody else.
    #[error("the manager's process may not be looked at")]
    Invisible,
    /// The lock says that one lives, the record names another process.
    #[error("a manager holds the lock but is not the recorded process")]
    Unidentified,
}

/// Judges the evidence.
pub fn judge(evidence: Evidence) -> (Health, Option<Reason>) {
    use ProcessVerdict::{Alive, Gone, HostRebooted, Invisible, OtherHost};

    let stalled = evidence.heartbeat_age.filter(|age| *age > STALLED_AFTER).map(|_| Reason::Stalled);
    match (evidence.lock, evidence.process) {
        (LockState::Held, Some(Alive)) => (Health::Running, stalled),
        (LockState::Held, _) => (Health::Running, Some(Reason::Unidentified)),

        (LockState::Free, None) => (Health::NotStarted, None),
        (LockState::Free, Some(HostRebooted)) => (Health::Stopped, Some(Reason::HostRebooted)),
        (LockState::Free, Some(_)) => (Health::Stopped, None),

        (LockState::Unknown, None) => (Health::Unknown, None),
        (LockState::Unknown, Some(Alive)) => (Health::Running, stalled),
        (LockState::Unknown, Some(Gone)) => (Health::Stopped, None),
        (LockState::Unknown, Some(HostRebooted)) => (Health::Stopped, Some(Reason::HostRebooted)),
        (LockState::Unknown, Some(OtherHost)) => (Health::Unknown, Some(Reason::OtherHost)),
        (LockState::Unknown, Some(Invisible)) => (Health::Unknown, Some(Reason::Invisible)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESSES: [Option<ProcessVerdict>; 6] = [
        None,
        Some(ProcessVerdict::Alive),
        Some(ProcessVerdict::Gone),
        Some(ProcessVerdict::HostRebooted),
        Some(ProcessVerdict::OtherHost),
        Some(ProcessVerdict::Invisible),
    ];

    fn health(lock: LockState, process: Option<ProcessVerdict>, age_s: u64) -> Health {
        judge(Evidence { lock, process, heartbeat_age: Some(Duration::from_secs(age_s)) }).0
    }

    #[test]
    fn a_held_lock_means_running_whatever_the_number_says() {
        for process in PROCESSES {
            assert_eq!(health(LockState::Held, process, 0), Health::Running);
        }
    }

    #[test]
    fn fault_16_a_free_lock_means_not_running_whatever_the_number_says() {
        for process in PROCESSES {
            assert_ne!(health(LockState::Free, process, 0), Health::Running);
        }
    }

    #[test]
    fn the_age_of_a_heartbeat_never_changes_the_verdict() {
        for lock in [LockState::Held, LockState::Free, LockState::Unknown] {
            for process in PROCESSES {
                assert_eq!(health(lock, process, 0), health(lock, process, 1_000_000));
            }
        }
    }

    #[test]
    fn what_cannot_be_seen_is_unknown() {
        for process in [None, Some(ProcessVerdict::OtherHost), Some(ProcessVerdict::Invisible)] {
            assert_eq!(health(LockState::Unknown, process, 0), Health::Unknown);
        }
    }

    #[test]
    fn fault_24_a_reboot_is_named_as_the_reason() {
        let evidence =
            Evidence { lock: LockState::Free, process: Some(ProcessVerdict::HostRebooted), heartbeat_age: None };

        assert_eq!(judge(evidence), (Health::Stopped, Some(Reason::HostRebooted)));
    }
}

//! Waiting for the end of a process that is not a child.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A handle of a process, by which its end is noticed at once.
#[derive(Debug)]
pub struct ProcessEnd(OwnedFd);

impl ProcessEnd {
    /// Takes a handle of whatever process has that number now; `None` when there is none, or it cannot be had.
    pub fn of(pid: u32) -> Option<ProcessEnd> {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        pidfd_open(pid, PidfdFlags::empty()).ok().map(ProcessEnd)
    }

    /// Asks the process to end; one that has ended is left alone.
    pub fn ask(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.0, Signal::TERM) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits that long, or until the process has ended, and returns `true` if it has; a signal ends the pause early.
    pub fn is_within(&self, time: Duration) -> io::Result<bool> {
        ProcessEnd::any_within([self], time)
    }

    /// Waits that long, or until one of some processes has ended, and returns `true` if one has; a signal ends the pause early.
    pub fn any_within<'a>(processes: impl IntoIterator<Item = &'a ProcessEnd>, time: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        let mut fds: Vec<PollFd<'_>> =
            processes.into_iter().map(|process| PollFd::new(&process.0, PollFlags::IN)).collect();
        match poll(&mut fds, Some(&time)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_end_of_a_process_ends_the_pause() {
        let mut child = Command::new("sleep").arg("0.2").spawn().unwrap();
        let (end, other) = (ProcessEnd::of(child.id()).unwrap(), ProcessEnd::of(std::process::id()).unwrap());
        let asked = Instant::now();

        let early = end.is_within(Duration::from_millis(1)).unwrap();
        let ended = ProcessEnd::any_within([&other, &end], Duration::from_secs(60)).unwrap();

        assert!(!early && ended && end.is_within(Duration::ZERO).unwrap());
        assert!(asked.elapsed() < Duration::from_secs(30));
        child.wait().unwrap();
    }
}

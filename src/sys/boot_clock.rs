//! The clock that nobody sets.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};

use super::EventFd;

/// Returns the time since the machine was started, with that in which it slept.
pub fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// A pause by that clock: it ends in time although the machine slept, or the process was stopped.
#[derive(Debug)]
pub struct BootPause(OwnedFd);

impl BootPause {
    /// Makes one that has not begun.
    pub fn new() -> io::Result<BootPause> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(BootPause(timerfd_create(TimerfdClockId::Boottime, flags)?))
    }

    /// Waits until that time, or until the event rings, and returns `true` if it has.
    pub fn until(&self, at: Duration, event: &EventFd) -> io::Result<bool> {
        // A time of zero would be none at all.
        let it_value = Timespec::try_from(at.max(Duration::from_nanos(1))).map_err(io::Error::other)?;
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &once)?;
        loop {
            let mut fds = [PollFd::new(event, PollFlags::IN), PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => return Ok(!fds[0].revents().is_empty()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);

    #[test]
    fn a_pause_ends_at_its_time_or_with_the_event() {
        let (pause, event) = (BootPause::new().unwrap(), EventFd::new().unwrap());
        let began = since_boot();

        let rang = pause.until(began + MOMENT, &event).unwrap();
        assert!(!rang && since_boot() >= began + MOMENT);
        assert!(!pause.until(Duration::ZERO, &event).unwrap(), "it was over before it began");
        event.ring();

        assert!(pause.until(began + Duration::from_secs(600), &event).unwrap());
        assert!(since_boot() < began + Duration::from_secs(300));
    }
}

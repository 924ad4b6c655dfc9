//! A one-bit message to a thread that waits in `poll`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

/// A level-triggered event: it stays set until it is silenced, and setting it twice is the same as once.
#[derive(Debug)]
pub struct EventFd(OwnedFd);

impl EventFd {
    /// Makes a silent one.
    pub fn new() -> io::Result<EventFd> {
        Ok(EventFd(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wakes every thread that polls it, now and until it is silenced.
    pub fn ring(&self) {
        // It can only fail when the counter is full, which is as loud as it gets.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Makes it silent again.
    pub fn silence(&self) {
        // It can only fail when it is silent already.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_loud(event: &EventFd) -> bool {
        let mut fds = [PollFd::new(event, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn it_is_loud_from_its_ring_until_it_is_silenced() {
        let event = EventFd::new().unwrap();
        assert!(!is_loud(&event));

        event.ring();
        event.ring();
        assert!(is_loud(&event));
        event.silence();

        assert!(!is_loud(&event));
        event.silence();
    }
}

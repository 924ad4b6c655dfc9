//! The end of a terminal.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};

/// Waits until nobody is at the other side of a terminal any more: its window is closed, its connection lost.
pub fn wait_for_hang_up(terminal: impl AsFd) -> io::Result<()> {
    loop {
        // Nothing is asked for: that the other side has gone is said all the same, and nothing else is.
        let mut fds = [PollFd::new(&terminal, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Says whether an operation failed because the other side of the terminal has gone.
pub fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

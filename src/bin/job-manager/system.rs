//! What the faces ask of the operating system: terminals, standard input, descriptors.

use std::io;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, SeekFrom, fstat, seek};

/// Waits until nobody is at the other side of a terminal any more: its window is closed, its connection lost.
#[cfg(feature = "top")]
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

/// Returns `true` if an operation failed because the other side of the terminal has gone.
#[cfg(feature = "top")]
pub fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Returns `true` if a pipe, a socket or a file at standard input holds bytes now.
///
/// Nothing is read and nothing is waited for. A terminal and a device never do, and neither does a pipe that was only
/// left open, as services and ssh leave one.
pub fn has_waiting_input() -> bool {
    let input = io::stdin();
    let Ok(found) = fstat(&input) else { return false };
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => {
            let position = seek(&input, SeekFrom::Current(0)).unwrap_or(u64::MAX);
            u64::try_from(found.st_size).is_ok_and(|size| position < size)
        }
        FileType::Fifo | FileType::Socket => {
            let mut fds = [PollFd::new(&input, PollFlags::IN)];
            let is_readable = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0);
            // At the end of a pipe or a connection there is something to read as well: that nothing follows.
            is_readable && rustix::io::ioctl_fionread(&input).is_ok_and(|bytes| bytes > 0)
        }
        _ => false,
    }
}

/// Returns the user as whom this process acts.
pub fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns how many files this process may have open.
#[cfg(feature = "serve")]
pub fn descriptor_limit() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Columns of a terminal that does not say how many it has.
pub const DEFAULT_COLUMNS: u16 = 80;

/// Returns how many columns a terminal has; none where it does not say, and of what is none.
pub fn columns_of(terminal: impl AsFd) -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

/// Returns how many columns the terminal of standard error has.
pub fn screen_columns() -> u16 {
    columns_of(io::stderr()).unwrap_or(DEFAULT_COLUMNS)
}

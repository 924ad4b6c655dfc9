//! Bytes that wait on standard input.

use std::io;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, SeekFrom, fstat, seek};

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

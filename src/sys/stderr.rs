//! The standard error of this process.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Makes a file the standard error of this process, for whatever in it writes there.
pub fn replace_stderr(file: &File) -> io::Result<()> {
    Ok(rustix::stdio::dup2_stderr(file.as_fd())?)
}

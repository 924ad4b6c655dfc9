//! The standard error of this process.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Has whatever this process writes on its standard error, by whomever, written into a file.
pub fn replace_stderr(file: &File) -> io::Result<()> {
    Ok(rustix::stdio::dup2_stderr(file.as_fd())?)
}

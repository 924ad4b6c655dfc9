//! A one-bit message to a thread that waits in `poll`: a pipe that becomes readable for good.

use std::io::{self, PipeReader, PipeWriter};
use std::sync::Mutex;

/// The sending side; waking twice is the same as once.
#[derive(Debug)]
pub struct Waker(Mutex<Option<PipeWriter>>);

/// Makes a waker and the pipe end that becomes ready when it is used or dropped.
pub fn wake_pair() -> io::Result<(Waker, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    Ok((Waker(Mutex::new(Some(writer))), reader))
}

impl Waker {
    /// Wakes every thread that polls the other end, now and from now on.
    pub fn wake(&self) {
        // Closing the pipe makes its other end ready without a write that could block or fail.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    }
}

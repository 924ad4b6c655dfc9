//! What is kept of a unit's output.

use crate::handler::tail::{OUTPUT_LIMIT_BYTES, Tail};
use crate::model::Output;
use crate::sys::Streams;

/// The ends of both output streams.
pub(super) struct Capture {
    stdout: Tail,
    stderr: Tail,
}

impl Capture {
    pub fn new() -> Self {
        Self { stdout: Tail::new(OUTPUT_LIMIT_BYTES), stderr: Tail::new(OUTPUT_LIMIT_BYTES) }
    }

    pub fn into_output(self) -> Output {
        Output { stdout: self.stdout.into_text(), stderr: self.stderr.into_text() }
    }
}

impl Streams for Capture {
    fn take_stdout(&mut self, bytes: &[u8]) {
        self.stdout.push(bytes);
    }

    fn take_stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
    }
}

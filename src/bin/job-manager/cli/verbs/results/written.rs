//! Lines on their way to standard output, in writes of a bounded size.

use std::io::{self, Stdout, Write};

use crate::cli::way_out::WayOut;
use crate::results::Omitted;

/// Bytes of one write.
const WRITE_BYTES: usize = 1 << 16;

/// What has been written, and what its lines do not say.
pub(super) struct Written {
    pub stdout: WayOut<Stdout>,
    pub omitted: Omitted,
}

impl Written {
    pub fn take(&mut self, text: Vec<u8>, omitted: Omitted) -> io::Result<()> {
        self.omitted.add(omitted);
        for part in text.chunks(WRITE_BYTES) {
            self.stdout.write_all(part)?;
        }
        self.stdout.flush()
    }
}

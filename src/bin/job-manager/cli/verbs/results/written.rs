//! Lines on their way to standard output, in writes of a bounded size.

use std::io::{self, IsTerminal, Stdout, Write};

use crate::cli::CliError;
use crate::cli::way_out::{self, WayOut};
use crate::results::Omitted;
#[cfg(feature = "parquet")]
use crate::results::ParquetFile;

/// Bytes of one write.
const WRITE_BYTES: usize = 1 << 16;

/// What has been written, and what its lines do not say.
pub(super) struct Written {
    to: To,
    pub omitted: Omitted,
}

enum To {
    Lines(WayOut<Stdout>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetFile<Stdout>>),
}

impl Written {
    /// Begins to write lines.
    pub fn lines() -> Written {
        Written { to: To::Lines(way_out::stdout()), omitted: Omitted::default() }
    }

    /// Begins to write a file of a table's rows, which are lines with commas.
    ///
    /// # Errors
    /// Where standard output is a terminal, and in a program without that format.
    pub fn parquet() -> Result<Written, CliError> {
        if io::stdout().is_terminal() {
            return Err(CliError::NotForTerminal);
        }
        #[cfg(feature = "parquet")]
        return Ok(Written { to: To::Parquet(Box::new(ParquetFile::new(io::stdout()))), omitted: Omitted::default() });
        #[cfg(not(feature = "parquet"))]
        Err(CliError::NoParquet)
    }

    pub fn take(&mut self, text: Vec<u8>, omitted: Omitted) -> io::Result<()> {
        self.omitted.add(omitted);
        match &mut self.to {
            To::Lines(stdout) => {
                text.chunks(WRITE_BYTES).try_for_each(|part| stdout.write_all(part))?;
                stdout.flush()
            }
            #[cfg(feature = "parquet")]
            To::Parquet(file) => file.take(&text),
        }
    }

    /// Writes what a file ends with, and returns what its lines do not say.
    pub fn finish(self) -> io::Result<Omitted> {
        match self.to {
            To::Lines(_) => {}
            #[cfg(feature = "parquet")]
            To::Parquet(file) => file.finish()?,
        }
        Ok(self.omitted)
    }
}

//! What came of the units of a job as lines: documents, or a table; for every face that hands results out.
//!
//! Lines are made a few at a time, so that memory does not grow with the job.

mod columns;
mod lines;
#[cfg(feature = "parquet")]
mod parquet;
mod table;

use std::io;

use job_manager::client::ClientError;

pub use columns::Columns;
pub use lines::{BUFFER_BYTES, Format, Lines, Omitted};
#[cfg(feature = "parquet")]
pub use parquet::ParquetFile;
pub use table::Table;

/// Lines that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The job cannot be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A line cannot be written.
    #[error(transparent)]
    Written(#[from] io::Error),
}

/// Returns the text of a payload that is one, else its JSON.
pub fn item(payload: &str) -> String {
    serde_json::from_str::<String>(payload).unwrap_or_else(|_| payload.to_owned())
}

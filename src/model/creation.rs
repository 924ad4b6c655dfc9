//! What a job was created with, as far as it may change afterwards.

use serde::{Deserialize, Serialize};

use super::{Contents, Limits};

/// The limits and the units that a job was created with.
///
/// Kept beside the job, because its limits are set and its units are added and synced later: whoever asks for the job
/// again by its key means what was asked for at first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creation {
    /// Its limits.
    pub limits: Limits,
    /// Its units.
    pub contents: Contents,
}

//! The job that another one waits for.

use crate::manager::halt::Halt;

/// How it stands with the job that another one waits for.
pub(super) enum Other {
    Completed,
    Unfinished,
    Hopeless(Halt),
}

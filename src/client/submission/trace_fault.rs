//! Why what is given is no place in a trace.

use crate::model::TraceParentError;

/// Why what is given is no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceFault {
    /// It names no span.
    #[error(transparent)]
    Parent(#[from] TraceParentError),
    /// Nobody would hand it on.
    #[error("it is not 1 to 512 printable characters of ASCII")]
    State,
    /// What vendors add belongs to a trace.
    #[error("it belongs to a trace, and there is no TRACEPARENT")]
    Alone,
}

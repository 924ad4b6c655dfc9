//! What units inherit from the process that created their job, whoever starts it later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TraceContext;

/// Inherited properties of the process that created a job; its environment and directory are in the job's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Submitter {
    /// Its file mode creation mask; `None` where the system does not tell it.
    pub umask: Option<u32>,
    /// Its nice value.
    pub nice: i32,
    /// Its soft limits by their names, such as `nofile`; `None` is unlimited. A limit that is absent was not recorded.
    pub limits: BTreeMap<String, Option<u64>>,
    /// The span of a trace that it was in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
}

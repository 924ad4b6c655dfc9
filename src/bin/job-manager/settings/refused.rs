//! Why limits of a job were not changed.

use job_manager::client::ClientError;
use job_manager::model::JobId;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the limit {0} is given two values, give one")]
    GivenTwice(String),
    #[error(
        "job {job} has no meter {name:?}{}: meter.{name}=PATH makes one that reads what attempts print",
        and_has(known)
    )]
    NoMeter { job: JobId, name: String, known: Vec<String> },
    #[error(
        "job {job} has a bound on {name}, which would go with the meter: say so with budget.{name}=none, rate.{name}=none"
    )]
    MeterBounded { job: JobId, name: String },
    #[error("{given} is a bound of groups, and job {job} has none: they are given with --group when a job is created")]
    NoGroups { job: JobId, given: String },
    #[error(
        "the limits of single groups change together or not at all: give no other limit beside group:NAME, but in another `set`"
    )]
    GroupsAlone,
}

/// Names the meters that a job has, if it has any.
fn and_has(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(", it has {}", known.join(", ")) }
}

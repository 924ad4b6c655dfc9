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
        "removing the meter {name} would also remove its bound in job {job}: remove that too, with budget.{name}=none or rate.{name}=none"
    )]
    MeterBounded { job: JobId, name: String },
    #[error("{given} needs groups, and job {job} has none: groups are set with --group when the job is created")]
    NoGroups { job: JobId, given: String },
    #[error("group:NAME cannot be combined with other limits: change those separately")]
    GroupsAlone,
}

/// Names the meters that a job has, if it has any.
fn and_has(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(", it has {}", known.join(", ")) }
}

//! What to try after an error of the library, in the verbs and options of the command line.

#[cfg(feature = "postgres")]
use job_manager::client::PostgresError;
use job_manager::client::{AccessError, ClientError, CopyError, LimitError, MeterRefused, StartError, StoreError};
use job_manager::model::{JobStatus, Row};

/// Returns what helps, if it is known; follows the message of the error.
pub(super) fn next_step(error: &ClientError) -> Option<String> {
    let meant = "or say with --any-owner or JOB_MANAGER_ANY_OWNER=1 that it is meant";
    Some(match error {
        ClientError::NotStarted { source, .. } => return next_step(source),
        ClientError::Store(StoreError::Unreadable(found)) => match found.row {
            Row::Job(job) => format!("`rm {job}` deletes it"),
            Row::Settings => "`scale --machine N` sets another".to_owned(),
            Row::Unit(_) | Row::AttemptOf(_) | Row::NotesOf(_) | Row::FlagOf(_) => return None,
        },
        ClientError::Copy(CopyError::WouldRepeat { .. }) => "--cancel-source moves it".to_owned(),
        ClientError::Copy(CopyError::WaitsForJob { .. }) => "`set after=none` makes it wait no longer".to_owned(),
        ClientError::AtMostOnce { .. } => "`retry` runs a unit again that somebody has looked at".to_owned(),
        ClientError::Store(StoreError::TooOldToRead { .. }) => {
            "`job-manager doctor --migrate` brings it up to date".to_owned()
        }
        #[cfg(feature = "postgres")]
        ClientError::Store(StoreError::Postgres(
            PostgresError::NoRights { .. }
            | PostgresError::NoSchema { .. }
            | PostgresError::NoAccess { .. }
            | PostgresError::NoTables { may_create: false, .. },
        )) => "`job-manager doctor --sql` prints what an administrator has to run".to_owned(),
        ClientError::Access(AccessError::OlderManager { job, .. }) => {
            format!("`job-manager stop {job}` has it pause when its running units have ended")
        }
        ClientError::Access(AccessError::OtherOwner { sudo, .. }) => format!("use `sudo -u {sudo}`, {meant}"),
        ClientError::Access(AccessError::OpenToAll { path, change }) => {
            format!("`chmod {change} {}`, {meant}", path.display())
        }
        ClientError::SecretsMissing { job, status, .. } => {
            let given = match status {
                JobStatus::AwaitingApproval => format!("with `approve {job} --env NAME=VALUE`"),
                status if status.is_terminal() => "to this verb with `--env NAME=VALUE`".to_owned(),
                _ => format!("with `resume {job} --env NAME=VALUE`"),
            };
            format!("set it in this environment, or give it {given}")
        }
        ClientError::SeveralItems { .. } => "`add` takes more items".to_owned(),
        ClientError::AttemptNotFound { job, seq, .. } => {
            format!("`job-manager unit {job}:{seq}` lists those that did not complete")
        }
        ClientError::StillStopping { .. } => "`wait` until it is paused, then `resume`".to_owned(),
        ClientError::CancelUnfinished { .. } => "`cancel` ends it, and `retry` takes units back then".to_owned(),
        ClientError::Interrupted { .. } => "`resume` continues it".to_owned(),
        ClientError::OutputNotKept { .. } => "a job created with --output full keeps it".to_owned(),
        ClientError::Start(StartError::PastDeadline { job, .. }) => {
            format!(
                "`job-manager set {job} deadline=DURATION` sets another, counted from its first start, and `deadline=0` none"
            )
        }
        ClientError::Start(StartError::Hopeless { job, .. }) => {
            format!("complete that one, or `job-manager set {job} after=none` lets it start without")
        }
        ClientError::Start(StartError::OverBudget { job, meter, raised, .. }) => {
            format!("`job-manager set {job} budget.{meter}={raised}` raises it, then `job-manager resume {job}`")
        }
        ClientError::Limit(LimitError::MeterWithoutJson { .. }) => {
            "add --result json, or leave the path out and call `job-manager unit-spend` in the command".to_owned()
        }
        ClientError::Limit(LimitError::FlagWithoutJson { .. }) => "add --result json".to_owned(),
        ClientError::Store(StoreError::MeterRefused(MeterRefused::NoMeter { .. })) => {
            "a meter is made with the job, by --meter NAME or --budget NAME=AMOUNT".to_owned()
        }
        ClientError::Start(StartError::NoScope { job: None, .. }) => "omit --scope".to_owned(),
        ClientError::Start(StartError::NoScope { job: Some(_), .. }) => {
            "start it where systemd runs, or with --no-scope".to_owned()
        }
        _ => return None,
    })
}

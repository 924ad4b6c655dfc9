//! The tools: one file each, named as they are.

mod add_units;
mod approve_job;
mod cancel_job;
mod change_settings;
mod change_units;
mod explain;
mod get_results;
mod get_unit;
mod job_status;
mod list_failures;
mod list_jobs;
mod list_units;
mod open_dashboard;
mod preview_batch;
mod reject_job;
mod report;
mod resume_job;
mod start_batch;
mod stop_job;
mod wait_job;

pub(super) use start_batch::ended_answer;

use super::tool::Entry;

/// Returns every tool, in the order in which a batch goes.
pub(super) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<preview_batch::PreviewBatch>(),
        Entry::of::<start_batch::StartBatch>(),
        Entry::of::<list_jobs::ListJobs>(),
        Entry::of::<job_status::JobStatus>(),
        Entry::of::<wait_job::WaitJob>(),
        Entry::of::<explain::Explain>(),
        Entry::of::<list_failures::ListFailures>(),
        Entry::of::<list_units::ListUnits>(),
        Entry::of::<get_unit::GetUnit>(),
        Entry::of::<get_results::GetResults>(),
        Entry::of::<report::Report>(),
        Entry::of::<open_dashboard::OpenDashboard>(),
        Entry::of::<stop_job::StopJob>(),
        Entry::of::<resume_job::ResumeJob>(),
        Entry::of::<cancel_job::CancelJob>(),
        Entry::of::<add_units::AddUnits>(),
        Entry::of::<change_units::ChangeUnits>(),
        Entry::of::<approve_job::ApproveJob>(),
        Entry::of::<reject_job::RejectJob>(),
        Entry::of::<change_settings::ChangeSettings>(),
    ]
}

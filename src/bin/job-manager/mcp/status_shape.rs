//! What answers say of where a job stands: all of it, and as much as belongs into the answer to a change.

use super::shape::{Field, Kind, field};

const JOB_STATES: &[&str] = &["created", "running", "paused", "awaiting_approval", "completed", "failed", "cancelled"];

const PROGRESS: &[Field] = &[
    field("total", Kind::Whole, "All units."),
    field("pending", Kind::Whole, "Not yet run."),
    field("running", Kind::Whole, "Running."),
    field("completed", Kind::Whole, "Completed."),
    field("failed", Kind::Whole, "Failed."),
    field("skipped", Kind::Whole, "Skipped."),
    field("cancelled", Kind::Whole, "Cancelled."),
    field("percentage", Kind::Number, "Ended, of a hundred."),
];

const ENDS: &[Field] = &[
    field("total", Kind::Whole, "All."),
    field("completed", Kind::Whole, "Completed."),
    field("failed", Kind::Whole, "Failed."),
];

const METERS: &[Field] = &[
    field("name", Kind::Text, "Name."),
    field("spent", Kind::Number, "Spent so far."),
    field("budget", Kind::Number, "What may be spent."),
];

/// A job by its number alone.
pub(super) const JOB_NUMBER: Field =
    field("job", Kind::Object(&[field("id", Kind::Whole, "Number.").always()]), "Job.").always();

/// A job by all its names.
pub(super) const JOB: Field = field(
    "job",
    Kind::Object(&[
        field("id", Kind::Whole, "Number.").always(),
        field("uid", Kind::Text, "Its uid."),
        field("name", Kind::Text, "Its name."),
    ]),
    "Job.",
)
.always();

const JOB_STATUS: Field =
    field("job_status", Kind::Word(JOB_STATES), "Where it stands; running with status stopped: its manager died.")
        .always();

const ETA: Field = field(
    "eta_seconds",
    Kind::Object(&[field("low", Kind::Whole, "At best."), field("high", Kind::Whole, "At worst.")]),
    "Time left.",
);

/// All that is known of where a job stands.
pub(super) const STATUS: &[Field] = &[
    JOB,
    JOB_STATUS,
    field("status", Kind::Text, "Its manager: running, stopped, …").always(),
    field("progress", Kind::Object(PROGRESS), "Units by state.").always(),
    field("workers", Kind::Whole, "Units that may run at a time."),
    field("waiting_for", Kind::Text, "What it waits for."),
    field("rate_per_second", Kind::Number, "Ended per second."),
    ETA,
    field("error", Kind::Text, "Error of its manager."),
    field("cancel_requested", Kind::Flag, "Being cancelled."),
    field("pid", Kind::Whole, "Its manager."),
    field("started_at", Kind::Text, "Start, RFC 3339."),
    field("completed_at", Kind::Text, "End, RFC 3339."),
    field("labels", Kind::Texts, "Its labels, such as team=web."),
    field("copied_from", Kind::Text, "Uid of its original."),
    field("meters", Kind::Rows(METERS), "What it has cost."),
    field("managers", Kind::Texts, "Managers on a server, each as JSON."),
    field("former_managers", Kind::Texts, "Those of other hosts before."),
    field("log", Kind::Bytes, "Log of its manager."),
];

/// What whoever waits for a job is told.
pub(super) const WAITED: &[Field] = &[
    JOB_NUMBER,
    JOB_STATUS,
    field("status", Kind::Text, "Its manager: running, stopped, …").always(),
    field("progress", Kind::Object(ENDS), "Units by state.").always(),
    field("waiting_for", Kind::Text, "What it waits for."),
    ETA,
    field("error", Kind::Text, "Error of its manager."),
];

/// Returns what the answer to a change of a job holds, besides what was changed.
pub(super) fn done_fields(own: &[Field]) -> Vec<Field> {
    let status = [JOB_NUMBER, field("job_status", Kind::Text, "Its state.").always()];
    status.into_iter().chain(own.iter().copied()).collect()
}

/// Returns what the answer of a tool holds that changes all units that it finds; `changed` says what became of them.
pub(super) fn swept_fields(changed: &'static str) -> Vec<Field> {
    done_fields(&[
        field("units_changed", Kind::Whole, changed).always(),
        field("units", Kind::Wholes, "The first of them."),
        field("searched_through", Kind::Whole, "Where the search stopped."),
    ])
}

/// Returns what the answer of a tool holds that starts a manager.
pub(super) fn started_fields() -> Vec<Field> {
    done_fields(&[
        field("pid", Kind::Whole, "Its manager."),
        field("already_running", Kind::Flag, "Whether it ran before."),
        field("missing_secrets", Kind::Texts, "Secrets that this server lacks."),
    ])
}

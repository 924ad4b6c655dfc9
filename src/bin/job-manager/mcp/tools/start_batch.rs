//! `start_batch`: create a job and start it detached.

use job_manager::client::{Snapshot, Started, UnitsDiffer};
use job_manager::model::{Job, JobStatus, RawText};
use job_manager::text::counted;
use serde_json::json;

use crate::mcp::batch::{Batch, Checked};
use crate::mcp::questions::Question;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_shape::JOB;
use crate::mcp::wording::remarks;
use crate::mcp::{Answer, Effect, Jobs, Tool, ToolError};

/// Whose parameter it is, and what somebody may have meant by it.
const COUNT: &str = "preview_batch: start_batch runs all items, and with canary the first ones before the others";

pub(super) struct StartBatch;

impl Tool for StartBatch {
    type Given = Batch;
    const NAME: &'static str = "start_batch";
    const TITLE: &'static str = "Start a batch";
    const DESCRIPTION: &'static str = "Run a command once for each item, as a job in a detached process that goes on when \
        this conversation or its host ends. Returns at once with the job's number. Everything is checked before anything \
        is created. If in doubt about the commands call preview_batch first, which runs none of them; to see real results of \
        some units before the others run give canary. Give key if you might repeat the call. Next call wait_job; later list_jobs finds the job again.";
    const EFFECT: Effect = Effect::Runs;
    const ELSEWHERE: &'static [&'static str] = &["count"];

    fn asks(jobs: &Jobs, given: &Batch) -> Option<Question> {
        given.question(jobs.allowed())
    }

    fn output() -> Vec<Field> {
        vec![
            JOB,
            field("new", Kind::Flag, "Created, not found by its key.").always(),
            field("job_status", Kind::Text, "Its state.").always(),
            field("pid", Kind::Whole, "Its manager."),
            field("units", Kind::Whole, "Its units.").always(),
            field("canary", Kind::Whole, "First units, after which it waits for approve_job."),
            field("cwd", Kind::Bytes, "Directory of the units."),
            field("warnings", Kind::Texts, "What looks wrong."),
        ]
    }

    fn answer(jobs: &Jobs, given: Batch) -> Result<Answer, ToolError> {
        if given.count.is_some() {
            return Err(ToolError::Incomplete { given: "count", missing: COUNT });
        }
        jobs.start().begin();
        start(jobs, given).inspect_err(|_| jobs.start().forget())
    }
}

fn start(jobs: &Jobs, given: Batch) -> Result<Answer, ToolError> {
    let Checked { submission, spec, starts } = given.check(jobs.allowed())?;
    let submission = submission.unless(jobs.gives_up());
    let notes = submission.notes();
    let created = submission.create(|| jobs.to_create());
    let (client, created) = created.map_err(|error: ToolError| error.noted(remarks(&notes.remarks())))?;
    let is_left = created.new && jobs.start().leaves(&client.job(created.job)?);
    let started = if starts && !is_left { client.start_created(created)?.started } else { None };
    if let Some(Started::Ready { .. }) = started {
        jobs.start().started(&client, created.job)?;
    }
    let job = client.job(created.job)?;
    let warnings: Vec<String> = remarks(&notes.remarks());
    let mut summary = if created.new { started_summary(&job, started) } else { existing_summary(&job) };
    summary.extend(created.differs.map(differs));
    if created.new {
        summary = format!("{summary} Its units run in {}.", spec.cwd.display());
    }
    summary.extend(warnings.iter().map(|warning| format!(" Warning: {warning}.")));
    Ok(Answer::new(
        summary,
        json!({
            "schema": 1,
            "job": { "id": job.id, "uid": job.uid, "name": job.name },
            "new": created.new,
            "job_status": job.status,
            "pid": started.and_then(Started::pid),
            "units": job.progress.total,
            "workers": job.limits.workers,
            "canary": job.limits.canary,
            "cwd": created.new.then(|| RawText::from(spec.cwd.as_os_str())),
            "units_differ": created.differs,
            "secrets_by_name": spec.secrets,
            "warnings": warnings,
        }),
    ))
}

/// Returns what the call that started a job is answered when the job has ended.
pub(in crate::mcp) fn ended_answer(seen: &Snapshot, summary: &str) -> Answer {
    let Job { id, uid, name, status, progress, limits, .. } = &seen.job;
    let answer = Answer::new(
        summary,
        json!({
            "schema": 1,
            "job": { "id": id, "uid": uid, "name": name },
            "new": true,
            "job_status": status,
            "units": progress.total,
            "canary": limits.canary,
        }),
    );
    answer.fitted(StartBatch::output())
}

fn existing_summary(job: &Job) -> String {
    let Job { id, name, status, .. } = job;
    format!("Job {id} ({name}) has this key already; nothing was created. It is {status}. job_status shows it.")
}

/// Says how the items differ from the units of a job that was there already.
pub(super) fn differs(UnitsDiffer { new, changed, gone, .. }: UnitsDiffer) -> String {
    format!(
        " Its units are others than these items: {new} new, {changed} changed, {gone} gone. add_units with sync \
         takes them, or give another key for a new job."
    )
}

fn started_summary(job: &Job, started: Option<Started>) -> String {
    let Job { id, name, .. } = job;
    let units = job.progress.total;
    let workers = job.limits.workers;
    let said = if started.is_some() { "started" } else { "was created" };
    if started.is_none() && job.status == JobStatus::Created {
        let units = counted(units, "unit");
        return format!("Job {id} ({name}) was created and not started: {units}. resume_job starts it.");
    }
    let then = match job.limits.canary {
        Some(first) => format!("It runs its first units, {first}, and then waits for approve_job or reject_job."),
        None => "It goes on without this conversation.".to_owned(),
    };
    format!("Job {id} ({name}) {said}: {}, {workers} at a time. {then} wait_job waits for it.", counted(units, "unit"))
}

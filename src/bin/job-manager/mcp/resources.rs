//! What a host can read without a tool, for a person who puts it into a conversation: each is the answer of a tool that reads.

use job_manager::client::Snapshot;
use job_manager::model::JobFilter;
use rmcp::model::{ErrorData, JsonObject, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::answer::line;
use super::tool::Entry;
use super::{Answer, Jobs, ToolError};

const SCHEME: &str = "job://";
const LIST: &str = "job://jobs";
const MIME: &str = "application/json";
/// Jobs that are listed, those under way first.
const LISTED: i64 = 20;

/// Parts of a job: what follows its number, the tool whose answer it is, and how it is called.
const PARTS: [(&str, &str, &str); 3] = [
    ("", "job_status", "a job"),
    ("/failures", "list_failures", "its failures"),
    ("/results", "get_results", "its results"),
];

/// Returns the list of jobs and the newest of them.
pub(super) fn list(jobs: &Jobs) -> Result<Vec<Resource>, ToolError> {
    let filter = JobFilter { limit: Some(LISTED), under_way_first: true, ..JobFilter::default() };
    let found = jobs.to_read()?.map(|client| client.snapshots(&filter)).transpose()?;
    let all = Resource::new(LIST, "jobs").with_title("Jobs").with_description("The newest jobs.").with_mime_type(MIME);
    Ok([all].into_iter().chain(found.into_iter().flat_map(|found| found.jobs).map(|job| of_job(&job))).collect())
}

fn of_job(seen: &Snapshot) -> Resource {
    let id = seen.job.id;
    let said =
        format!("{}, {:.0} % of {} units.", seen.word(), seen.job.progress.percentage(), seen.job.progress.total);
    Resource::new(format!("{SCHEME}{id}"), format!("job {id}"))
        .with_title(line(&seen.job.name))
        .with_description(said)
        .with_mime_type(MIME)
}

/// Returns the forms of what there is of every job.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let form = |(part, tool, title): (&str, &str, &str)| {
        ResourceTemplate::new(format!("{SCHEME}{{job}}{part}"), tool)
            .with_title(title)
            .with_description(format!("What {tool} answers; job is its number or uid."))
            .with_mime_type(MIME)
    };
    PARTS.into_iter().map(form).collect()
}

/// Reads what there is at an address.
pub(super) fn read(tools: &[Entry], jobs: &Jobs, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let refused = |why: String| ErrorData::resource_not_found(why, Some(json!({ "uri": uri })));
    let called =
        call_of(uri).and_then(|(name, given)| Some((tools.iter().find(|tool| tool.description.name == name)?, given)));
    let Some((tool, given)) = called else {
        return Err(missing(uri));
    };
    match tool.answer(jobs, &given) {
        Ok(answer) => {
            let text = ResourceContents::text(answer.into_document(), uri).with_mime_type(MIME);
            Ok(ReadResourceResult::new(vec![text]))
        }
        Err(error) if error.is_missing() => Err(refused(error.to_string())),
        Err(error) => Err(ErrorData::internal_error(error.to_string(), None)),
    }
}

/// Refuses an address at which there cannot be anything.
pub(super) fn missing(uri: &str) -> ErrorData {
    let why = format!("there is no {uri:?}: {LIST} has the jobs, {SCHEME}7 is one");
    ErrorData::resource_not_found(why, Some(json!({ "uri": uri })))
}

/// Returns `true` if there can be something at an address.
pub(super) fn is_address(uri: &str) -> bool {
    call_of(uri).is_some()
}

/// Returns what there is at an address, if it can be read.
pub(super) fn text_of(tools: &[Entry], jobs: &Jobs, uri: &str) -> Option<String> {
    let (name, given) = call_of(uri)?;
    let tool = tools.iter().find(|tool| tool.description.name == name)?;
    tool.answer(jobs, &given).ok().map(Answer::into_document)
}

/// Returns the tool whose answer an address is, and what it is given.
fn call_of(uri: &str) -> Option<(&'static str, JsonObject)> {
    if uri == LIST {
        return Some(("list_jobs", JsonObject::new()));
    }
    let path = uri.strip_prefix(SCHEME)?;
    let (job, part) = path.split_at(path.find('/').unwrap_or(path.len()));
    // Names and keys may have any characters; numbers and uids have no others.
    let is_number = !job.is_empty() && job.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let (_, tool, _) = PARTS.into_iter().find(|(this, ..)| *this == part).filter(|_| is_number)?;
    Some((tool, JsonObject::from_iter([("job".to_owned(), json!(job))])))
}

//! What a report says.

use std::time::Duration;

use job_manager::client::{Client, ManagerStatus};
use job_manager::failures::FailureCluster;
use job_manager::model::{Charts, JobId, Seq, UnitDetail, UnitFilter, UnitOrder};
use job_manager::text::{counted, local_time, printable, span};

use crate::cli::error::CliError;
use crate::cli::text::shortened;

const SLOWEST: i64 = 20;
const KINDS: usize = 20;
const TEXT_WIDTH: usize = 300;
const COMMAND_WIDTH: usize = 4000;
/// How long the slowest units are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// What a report says.
pub(super) struct Facts {
    pub title: String,
    /// Names and values, in the order in which they are shown.
    pub rows: Vec<(&'static str, String)>,
    pub command: Option<String>,
    pub kinds: Vec<Kind>,
    /// Kinds that are not among those.
    pub more_kinds: usize,
    /// Number, item, duration and state of the units that took longest.
    pub slowest: Vec<[String; 4]>,
    pub charts: Charts,
}

/// One kind of failure.
pub(super) struct Kind {
    pub count: i64,
    pub text: String,
    pub again: Option<String>,
}

impl Facts {
    pub fn of(client: &Client, job: JobId) -> Result<Facts, CliError> {
        let status = client.get_manager_status(job)?;
        let charts = client.charts(job)?;
        let slowest = client.unit_page(job, &UnitFilter::all(), UnitOrder::Duration, None, SLOWEST, LOOK)?.found.units;
        let kinds = client.failures(job)?;
        let has_units = status.progress.counts.total > 0;
        let command = if has_units { client.unit_view(job, Seq(1))?.command } else { None };
        Ok(Facts {
            title: format!("Job {job}: {}", shortened(&printable(&status.job.name), TEXT_WIDTH)),
            rows: rows(&status, &charts),
            command: command.map(|command| cut(&printable(&command))),
            more_kinds: kinds.len().saturating_sub(KINDS),
            kinds: kinds.iter().take(KINDS).map(|kind| Kind::of(job, kind)).collect(),
            slowest: slowest.iter().filter_map(slow).collect(),
            charts,
        })
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(COMMAND_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn rows(status: &ManagerStatus, charts: &Charts) -> Vec<(&'static str, String)> {
    let counts = status.progress.counts;
    let mut rows = vec![("State", status.word().to_owned()), ("Units", counts.total.to_string())];
    let states = counts.by_state().into_iter().filter(|(_, count)| *count > 0);
    rows.extend(states.map(|(state, count)| (state.as_str(), count.to_string())));
    rows.extend(status.started_at.map(|at| ("Started", local_time(at))));
    rows.extend(status.completed_at.map(|at| ("Ended", local_time(at))));
    if let (Some(started), Some(ended)) = (status.started_at, status.completed_at) {
        rows.push(("Duration", span(ended.since(started))));
    }
    let [half, most, nearly_all] =
        [charts.p50_seconds, charts.p95_seconds, charts.p99_seconds].map(|at| at.map(seconds));
    if let (Some(half), Some(most), Some(nearly_all)) = (half, most, nearly_all) {
        rows.push(("A unit took", format!("{half} (half of them), {most} (95 %), {nearly_all} (99 %)")));
    }
    rows.push(("Workers", status.workers.to_string()));
    rows.extend(status.error.as_ref().map(|error| ("Manager failed", shortened(&printable(error), TEXT_WIDTH))));
    let labels = status.labels.iter().map(|(name, value)| format!("{name}={value}"));
    let labels = labels.collect::<Vec<_>>().join(", ");
    rows.extend((!labels.is_empty()).then(|| ("Labels", shortened(&printable(&labels), TEXT_WIDTH))));
    rows
}

fn slow(unit: &UnitDetail) -> Option<[String; 4]> {
    let took = unit.finished_at?.since(unit.started_at?);
    let item = serde_json::from_str::<String>(&unit.payload).unwrap_or_else(|_| unit.payload.clone());
    let item = shortened(&printable(&item), TEXT_WIDTH);
    Some([unit.seq.to_string(), item, fine(took), unit.status.to_string()])
}

impl Kind {
    fn of(job: JobId, kind: &FailureCluster) -> Kind {
        let again = kind.id.map(|id| format!("job-manager retry {job} --cluster {id}"));
        Kind { count: kind.count, text: shortened(&printable(&kind.text), TEXT_WIDTH), again }
    }
}

impl Facts {
    /// Returns how many units completed and failed in each stretch of the job's time, named by how long after its start that began.
    pub fn ends(&self) -> Vec<(String, u64, u64)> {
        let name = |part: usize| seconds(part as f64 * self.charts.bucket_seconds);
        let ends = self.charts.ends.iter().enumerate();
        ends.map(|(part, ends)| (name(part), count(ends.completed), count(ends.failed))).collect()
    }

    /// Returns how many units took less than which duration, and not less than the one before.
    pub fn durations(&self) -> Vec<(String, u64)> {
        let durations = self.charts.durations.iter();
        durations.map(|part| (format!("< {}", seconds(part.to_seconds)), count(part.units))).collect()
    }

    /// Says how many units the charts are drawn from.
    pub fn drawn_from(&self) -> String {
        let Charts { units, counted: looked_at, .. } = self.charts;
        match looked_at < units {
            true => format!("{looked_at} of {}, spread evenly over all", counted(units, "unit")),
            false => counted(units, "unit"),
        }
    }
}

fn count(units: i64) -> u64 {
    u64::try_from(units).unwrap_or(0)
}

fn seconds(seconds: f64) -> String {
    fine(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// Says how long something took, also where that is a part of a second.
fn fine(took: Duration) -> String {
    match took.as_micros() {
        0..1_000 => format!("{}µs", took.as_micros()),
        1_000..10_000 => format!("{:.1}ms", took.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{:.0}ms", took.as_secs_f64() * 1e3),
        _ => span(took),
    }
}

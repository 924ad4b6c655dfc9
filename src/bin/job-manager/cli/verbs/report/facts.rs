//! What a report says, read once: the time that takes grows with the units, what is kept of them does not.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::client::{Client, ManagerStatus};
use job_manager::failures::FailureCluster;
use job_manager::model::{JobId, Seq, Timestamp, UnitDetail, UnitFilter, UnitOrder, UnitStatus};
use job_manager::text::{counted, printable, span};

use crate::cli::error::CliError;
use crate::cli::text::shortened;

const SLOWEST: i64 = 20;
const KINDS: usize = 20;
const TEXT_WIDTH: usize = 300;
const COMMAND_WIDTH: usize = 4000;
/// How long the slowest units are looked for.
const LOOK: Duration = Duration::from_secs(5);
/// Parts of a job's time that are shown.
pub(super) const PARTS: usize = 60;
const FIRST_PART: Duration = Duration::from_millis(100);
/// Steps in which a duration doubles: it is told within 5 %.
const STEPS: f64 = 16.0;

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
    pub ends: Ends,
    pub durations: Durations,
}

/// One kind of failure.
pub(super) struct Kind {
    pub count: i64,
    pub text: String,
    pub again: Option<String>,
}

/// How many units ended in each part of a job's time.
pub(super) struct Ends {
    begin: Timestamp,
    pub width: Duration,
    /// Units that completed, and others.
    pub parts: [(u64, u64); PARTS],
}

/// How many units took how long, in steps of about 4 %.
#[derive(Default)]
pub(super) struct Durations {
    steps: BTreeMap<i32, u64>,
    count: u64,
}

impl Facts {
    pub fn of(client: &Client, job: JobId) -> Result<Facts, CliError> {
        let status = client.get_manager_status(job)?;
        let begin = status.started_at.unwrap_or(Timestamp::now());
        let mut ends = Ends { begin, width: FIRST_PART, parts: [(0, 0); PARTS] };
        let mut durations = Durations::default();
        let mut after = None;
        loop {
            after = client.each_result(job, &UnitFilter::all(), after, &mut |unit| {
                if let Ok(unit) = unit
                    && let Some((started, finished)) = unit.started_at.zip(unit.finished_at)
                {
                    ends.add(finished, unit.status == UnitStatus::Completed);
                    durations.add(finished.since(started));
                }
                true
            })?;
            if after.is_none() {
                break;
            }
        }
        let slowest = client.unit_page(job, &UnitFilter::all(), UnitOrder::Duration, None, SLOWEST, LOOK)?.found.units;
        let kinds = client.failures(job)?;
        let has_units = status.progress.counts.total > 0;
        let command = if has_units { client.unit_view(job, Seq(1))?.command } else { None };
        Ok(Facts {
            title: format!("Job {job}: {}", shortened(&printable(&status.job.name), TEXT_WIDTH)),
            rows: rows(&status, &durations),
            command: command.map(|command| cut(&printable(&command))),
            more_kinds: kinds.len().saturating_sub(KINDS),
            kinds: kinds.iter().take(KINDS).map(|kind| Kind::of(job, kind)).collect(),
            slowest: slowest.iter().filter_map(slow).collect(),
            ends,
            durations,
        })
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(COMMAND_WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn rows(status: &ManagerStatus, durations: &Durations) -> Vec<(&'static str, String)> {
    let counts = status.progress.counts;
    let mut rows = vec![("State", status.word().to_owned()), ("Units", counts.total.to_string())];
    let states = counts.by_state().into_iter().filter(|(_, count)| *count > 0);
    rows.extend(states.map(|(state, count)| (state.as_str(), count.to_string())));
    rows.extend(status.started_at.map(|at| ("Started", at.to_string())));
    rows.extend(status.completed_at.map(|at| ("Ended", at.to_string())));
    if let (Some(started), Some(ended)) = (status.started_at, status.completed_at) {
        rows.push(("Duration", span(ended.since(started))));
    }
    let part = |part| durations.part(part).map(fine);
    if let (Some(half), Some(most), Some(nearly_all)) = (part(0.5), part(0.95), part(0.99)) {
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

impl Ends {
    fn add(&mut self, at: Timestamp, is_completed: bool) {
        let since = at.since(self.begin);
        while self.part_of(since) >= PARTS {
            self.width *= 2;
            for part in 0..PARTS {
                let pair = (2 * part < PARTS).then(|| (self.parts[2 * part], self.parts[2 * part + 1]));
                let (one, two) = pair.unwrap_or_default();
                self.parts[part] = (one.0 + two.0, one.1 + two.1);
            }
        }
        let part = &mut self.parts[self.part_of(since)];
        if is_completed { part.0 += 1 } else { part.1 += 1 }
    }

    fn part_of(&self, since: Duration) -> usize {
        usize::try_from(since.as_micros() / self.width.as_micros()).unwrap_or(usize::MAX)
    }

    /// Names a part by the time at which it begins.
    pub fn name(&self, part: usize) -> String {
        span(self.width * u32::try_from(part).unwrap_or(u32::MAX))
    }

    /// Returns the parts up to the last one in which a unit ended.
    pub fn shown(&self) -> &[(u64, u64)] {
        let last = self.parts.iter().rposition(|part| *part != (0, 0));
        &self.parts[..last.map_or(0, |last| last + 1)]
    }
}

impl Durations {
    fn add(&mut self, took: Duration) {
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of 2^64 is small")]
        let step = (took.as_micros().max(1) as f64).log2().mul_add(STEPS, 0.0).floor() as i32;
        *self.steps.entry(step).or_default() += 1;
        self.count += 1;
    }

    /// Returns how long that part of the units took at most, within 5 %.
    fn part(&self, part: f64) -> Option<Duration> {
        let mut seen = 0;
        let enough = |seen: u64| seen as f64 >= part * self.count as f64;
        let found = self.steps.iter().find(|(_, count)| {
            seen += **count;
            enough(seen)
        });
        found.map(|(step, _)| Duration::from_secs_f64(((f64::from(*step) + 0.5) / STEPS).exp2() / 1e6))
    }

    /// Returns how many units took less than twice as long as which duration, from the shortest to the longest.
    pub fn doubled(&self) -> Vec<(String, u64)> {
        let octave = |step: i32| step.div_euclid(STEPS as i32);
        let Some((first, last)) = self.steps.keys().next().zip(self.steps.keys().last()) else { return Vec::new() };
        let named = |octave: i32| format!("< {}", fine(Duration::from_secs_f64(f64::from(octave + 1).exp2() / 1e6)));
        let counted =
            |wanted| self.steps.iter().filter(|(step, _)| octave(**step) == wanted).map(|(_, count)| count).sum();
        (octave(*first)..=octave(*last)).map(|octave| (named(octave), counted(octave))).collect()
    }

    /// Says how many units that are.
    pub fn said(&self) -> String {
        counted(i64::try_from(self.count).unwrap_or(i64::MAX), "unit")
    }
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

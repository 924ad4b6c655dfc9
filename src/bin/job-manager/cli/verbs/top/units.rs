//! The units of the open job, and the end of what one of them has written; texts are safe to print.

use job_manager::client::{Client, ClientError, OutputReader};
use job_manager::model::{JobId, RawText, Seq, Timestamp, UnitDetail, UnitFilter, UnitStatus};
use job_manager::text::{one_line, span};

use crate::cli::verbs::units::shown_item;

/// Units of one state that are named.
const MOST: i64 = 100;
/// Bytes of output that are kept: what a large screen shows.
const TAIL_BYTES: usize = 32 * 1024;

/// A unit as a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnitLine {
    pub seq: Seq,
    pub status: UnitStatus,
    /// How long it ran, or runs.
    pub time: String,
    /// Its item, and why it did not complete.
    pub what: String,
}

/// Returns units of a job: those that run, then those that failed, and without any of these the first ones.
pub(super) fn units(client: &Client, job: JobId, failed_only: bool) -> Result<Vec<UnitLine>, ClientError> {
    let progress = client.job(job)?.progress;
    let of = |statuses: Vec<UnitStatus>| client.units(job, &UnitFilter { statuses, ..UnitFilter::all() }, None, MOST);
    let mut found = Vec::new();
    if progress.running > 0 && !failed_only {
        found.extend(of(vec![UnitStatus::Running])?);
    }
    if progress.failed > 0 {
        found.extend(of(vec![UnitStatus::Failed])?);
    }
    if found.is_empty() && !failed_only {
        found = of(Vec::new())?;
    }
    Ok(found.iter().map(line).collect())
}

fn line(unit: &UnitDetail) -> UnitLine {
    let ended = if unit.status == UnitStatus::Running { Some(Timestamp::now()) } else { unit.finished_at };
    let time = unit.started_at.zip(ended).map(|(started, ended)| span(ended.since(started))).unwrap_or_default();
    let item = one_line(&shown_item(&unit.payload));
    let what = match unit.reason() {
        Some(reason) => format!("{item}: {}", one_line(&reason)),
        None => item,
    };
    UnitLine { seq: unit.seq, status: unit.status, time, what }
}

/// What the selected unit has written, read on from where it was read to.
#[derive(Debug, Default)]
pub(super) struct Followed {
    of: Option<(JobId, Seq, Option<Timestamp>)>,
    readers: Vec<OutputReader>,
    tail: Vec<u8>,
}

impl Followed {
    /// Returns the lines of the end of what a unit has written so far.
    pub fn read(&mut self, client: &Client, job: JobId, seq: Seq) -> Result<Vec<String>, ClientError> {
        let unit = client.unit(job, seq)?;
        let is_kept = client.keeps_output(&client.job(job)?)?;
        if !is_kept {
            self.of = None;
            let running = unit.status == UnitStatus::Running;
            return Ok(if running { vec!["its output is shown when it has ended".to_owned()] } else { ends(&unit) });
        }
        let of = Some((job, seq, unit.started_at));
        if self.of != of {
            self.readers = [false, true]
                .map(|stderr| client.output_reader(job, seq, None, stderr))
                .into_iter()
                .collect::<Result<_, _>>()?;
            (self.of, self.tail) = (of, Vec::new());
        }
        for reader in &mut self.readers {
            reader.read_more(|bytes| {
                self.tail.extend_from_slice(bytes);
                let excess = self.tail.len().saturating_sub(TAIL_BYTES);
                self.tail.drain(..excess);
                Ok(())
            })?;
        }
        Ok(lines(&String::from_utf8_lossy(&self.tail)))
    }
}

/// Returns the ends of what a unit wrote, as they are kept with it.
fn ends(unit: &UnitDetail) -> Vec<String> {
    let written = [&unit.output.stdout, &unit.output.stderr].map(|text| text.as_ref().map(RawText::to_string_lossy));
    written.into_iter().flatten().flat_map(|text| lines(&text)).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(one_line).collect()
}

//! The columns of the table of jobs: as wide as what is in them, and fewer on a narrow screen.

use std::time::Duration;

use job_manager::client::EtaSeconds;
use job_manager::model::Progress;

use super::gather::Line;
use crate::cli::text::{shortened, span};

/// What the name keeps before a column is omitted for it.
const NAME_WIDTH: usize = 14;
const BAR_WIDTH: usize = 10;
const SPACING: usize = 1;

const NAME: &str = "NAME";
pub(super) const STATE: &str = "STATE";

/// One fact about a job.
pub(super) struct Column {
    pub title: &'static str,
    pub is_number: bool,
    /// The place in the order in which a narrow screen does without; 0 stays.
    spare: usize,
    /// Returns what stands in this column of a row.
    pub cell: fn(&Line, usize) -> String,
}

static COLUMNS: [Column; 10] = [
    Column { title: "ID", is_number: true, spare: 0, cell: |line, _| line.job.to_string() },
    Column { title: NAME, is_number: false, spare: 0, cell: |line, width| shortened(&line.name, width) },
    Column { title: STATE, is_number: false, spare: 0, cell: |line, _| line.state.to_owned() },
    Column { title: "PROGRESS", is_number: false, spare: 2, cell: |line, _| bar(&line.progress) },
    Column { title: "DONE", is_number: true, spare: 7, cell: |line, _| done(&line.progress) },
    Column { title: "FAIL", is_number: true, spare: 6, cell: |line, _| line.progress.failed.to_string() },
    Column {
        title: "RATE",
        is_number: true,
        spare: 4,
        cell: |line, _| shown(line.rate.map(|rate| format!("{rate:.1}/s"))),
    },
    Column { title: "LEFT", is_number: true, spare: 5, cell: |line, _| shown(line.eta.map(left)) },
    Column { title: "W", is_number: true, spare: 1, cell: |line, _| line.workers.to_string() },
    Column { title: "MANAGER", is_number: true, spare: 3, cell: |line, _| shown(line.manager.as_ref()) },
];

impl Column {
    fn width(&self, lines: &[Line]) -> usize {
        let cells = lines.iter().map(|line| (self.cell)(line, 0).chars().count());
        cells.max().unwrap_or(0).max(self.title.len())
    }
}

/// Chooses the columns that fit into a width, and how wide each is; the name takes what is left, as far as a name needs it.
pub(super) fn fit(lines: &[Line], width: usize) -> Vec<(&'static Column, usize)> {
    let width_of = |column: &Column| if column.title == NAME { NAME_WIDTH } else { column.width(lines) };
    let mut columns: Vec<(&Column, usize)> = COLUMNS.iter().map(|column| (column, width_of(column))).collect();
    for spare in 1..COLUMNS.len() {
        if needed(&columns) <= width {
            break;
        }
        columns.retain(|(column, _)| column.spare != spare);
    }
    let left = width.saturating_sub(needed(&columns));
    let missing = needed(&columns).saturating_sub(width);
    let longest = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0).max(NAME_WIDTH);
    for (column, own) in &mut columns {
        if column.title == NAME {
            // A wide screen would have the other columns far from the names that they are about.
            *own = (*own + left).min(longest).saturating_sub(missing).max(1);
        }
    }
    columns
}

fn needed(columns: &[(&Column, usize)]) -> usize {
    columns.iter().map(|(_, width)| width + SPACING).sum::<usize>().saturating_sub(SPACING)
}

fn bar(progress: &Progress) -> String {
    // Rounded down, so that it is full only when all have ended.
    let (ended, total) = (progress.ended(), progress.total);
    let full = if total > 0 { ended.saturating_mul(BAR_WIDTH as i64) / total } else { 0 };
    let full = usize::try_from(full).unwrap_or(0).min(BAR_WIDTH);
    "█".repeat(full) + &"░".repeat(BAR_WIDTH - full)
}

fn done(progress: &Progress) -> String {
    format!("{}/{}", progress.ended(), progress.total)
}

fn left(eta: EtaSeconds) -> String {
    span(Duration::from_secs((eta.low + eta.high).div_ceil(2)))
}

fn shown(fact: Option<impl ToString>) -> String {
    fact.map(|fact| fact.to_string()).unwrap_or_default()
}

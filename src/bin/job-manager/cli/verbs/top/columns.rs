//! The columns of the table of jobs: as wide as what is in them, and fewer on a narrow screen.

use super::gather::Line;
use crate::cli::text::{shortened, span};
use std::time::Duration;

/// What the name keeps before a column is omitted for it.
const NAME_WIDTH: usize = 14;
const BAR_WIDTH: usize = 10;
const SPACING: usize = 1;

/// One fact about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Name,
    State,
    Bar,
    Done,
    Failed,
    Rate,
    Left,
    Workers,
    Manager,
}

impl Column {
    const ALL: [Column; 10] = [
        Self::Id,
        Self::Name,
        Self::State,
        Self::Bar,
        Self::Done,
        Self::Failed,
        Self::Rate,
        Self::Left,
        Self::Workers,
        Self::Manager,
    ];
    /// What a narrow screen does without, the first one first.
    const DISPENSABLE: [Column; 7] =
        [Self::Workers, Self::Bar, Self::Manager, Self::Rate, Self::Left, Self::Failed, Self::Done];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Name => "NAME",
            Self::State => "STATE",
            Self::Bar => "PROGRESS",
            Self::Done => "DONE",
            Self::Failed => "FAIL",
            Self::Rate => "RATE",
            Self::Left => "LEFT",
            Self::Workers => "W",
            Self::Manager => "MANAGER",
        }
    }

    pub const fn is_number(self) -> bool {
        !matches!(self, Self::Name | Self::State | Self::Bar)
    }

    /// Returns what stands in this column of a row.
    pub fn cell(self, line: &Line, width: usize) -> String {
        match self {
            Self::Id => line.job.to_string(),
            Self::Name => shortened(&line.name, width),
            Self::State => line.state.to_owned(),
            Self::Bar => bar(line.progress.ended(), line.progress.total),
            Self::Done => format!("{}/{}", line.progress.ended(), line.progress.total),
            Self::Failed => line.progress.failed.to_string(),
            Self::Rate => line.rate.map(|rate| format!("{rate:.1}/s")).unwrap_or_default(),
            Self::Left => {
                line.eta.map(|eta| span(Duration::from_secs((eta.low + eta.high).div_ceil(2)))).unwrap_or_default()
            }
            Self::Workers => line.workers.to_string(),
            Self::Manager => line.manager.map(|pid| pid.to_string()).unwrap_or_default(),
        }
    }

    fn width(self, lines: &[Line]) -> usize {
        let cells = lines.iter().map(|line| self.cell(line, 0).chars().count());
        cells.max().unwrap_or(0).max(self.title().len())
    }
}

/// Chooses the columns that fit into a width, and how wide each is; the name takes what is left.
pub(super) fn fit(lines: &[Line], width: usize) -> Vec<(Column, usize)> {
    let mut columns: Vec<(Column, usize)> = Column::ALL
        .iter()
        .map(|&column| (column, if column == Column::Name { NAME_WIDTH } else { column.width(lines) }))
        .collect();
    for spare in Column::DISPENSABLE {
        if needed(&columns) <= width {
            break;
        }
        columns.retain(|(column, _)| *column != spare);
    }
    let left = width.saturating_sub(needed(&columns));
    let missing = needed(&columns).saturating_sub(width);
    for (column, own) in &mut columns {
        if *column == Column::Name {
            *own = (*own + left).saturating_sub(missing).max(1);
        }
    }
    columns
}

fn needed(columns: &[(Column, usize)]) -> usize {
    columns.iter().map(|(_, width)| width + SPACING).sum::<usize>().saturating_sub(SPACING)
}

fn bar(done: i64, total: i64) -> String {
    // Rounded down, so that it is full only when all have ended.
    let full = if total > 0 { done.saturating_mul(BAR_WIDTH as i64) / total } else { 0 };
    let full = usize::try_from(full).unwrap_or(0).min(BAR_WIDTH);
    "█".repeat(full) + &"░".repeat(BAR_WIDTH - full)
}

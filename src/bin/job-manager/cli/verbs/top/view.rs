//! What `top` shows. Knows neither the database nor the terminal.

use std::path::PathBuf;

use job_manager::model::{JobId, JobStatus, Seq};
use ratatui::widgets::TableState;

use super::action::Action;
use super::gather::{Detail, Line};
use super::units::UnitLine;

/// What lies over the list of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Overlay {
    #[default]
    Nothing,
    Help,
    /// A part of names is being typed.
    Filter,
    /// What the selected unit writes, on the whole screen.
    Output,
    /// Is this job to be cancelled?
    AskCancel(JobId),
    /// Is this unit to be ended?
    AskKill(JobId, Seq),
}

/// Where keys choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    Jobs,
    Units,
}

/// Everything that is on the screen.
#[derive(Debug, Default)]
pub(super) struct View {
    pub db: PathBuf,
    pub colors: bool,
    /// The jobs that are shown.
    pub lines: Vec<Line>,
    pub table: TableState,
    pub detail: Option<Detail>,
    pub units: TableState,
    pub focus: Focus,
    pub overlay: Overlay,
    /// A part of the names of the jobs that are shown.
    pub filter: String,
    pub failed_only: bool,
    pub message: Option<String>,
    /// Why the database cannot be read, for as long as that is so.
    pub trouble: Option<String>,
    is_read: bool,
    all: Vec<Line>,
    selected: Option<JobId>,
    selected_seq: Option<Seq>,
    is_open: bool,
    /// What the detail was read for: the job, the unit whose output it has, and whether failed units only.
    described: Option<(JobId, Option<Seq>, bool)>,
    is_changed: bool,
}

impl View {
    pub fn new(db: PathBuf, colors: bool) -> View {
        View { db, colors, is_changed: true, ..View::default() }
    }

    /// Takes up what was read; the same job stays selected wherever its row has gone.
    pub fn refresh(&mut self, lines: Vec<Line>) {
        self.all = lines;
        self.is_read = true;
        self.choose();
    }

    /// Shows the jobs whose names contain that only.
    pub fn narrow(&mut self, filter: String) {
        self.filter = filter;
        self.choose();
    }

    /// Shows jobs with failed units, and failed units only; or all.
    pub fn show_failed_only(&mut self, failed_only: bool) {
        self.failed_only = failed_only;
        self.choose();
    }

    fn choose(&mut self) {
        let before = self.table.selected().unwrap_or(0);
        let wanted = self.filter.to_lowercase();
        let is_shown = |line: &&Line| {
            (!self.failed_only || line.progress.failed > 0) && line.name.to_lowercase().contains(&wanted)
        };
        self.lines = self.all.iter().filter(is_shown).cloned().collect();
        let index = self.lines.iter().position(|line| Some(line.job) == self.selected).unwrap_or(before);
        self.select(index);
    }

    /// Takes up what was read of the open job; the same unit stays selected.
    pub fn set_detail(&mut self, detail: Option<Detail>) {
        self.detail = detail;
        let units = self.detail.as_ref().map_or(&[][..], |detail| &detail.units);
        let place = units.iter().position(|unit| Some(unit.seq) == self.selected_seq);
        let place = place.or(self.units.selected()).or((!units.is_empty()).then_some(0));
        self.select_unit(place.unwrap_or(0));
        self.described = self.detail.as_ref().and(self.wanted());
    }

    /// Shows a message in the place of the keys.
    pub fn say(&mut self, message: String) {
        self.message = Some(message);
        self.touch();
    }

    /// Has the screen drawn again.
    pub fn touch(&mut self) {
        self.is_changed = true;
    }

    /// Returns `true` if the screen is to be drawn, once.
    pub fn is_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Returns `true` if there are no jobs, as opposed to none that were read.
    pub fn is_empty(&self) -> bool {
        self.is_read && self.all.is_empty()
    }

    /// Returns all jobs, whether or not they are shown.
    pub fn all(&self) -> &[Line] {
        &self.all
    }

    pub fn has_running_jobs(&self) -> bool {
        self.all.iter().any(|line| line.status == JobStatus::Running)
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Shows more of the selected job, or no more.
    pub fn open(&mut self, is_open: bool) {
        self.is_open = is_open;
        self.focus = Focus::Jobs;
    }

    /// Has keys choose among the units, or among the jobs again.
    pub fn turn(&mut self) {
        self.focus = match self.focus {
            Focus::Jobs if self.selected.is_some() => Focus::Units,
            _ => Focus::Jobs,
        };
        self.is_open |= self.focus == Focus::Units;
    }

    /// Returns the job whose detail is shown.
    pub fn open_job(&self) -> Option<JobId> {
        self.selected.filter(|_| self.is_open)
    }

    /// Returns what is to be read of the open job.
    pub fn wanted(&self) -> Option<(JobId, Option<Seq>, bool)> {
        Some((self.open_job()?, self.selected_seq, self.failed_only))
    }

    /// Returns `true` if something else than what is there is to be read.
    pub fn wants_detail(&self) -> bool {
        self.wanted() != self.described
    }

    pub fn selected(&self) -> Option<&Line> {
        self.lines.iter().find(|line| Some(line.job) == self.selected)
    }

    /// Returns the selected unit, while keys choose among units.
    pub fn selected_unit(&self) -> Option<&UnitLine> {
        let units = self.detail.as_ref().filter(|_| self.focus == Focus::Units)?;
        units.units.iter().find(|unit| Some(unit.seq) == self.selected_seq)
    }

    /// Gives the selected job so many more workers, as its row shows them.
    pub fn scale(&mut self, more: isize) -> Option<Action> {
        let job = self.selected?;
        let line = self.all.iter_mut().chain(&mut self.lines).filter(|line| line.job == job);
        let mut workers = None;
        for line in line {
            line.workers = line.workers.saturating_add_signed(more).max(1);
            workers = Some(line.workers);
        }
        workers.map(|workers| Action::Workers(job, workers))
    }

    /// Goes down by so many rows where keys choose.
    pub fn go(&mut self, rows: isize) {
        match self.focus {
            Focus::Jobs => self.select(self.table.selected().unwrap_or(0).saturating_add_signed(rows)),
            Focus::Units => self.select_unit(self.units.selected().unwrap_or(0).saturating_add_signed(rows)),
        }
    }

    /// Selects a row, or the last one when there are fewer.
    fn select(&mut self, index: usize) {
        let index = self.lines.len().checked_sub(1).map(|last| index.min(last));
        let selected = index.map(|index| self.lines[index].job);
        self.table.select(index);
        if selected != self.selected {
            (self.selected, self.selected_seq) = (selected, None);
            self.units.select(None);
        }
    }

    fn select_unit(&mut self, index: usize) {
        let units = self.detail.as_ref().map_or(&[][..], |detail| &detail.units);
        let index = units.len().checked_sub(1).map(|last| index.min(last));
        self.selected_seq = index.map(|index| units[index].seq);
        self.units.select(index);
    }
}

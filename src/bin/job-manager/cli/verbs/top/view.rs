//! What `top` shows, and what keys do to it. Knows neither the database nor the terminal.

use std::path::PathBuf;

use job_manager::model::{JobId, JobStatus};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;

use super::action::Action;
use super::gather::{Detail, Line};

/// Rows that a page key goes.
const PAGE: isize = 10;

/// What lies over the list of jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Overlay {
    #[default]
    Nothing,
    Help,
    /// Is this job to be cancelled?
    AskCancel(JobId),
}

/// Everything that is on the screen.
#[derive(Debug, Default)]
pub(super) struct View {
    pub db: PathBuf,
    pub colors: bool,
    pub lines: Vec<Line>,
    pub table: TableState,
    pub detail: Option<Detail>,
    pub overlay: Overlay,
    pub message: Option<String>,
    /// Why the database cannot be read, for as long as that is so.
    pub trouble: Option<String>,
    is_read: bool,
    selected: Option<JobId>,
    is_open: bool,
    /// Job that the detail is about; another one is wanted when the selection differs.
    described: Option<JobId>,
    is_changed: bool,
}

impl View {
    pub fn new(db: PathBuf, colors: bool) -> View {
        View { db, colors, is_changed: true, ..View::default() }
    }

    /// Takes up what was read; the same job stays selected wherever its row has gone.
    pub fn refresh(&mut self, lines: Vec<Line>) {
        let before = self.table.selected().unwrap_or(0);
        self.lines = lines;
        self.is_read = true;
        let index = self.lines.iter().position(|line| Some(line.job) == self.selected).unwrap_or(before);
        self.select(index);
    }

    pub fn set_detail(&mut self, detail: Option<Detail>) {
        self.described = detail.as_ref().and(self.open_job());
        self.detail = detail;
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
        self.is_read && self.lines.is_empty()
    }

    pub fn has_running_jobs(&self) -> bool {
        self.lines.iter().any(|line| line.status == JobStatus::Running)
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the job whose detail is shown.
    pub fn open_job(&self) -> Option<JobId> {
        self.selected.filter(|_| self.is_open)
    }

    /// Returns `true` if the detail of another job than the present one is to be read.
    pub fn wants_detail(&self) -> bool {
        self.open_job() != self.described
    }

    pub fn selected(&self) -> Option<&Line> {
        self.lines.iter().find(|line| Some(line.job) == self.selected)
    }

    /// Does what a key says, and returns what it asks of others.
    pub fn press(&mut self, key: KeyEvent) -> Option<Action> {
        self.touch();
        self.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Action::Leave);
        }
        match std::mem::replace(&mut self.overlay, Overlay::Nothing) {
            Overlay::Nothing => self.press_in_list(key.code),
            Overlay::Help => None,
            Overlay::AskCancel(job) => matches!(key.code, KeyCode::Char('y' | 'Y')).then_some(Action::Cancel(job)),
        }
    }

    fn press_in_list(&mut self, key: KeyCode) -> Option<Action> {
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return Some(Action::Leave),
            KeyCode::Char('?' | 'h') => self.overlay = Overlay::Help,
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown => self.go(PAGE),
            KeyCode::PageUp => self.go(-PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.select(0),
            KeyCode::End | KeyCode::Char('G') => self.select(usize::MAX),
            KeyCode::Enter | KeyCode::Char(' ') => self.is_open = !self.is_open,
            KeyCode::Char('s') => return self.selected.map(Action::Stop),
            KeyCode::Char('r') => return self.selected.map(Action::Resume),
            KeyCode::Char('a') => return self.selected.map(Action::Approve),
            KeyCode::Char('c') => self.overlay = self.selected.map_or(Overlay::Nothing, Overlay::AskCancel),
            _ => {}
        }
        None
    }

    fn go(&mut self, rows: isize) {
        self.select(self.table.selected().unwrap_or(0).saturating_add_signed(rows));
    }

    /// Selects a row, or the last one when there are fewer.
    fn select(&mut self, index: usize) {
        let index = self.lines.len().checked_sub(1).map(|last| index.min(last));
        self.table.select(index);
        self.selected = index.map(|index| self.lines[index].job);
    }
}

//! What keys do to what is shown, and what they ask of others.

use job_manager::model::UnitStatus;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;
use super::view::{Focus, Overlay, View};

/// Rows that a page key goes.
const PAGE: isize = 10;

impl View {
    /// Does what a key says, and returns what it asks of others.
    pub fn press(&mut self, key: KeyEvent) -> Option<Action> {
        self.touch();
        self.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Action::Leave);
        }
        let is_yes = matches!(key.code, KeyCode::Char('y' | 'Y'));
        match std::mem::replace(&mut self.overlay, Overlay::Nothing) {
            Overlay::Nothing => self.press_in_list(key.code),
            Overlay::Help | Overlay::Output => None,
            Overlay::Filter => {
                self.type_filter(key.code);
                None
            }
            Overlay::AskCancel(job) => is_yes.then_some(Action::Cancel(job)),
            Overlay::AskKill(job, seq) => is_yes.then_some(Action::Kill(job, seq)),
        }
    }

    /// Takes a letter of the filter; Enter keeps it, and Escape ends it.
    fn type_filter(&mut self, key: KeyCode) {
        let mut text = self.filter.clone();
        match key {
            KeyCode::Enter => return,
            KeyCode::Esc => text.clear(),
            KeyCode::Backspace => drop(text.pop()),
            KeyCode::Char(letter) => text.push(letter),
            _ => {}
        }
        if key != KeyCode::Esc {
            self.overlay = Overlay::Filter;
        }
        self.narrow(text);
    }

    fn press_in_list(&mut self, key: KeyCode) -> Option<Action> {
        match key {
            KeyCode::Char('q') => return Some(Action::Leave),
            KeyCode::Esc if self.focus == Focus::Units => self.focus = Focus::Jobs,
            KeyCode::Esc if !self.filter.is_empty() => self.narrow(String::new()),
            KeyCode::Esc => return Some(Action::Leave),
            KeyCode::Char('?' | 'h') => self.overlay = Overlay::Help,
            KeyCode::Char('/') => self.overlay = Overlay::Filter,
            KeyCode::Char('f') => self.show_failed_only(!self.failed_only),
            KeyCode::Down | KeyCode::Char('j') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown => self.go(PAGE),
            KeyCode::PageUp => self.go(-PAGE),
            KeyCode::Home | KeyCode::Char('g') => self.go(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.go(isize::MAX),
            KeyCode::Enter | KeyCode::Char(' ') => self.open(!self.is_open()),
            KeyCode::Tab | KeyCode::Right | KeyCode::Left => self.turn(),
            _ => return self.ask(key),
        }
        None
    }

    /// Returns what a key asks of the selected job or unit.
    fn ask(&mut self, key: KeyCode) -> Option<Action> {
        let job = self.selected()?.job;
        let unit = self.selected_unit().map(|unit| (unit.seq, unit.status));
        match key {
            KeyCode::Char('s' | 'p') => return Some(Action::Stop(job)),
            KeyCode::Char('r') => return Some(Action::Resume(job)),
            KeyCode::Char('a') => return Some(Action::Approve(job)),
            KeyCode::Char('c') => self.overlay = Overlay::AskCancel(job),
            KeyCode::Char('+' | '=') => return self.scale(1),
            KeyCode::Char('-') => return self.scale(-1),
            KeyCode::Char('R') => {
                let failed = unit.filter(|(_, status)| *status == UnitStatus::Failed);
                return Some(Action::Retry(job, failed.map(|(seq, _)| seq)));
            }
            KeyCode::Char('x') => match unit {
                Some((seq, UnitStatus::Running)) => self.overlay = Overlay::AskKill(job, seq),
                _ => self.say("choose a unit that runs first: Enter, Tab, ↑↓".to_owned()),
            },
            KeyCode::Char('l') => match unit {
                Some(_) => self.overlay = Overlay::Output,
                None => self.say("choose a unit first: Enter, Tab, ↑↓".to_owned()),
            },
            _ => {}
        }
        None
    }
}

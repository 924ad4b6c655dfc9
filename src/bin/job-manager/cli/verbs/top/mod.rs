//! `top`: all jobs of a database on a full screen.
//!
//! `gather` reads, `view` holds what is shown and what keys do to it, `draw` puts it on a screen, `terminal` borrows the
//! real one, `input` listens to it; the loop here brings them together. Reading never writes: a key that changes a job
//! has a thread open a client of its own for that (`actions`), and `top` does not end before it has an answer.

mod action;
mod background_actions;
mod columns;
mod draw;
mod draw_units;
mod gather;
mod input;
mod press;
mod terminal;
#[cfg(test)]
mod tests;
mod units;
mod view;

use std::io::{IsTerminal, stdout};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use clap::Args;
use job_manager::client::{Client, ClientError};
use job_manager::text::{chain, one_line};
use ratatui::crossterm::event::Event;

use crate::cli::{CliError, Exit, Global, Output};
use crate::system;
use action::Action;
use background_actions::BackgroundActions;
use input::Input;
use terminal::{Screen, Signals};
use units::Followed;
use view::View;

/// Time between two looks at the database.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Age at which what is shown of a running job is read again though nothing was written: its manager may have died.
const STALE_AFTER: Duration = Duration::from_secs(1);

/// Show all jobs on a full screen with their units and what those write; keys steer them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager top")]
pub struct Top {}

pub fn top(global: &Global, _args: &Top, output: &mut Output) -> Result<Exit, CliError> {
    if !stdout().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    let client = global.read_client()?;
    let mut view = View::new(client.path(), Output::has_colors());
    let signals = Signals::listen()?;
    let actions = BackgroundActions::new(global.db_path()?);
    let mut screen = Screen::enter()?;
    let shown = show(&client, &actions, &mut view, &mut screen, &signals);
    screen.leave();
    let exit = actions.settle(&signals, output);
    signals.pass_on()?;
    shown.map(|()| exit)
}

/// Shows the jobs until a key, a signal or the end of the terminal ends it.
fn show(
    client: &Client,
    actions: &BackgroundActions,
    view: &mut View,
    screen: &mut Screen,
    signals: &Signals,
) -> Result<(), CliError> {
    let mut freshness = Freshness::default();
    let inputs = input::listen();
    while !signals.arrived() {
        let answered = take_answers(view, actions);
        let looked = freshness.look(client, view, answered);
        if looked || answered || view.is_changed() {
            match screen.draw(view) {
                // It has gone between two looks at it.
                Err(error) if system::is_hang_up(&error) => break,
                drawn => drawn.map_err(CliError::Terminal)?,
            }
        }
        match inputs.recv_timeout(LOOK_EVERY) {
            Ok(Input::Event(Event::Key(key))) if key.is_press() => match view.press(key) {
                Some(Action::Leave) => break,
                Some(action) => {
                    view.say(action.announcement());
                    actions.begin(action);
                }
                None => {}
            },
            Ok(Input::Event(Event::Resize(..))) => view.touch(),
            Ok(Input::Event(_)) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Input::HungUp) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(Input::Failed(error)) if system::is_hang_up(&error) => break,
            Ok(Input::Failed(error)) => return Err(CliError::Terminal(error)),
        }
    }
    Ok(())
}

fn take_answers(view: &mut View, actions: &BackgroundActions) -> bool {
    let mut any = false;
    for answer in actions.answers() {
        view.say(answer.unwrap_or_else(|error| error_line(&error)));
        any = true;
    }
    any
}

/// When the database was read last, and what it looked like then.
#[derive(Default)]
struct Freshness {
    read_at: Option<Instant>,
    version: Option<i64>,
    followed: Followed,
}

impl Freshness {
    /// Reads what is shown again if something may have changed; true when it did.
    fn look(&mut self, client: &Client, view: &mut View, at_once: bool) -> bool {
        let age = self.read_at.map_or(Duration::MAX, |at| at.elapsed());
        if age < LOOK_EVERY && !at_once && !view.wants_detail() {
            return false;
        }
        let read = client.data_version().and_then(|version| {
            let is_new = self.version != Some(version) || at_once || view.wants_detail();
            if !is_new && (age < STALE_AFTER || !view.has_running_jobs()) {
                return Ok(false);
            }
            let (lines, trouble) = gather::jobs(client)?;
            view.trouble = trouble;
            view.refresh(lines);
            let wanted = view.wanted();
            view.set_detail(wanted.map(|wanted| gather::detail(client, &mut self.followed, wanted)).transpose()?);
            self.version = Some(version);
            self.read_at = Some(Instant::now());
            Ok(true)
        });
        read.unwrap_or_else(|error| {
            // A busy database is read a moment later; one that is gone is named for as long as it is.
            self.read_at = Some(Instant::now());
            self.version = None;
            view.trouble = Some(error_line(&error));
            true
        })
    }
}

/// Writes an error and its causes on one line.
fn error_line(error: &ClientError) -> String {
    one_line(&chain(error))
}

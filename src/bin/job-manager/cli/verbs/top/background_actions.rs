//! What keys have asked for, each done by a thread of its own, and what came of it.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use job_manager::client::ClientError;
use job_manager::text::one_line;

use super::action::Action;
use super::terminal::Signals;
use crate::cli::report::Report;
use crate::cli::{CliError, Exit, Output};

/// Time after which a wait is announced, and between two looks for a signal.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(250);

/// What came of a action.
pub(super) type ActionOutcome = Result<String, ClientError>;

/// Requests on their way.
pub(super) struct BackgroundActions {
    db: PathBuf,
    done: Sender<ActionOutcome>,
    answers: Receiver<ActionOutcome>,
}

impl BackgroundActions {
    pub fn new(db: PathBuf) -> BackgroundActions {
        let (done, answers) = mpsc::channel();
        BackgroundActions { db, done, answers }
    }

    /// Has a thread do what was asked for: it may take seconds, in which the screen must go on.
    pub fn begin(&self, action: Action) {
        let (db, done) = (self.db.clone(), self.done.clone());
        thread::spawn(move || {
            // Nobody listens any more when a signal has ended the wait.
            let _ = done.send(action.carry_out(&db));
        });
    }

    /// Returns what has come since the last time.
    pub fn answers(&self) -> impl Iterator<Item = ActionOutcome> {
        self.answers.try_iter()
    }

    /// Waits for the rest unless a signal comes, and says what came of it; the first failure is the exit code.
    pub fn settle(self, signals: &Signals, output: &mut Output) -> Exit {
        // From here on the threads alone hold the other end.
        drop(self.done);
        let (mut exit, mut is_announced) = (Exit::Success, false);
        while !signals.arrived() {
            match self.answers.recv_timeout(ANSWER_TIMEOUT) {
                Ok(Ok(done)) => output.hint(one_line(&done)),
                Ok(Err(error)) => {
                    let error = CliError::from(error);
                    Report::of(&error).print(output.json);
                    exit = if exit == Exit::Success { error.exit() } else { exit };
                }
                Err(RecvTimeoutError::Timeout) if !is_announced => {
                    output.hint("waiting for what the last keys asked for; Ctrl-C ends the wait");
                    is_announced = true;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        exit
    }
}

//! The contract between a client that starts a manager and the manager: arguments one way, one line the other way.
//!
//! The arguments are argv and not environment, because an environment would leak into units and because argv shows in
//! `ps`. The answer is one line of JSON on the pipe that is the manager's standard output until then. Both are read
//! strictly: a newer or older counterpart is refused, never guessed at.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::model::{Epoch, ErrorKind, JobId};

/// First argument of a process that is to become a launcher or manager; the number is the version of this contract.
pub const VERB: &str = "__job-manager-v1";

/// The two processes on the way to a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Leaves the session and starts the manager.
    Launcher,
    /// Runs the job.
    Manager,
}

/// What a launcher or manager is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchRequest {
    /// Which of the two it is.
    pub stage: Stage,
    /// The database, absolute.
    pub db: PathBuf,
    /// The job.
    pub job: JobId,
    /// Most units that run at a time here, whatever the job's limit: this is the share of a host, and no resume of the job.
    pub workers: Option<usize>,
}

/// A launch whose arguments make no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{VERB} takes a stage (launcher or manager), a database, a job number and perhaps one of workers, and is not called by hand"
)]
pub struct LaunchArgumentsError;

/// What a manager answers once it knows how the start went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchAnswer {
    /// It has the lock, and its epoch and identity are in the database.
    Ready {
        /// Its process number.
        pid: u32,
        /// Its epoch.
        epoch: Epoch,
    },
    /// Another manager runs the job.
    Already {
        /// That manager's process number, if it can be looked at.
        pid: Option<u32>,
    },
    /// It cannot run the job.
    Refused {
        /// Why, with all causes.
        message: String,
        /// What kind of error it is.
        #[serde(default)]
        kind: ErrorKind,
    },
}

static HOOK_CALLED: AtomicBool = AtomicBool::new(false);

/// Remembers that this program can become a manager when it is started again.
pub fn note_hook() {
    HOOK_CALLED.store(true, Ordering::Relaxed);
}

/// Returns `true` if this program can become a manager when it is started again.
pub fn hook_was_called() -> bool {
    HOOK_CALLED.load(Ordering::Relaxed)
}

impl LaunchRequest {
    /// Returns the arguments that a process of that stage is started with.
    pub fn to_args(&self) -> Vec<OsString> {
        let stage = match self.stage {
            Stage::Launcher => "launcher",
            Stage::Manager => "manager",
        };
        let workers = self.workers.map(|workers| workers.to_string().into());
        let args = [VERB.into(), stage.into(), self.db.clone().into(), self.job.to_string().into()];
        args.into_iter().chain(workers).collect()
    }

    /// Reads the arguments of this process, without its name; none when it is an ordinary process.
    pub fn from_args(args: &[OsString]) -> Option<Result<LaunchRequest, LaunchArgumentsError>> {
        let (verb, rest) = args.split_first()?;
        if verb != OsStr::new(VERB) {
            return None;
        }
        Some(Self::parse(rest).ok_or(LaunchArgumentsError))
    }

    fn parse(rest: &[OsString]) -> Option<LaunchRequest> {
        let (stage, db, job, workers) = match rest {
            [stage, db, job] => (stage, db, job, None),
            [stage, db, job, workers] => {
                (stage, db, job, Some(workers.to_str()?.parse().ok().filter(|&most| most > 0)?))
            }
            _ => return None,
        };
        let stage = match stage.to_str()? {
            "launcher" => Stage::Launcher,
            "manager" => Stage::Manager,
            _ => return None,
        };
        let job = job.to_str()?.parse().ok().filter(|id| (1..=JobId::MAX.0).contains(id))?;
        Some(LaunchRequest { stage, db: PathBuf::from(db), job: JobId(job), workers })
    }

    /// Returns the title under which the process shows in listings.
    pub fn title(&self) -> String {
        match self.stage {
            Stage::Launcher => format!("job-manager: starting job {}", self.job),
            Stage::Manager => format!("job-manager: job {}", self.job),
        }
    }
}

impl LaunchAnswer {
    /// Writes the answer as one line, without its end.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an answer is made of numbers and text")
    }

    /// Reads an answer; none when the line is not one.
    pub fn from_line(line: &str) -> Option<LaunchAnswer> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_way_through_arguments() {
        for workers in [None, Some(3)] {
            let request =
                LaunchRequest { stage: Stage::Manager, db: "/tmp/a b/jobs.db".into(), job: JobId(12), workers };

            assert_eq!(LaunchRequest::from_args(&request.to_args()), Some(Ok(request)));
        }
    }

    #[test]
    fn an_ordinary_command_line_is_not_a_launch() {
        assert_eq!(LaunchRequest::from_args(&["run".into(), VERB.into()]), None);
        assert_eq!(LaunchRequest::from_args(&[]), None);
    }

    #[test]
    fn a_malformed_launch_is_refused() {
        for rest in [
            vec![],
            vec!["manager", "/db"],
            vec!["manager", "/db", "0"],
            vec!["daemon", "/db", "1"],
            vec!["manager", "/db", "1", "0"],
        ] {
            let args: Vec<OsString> = std::iter::once(VERB).chain(rest).map(OsString::from).collect();

            assert_eq!(LaunchRequest::from_args(&args), Some(Err(LaunchArgumentsError)));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_an_answer_or_none(line in ".{0,200}") {
            if let Some(answer) = LaunchAnswer::from_line(&line) {
                assert_eq!(LaunchAnswer::from_line(&answer.to_line()), Some(answer));
            }
        }

        #[test]
        fn any_arguments_are_a_request_or_refused(args in proptest::collection::vec(".{0,20}", 0..6), ours: bool) {
            let verb = ours.then(|| VERB.to_owned());
            let args: Vec<OsString> = verb.into_iter().chain(args).map(OsString::from).collect();
            if let Some(Ok(request)) = LaunchRequest::from_args(&args) {
                assert_eq!(LaunchRequest::from_args(&request.to_args()), Some(Ok(request)));
            }
        }
    }

    #[test]
    fn answers_survive_the_way_through_the_pipe() {
        for answer in [
            LaunchAnswer::Ready { pid: 7, epoch: Epoch(3) },
            LaunchAnswer::Already { pid: Some(8) },
            LaunchAnswer::Already { pid: None },
            LaunchAnswer::Refused { message: "two\nlines \"quoted\"".to_owned(), kind: ErrorKind::Database },
        ] {
            let line = answer.to_line();

            assert!(!line.contains('\n'));
            assert_eq!(LaunchAnswer::from_line(&line), Some(answer));
        }
    }
}

//! Tells the service what became of its units: callbacks run here, after the commit, on one thread of their own.

use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::feed::Feed;
use super::log::log_line;
use super::panics;
use crate::handler::{Callbacks, JobContext, JobReport, UnitReport};
use crate::model::{Unit, UnitStatus};
use crate::store::UnitChange;

/// Calls callbacks and remembers the first thing that went wrong with them.
pub(super) struct CallbackDispatcher<'a> {
    callbacks: Vec<&'a Callbacks>,
    first_error: OnceLock<String>,
}

impl<'a> CallbackDispatcher<'a> {
    /// Makes one that tells everybody in those lists.
    pub fn new(callbacks: impl IntoIterator<Item = &'a Callbacks>) -> Self {
        Self { callbacks: callbacks.into_iter().collect(), first_error: OnceLock::new() }
    }

    /// Makes the way to the thread that runs [`CallbackDispatcher::notify_units`]; none when nobody wants to be told.
    pub fn channel(&self) -> Option<(Sender<UnitReport>, Receiver<UnitReport>)> {
        self.callbacks.iter().any(|callbacks| callbacks.wants_units()).then(channel)
    }

    /// Returns `true` if units that end like this are of interest to anybody.
    pub fn wants(&self, status: UnitStatus) -> bool {
        self.callbacks.iter().any(|callbacks| callbacks.wants(status))
    }

    /// Tells of units until the last sender has gone; the recorder never waits for that, units of the feed do.
    pub fn notify_units(&self, reports: Receiver<UnitReport>, feed: &Feed) {
        for report in reports {
            self.notify_unit(&report);
            feed.end_report();
        }
    }

    /// Tells of one unit.
    pub fn notify_unit(&self, report: &UnitReport) {
        for callback in self.callbacks.iter().flat_map(|callbacks| callbacks.of(report.status)) {
            self.guard(|| callback(report));
        }
    }

    /// Tells of the end of the job.
    pub fn notify_job_end(&self, report: &JobReport) {
        for callback in self.callbacks.iter().flat_map(|callbacks| callbacks.job_end()) {
            self.guard(|| callback(report));
        }
    }

    /// Returns the first thing that went wrong in a callback.
    pub fn first_error(&self) -> Option<&str> {
        self.first_error.get().map(String::as_str)
    }

    fn guard(&self, callback: impl FnOnce() -> Result<(), String>) {
        let told = panics::catch(callback).map_err(|message| format!("a callback panicked: {message}"));
        if let Err(message) = told.and_then(|told| told) {
            log_line!("error: {message}");
            // The first one is kept; the log has them all.
            let _ = self.first_error.set(message);
        }
    }
}

/// Describes the end of a unit.
pub(super) fn report(job: &JobContext, unit: Unit, change: &UnitChange) -> UnitReport {
    UnitReport {
        job: job.id,
        job_name: job.name.clone(),
        seq: unit.id.seq(),
        key: unit.key,
        payload: unit.payload,
        status: change.to,
        attempts: change.attempts,
        result: change.result().map(str::to_owned),
        error: change.error().map(str::to_owned),
    }
}

//! Looking at units that completed: what somebody doubts, and what was decided about it.

use super::error::LimitError;
use super::{Client, ClientError, Started};
use crate::files::{own_user, user_name};
use crate::handler::{COMMAND, CommandSpec, ResultMode};
use crate::model::{
    AttemptName, Flag, Flagged, Job, JobId, JobStatus, Limits, Sample, Seq, Timestamp, UnitFilter, UnitId,
};
use crate::store::Verdict;

/// Refuses a comparison with results of commands that the job does not keep as JSON; those of handlers are.
pub(super) fn check_flag_if(limits: &Limits, handler: &str, spec: &str) -> Result<(), LimitError> {
    let keeps_text =
        || handler == COMMAND && CommandSpec::of_json(spec).is_ok_and(|spec| spec.result != ResultMode::Json);
    match &limits.flag_if {
        Some(condition) if keeps_text() => Err(LimitError::FlagWithoutJson { condition: condition.to_string() }),
        _ => Ok(()),
    }
}

impl Client {
    /// Says from inside a command that a person is to look at what the attempt says; durable when it returns. It counts once that attempt
    /// completes its unit; what it has said before stays beside it.
    ///
    /// # Errors
    /// When that attempt is not under way any more, and for the unit that a job ends with.
    pub fn flag_unit(
        &self,
        job: JobId,
        seq: Seq,
        attempt: impl Into<AttemptName>,
        text: &str,
    ) -> Result<(), ClientError> {
        super::inside::show_own_life();
        Ok(self.store().flag_attempt(UnitId::new(job, seq), attempt.into(), text)?)
    }

    /// Returns how many flagged units of a job nobody has decided about.
    pub fn undecided(&self, job: JobId) -> Result<u64, ClientError> {
        Ok(self.store().undecided(job)?)
    }

    /// Returns the doubt about a unit that completed, with what was decided, if there is one.
    pub fn flag(&self, job: JobId, seq: Seq) -> Result<Option<Flag>, ClientError> {
        Ok(self.store().flag(UnitId::new(job, seq))?)
    }

    /// Returns the same filter without units whose results are held: flagged, in a job that wants these accepted first, and undecided.
    pub fn accepted_only(&self, job: JobId, filter: UnitFilter) -> Result<UnitFilter, ClientError> {
        let flagged = if self.job(job)?.limits.hold_flagged { Some(Flagged::NotUndecided) } else { filter.flagged };
        Ok(UnitFilter { flagged, ..filter })
    }

    /// Returns the numbers of flagged units that a filter selects and that nobody has decided about.
    pub fn units_to_review(&self, job: JobId, filter: &UnitFilter) -> Result<Vec<Seq>, ClientError> {
        let undecided = UnitFilter { flagged: Some(Flagged::Undecided), ..filter.clone() };
        Ok(self.store().reviewable(job, &undecided)?)
    }

    /// Returns the numbers of units drawn at random from those that a filter selects of those that completed, about none of which anything
    /// was decided: the same seed draws the same from the same units. `share` is their part of all of these, from 0 to 1; at least one is
    /// drawn when there are some.
    pub fn sample_to_review(
        &self,
        job: JobId,
        filter: &UnitFilter,
        share: f64,
        seed: u64,
    ) -> Result<Vec<Seq>, ClientError> {
        let completed = self.store().reviewable(job, filter)?;
        let decided = UnitFilter { flagged: Some(Flagged::Any), ..filter.clone() };
        let decided: std::collections::HashSet<Seq> = self.store().reviewable(job, &decided)?.into_iter().collect();
        let unseen: Vec<Seq> = completed.into_iter().filter(|seq| !decided.contains(seq)).collect();
        let size = (unseen.len() as f64 * share.clamp(0.0, 1.0)).ceil() as usize;
        let drawn = Sample::new(seed).draw(size, unseen.len() as u64);
        Ok(drawn.into_iter().filter_map(|place| unseen.get(usize::try_from(place).ok()? - 1).copied()).collect())
    }

    /// Accepts what units say that completed, flagged or not, in one transaction.
    ///
    /// ```no_run
    /// # use job_manager::model::UnitFilter;
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("letters")?;
    /// let before = client.job(job)?;
    /// let doubtful = client.units_to_review(job, &UnitFilter::all())?;
    /// client.accept_units(job, &doubtful, Some("looked at all of them"))?;
    /// client.start_reviewed(&before)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`FlagRefused`](super::FlagRefused) when one of them has not completed, or somebody was faster to decide; nothing is changed then.
    pub fn accept_units(&self, job: JobId, seqs: &[Seq], note: Option<&str>) -> Result<(), ClientError> {
        let by = user_name(own_user());
        Ok(self.store().accept_units(job, seqs, Verdict { by: &by, note, at: Timestamp::now() })?)
    }

    /// Has units that completed done again, in one transaction, and returns the numbers of the units that replace them: each has the same
    /// item and key, and knows the note as the error of the attempt before. The completed ones stay, are part of the job no more, and are
    /// not among its results.
    ///
    /// A job that had ended becomes paused; [`start_reviewed`](Self::start_reviewed) has it run them.
    ///
    /// # Errors
    /// As for [`accept_units`](Self::accept_units).
    pub fn redo_units(&self, job: JobId, seqs: &[Seq], note: Option<&str>) -> Result<Vec<Seq>, ClientError> {
        self.refuse_moved(job)?;
        let row = self.job(job)?;
        let by = user_name(own_user());
        let verdict = Verdict { by: &by, note, at: Timestamp::now() };
        let made = self.made_path(&row)?;
        Ok(self.store().redo_units(job, seqs, verdict, made.as_deref())?)
    }

    /// Refuses what [`start_reviewed`](Self::start_reviewed) would be refused for, before anything is decided.
    ///
    /// # Errors
    /// Those of [`check_start`](Self::check_start), where the decisions may let the job go on.
    pub fn check_reviewed_start(&self, before: &Job) -> Result<(), ClientError> {
        if had_nothing_to_run(before) { self.check_start(before.id) } else { Ok(()) }
    }

    /// Starts a job that had ended, or only waited for decisions, before these were taken, once they let it go on; none where nothing is to
    /// be started. One that somebody had paused, or that had paused with units left, stays so. `before` is its row before the decisions.
    pub fn start_reviewed(&self, before: &Job) -> Result<Option<Started>, ClientError> {
        let job = before.id;
        let row = self.job(job)?;
        if !had_nothing_to_run(before) || row.status != JobStatus::Paused {
            return Ok(None);
        }
        let is_held = row.limits.hold_flagged && self.undecided(job)? > 0;
        match is_held && row.progress.unfinished() == 0 {
            true => Ok(None),
            false => self.resume_job(job).map(Some),
        }
    }
}

/// Returns `true` for a job that had ended, or only waited for decisions.
fn had_nothing_to_run(job: &Job) -> bool {
    job.status.is_terminal() || job.status == JobStatus::Paused && job.progress.unfinished() == 0
}

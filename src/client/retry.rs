//! Asking for units again.

use std::time::Duration;

use serde_json::value::RawValue;

use super::{Client, ClientError, UnitsSwept};
use crate::handler::{CommandSpec, TemplateError, UnitTemplates};
use crate::model::{Job, JobId, NewUnit, Timestamp, UnitFilter};

impl Client {
    /// Sends failed and cancelled units that the filter selects, and skipped ones if it names them, back to pending, with all their attempts, and
    /// returns how many there were.
    ///
    /// A running manager takes them up by itself; a job that had ended becomes paused and waits for a resume.
    ///
    /// ```no_run
    /// # use job_manager::model::{UnitFilter, UnitStatus};
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.retry_units(job, &UnitFilter::with_status(UnitStatus::Failed))?;
    /// client.resume_job(job)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when the filter selects none of them, and
    /// [`CopyError::Moved`](super::CopyError::Moved) when they may run at most once and have moved to another database.
    pub fn retry_units(&self, job: JobId, filter: &UnitFilter) -> Result<i64, ClientError> {
        Ok(self.retry_units_within(job, filter, None)?.changed)
    }

    /// Sends units back to pending as [`Client::retry_units`] does, and looks no longer for them than `budget`.
    ///
    /// Units that are looked for by their item, or by a kind of failure, change in groups; each group is one transaction.
    ///
    /// # Errors
    /// As for [`Client::retry_units`], when all units were looked at.
    pub fn retry_units_within(
        &self,
        job: JobId,
        filter: &UnitFilter,
        budget: Option<Duration>,
    ) -> Result<UnitsSwept, ClientError> {
        self.refuse_moved(job)?;
        self.sweep_units(job, filter, budget, |filter| Ok(self.store().retry_units(job, filter, Timestamp::now())?))
    }

    /// Sends units back to pending as [`Client::retry_units`] does, each of several items replaced by units of one, and
    /// returns how many are pending then.
    ///
    /// The units that replace others come after all that are there. No longer than `budget` is looked for units by their item or
    /// their kind of failure.
    ///
    /// # Errors
    /// [`ClientError::OneItemEach`] when the units of the job do not have several items, and
    /// [`ClientError::NoUnitFits`] when the filter selects none. When the command cannot be made
    /// of one item, or two of the new units would make the same path, nothing is changed.
    pub fn retry_one_by_one(
        &self,
        job: JobId,
        filter: &UnitFilter,
        budget: Option<Duration>,
    ) -> Result<UnitsSwept, ClientError> {
        self.refuse_moved(job)?;
        let row = self.job(job)?;
        let spec = self.spec_of_several(&row)?.ok_or(ClientError::OneItemEach { job })?;
        let templates = UnitTemplates::of(&spec).map_err(|error| ClientError::Source(error.into()))?;
        let split = |payload: &str| {
            let units = units_of_one(payload);
            units.iter().try_for_each(|unit| templates.check(&templates.values(&unit.payload)?))?;
            Ok::<_, TemplateError>(units)
        };
        let made = self.made_path(&row)?;
        self.sweep_units(job, filter, budget, |filter| {
            Ok(self.store().split_units(job, filter, Timestamp::now(), split, made.as_deref())?)
        })
    }

    /// Returns how a job runs its units, if they have several items each.
    pub(super) fn spec_of_several(&self, job: &Job) -> Result<Option<CommandSpec>, ClientError> {
        Ok(self.command_settings(job)?.filter(|spec| spec.items.several.is_some()))
    }
}

/// Makes a unit of each element of a payload; of one that is no array, which a library may have added, none: that unit
/// goes back to pending as it is.
fn units_of_one(payload: &str) -> Vec<NewUnit> {
    let items: Vec<&RawValue> = serde_json::from_str(payload).unwrap_or_default();
    items.into_iter().map(|item| NewUnit { payload: format!("[{item}]"), key: None, group: None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_a_unit_with_its_text_as_it_was() {
        let units = units_of_one(r#"["a", 1.0,{"b": [2,3]} , ["x","y"]]"#);

        let payloads: Vec<&str> = units.iter().map(|unit| unit.payload.as_str()).collect();
        assert_eq!(payloads, [r#"["a"]"#, "[1.0]", r#"[{"b": [2,3]}]"#, r#"[["x","y"]]"#]);
        assert!(units_of_one("\"a\"").is_empty());
    }
}

//! Meters of jobs: which there may be, what they have counted, and whether the budget lets the job go on.

use serde::Serialize;

use super::snapshot::over_budget;
use super::{Client, ClientError, LimitError, StartError};
use crate::handler::{COMMAND, CommandSpec, ResultMode};
use crate::model::{Amount, Budget, Job, Limits, Meter, MeterError, Progress, Spending, spending_of};
use crate::sys::{ZoneError, own_zone, zone_of};

/// A budget that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// It is not written as a budget.
    #[error(transparent)]
    Meter(#[from] MeterError),
    /// The time zone is not known on this machine.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}

/// Reads a budget as people write it: `50`, or `20/day` for the days of this process's time zone.
///
/// ```
/// use job_manager::NewJob;
/// use job_manager::client::budget;
///
/// let mut new = NewJob::new("letters", "command");
/// new.limits.meter("usd").budget = Some(budget("20/day")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is no amount above zero, and when the variable TZ names a zone that is not known here.
pub fn budget(text: &str) -> Result<Budget, BudgetError> {
    Budget::parse(text, || Ok(own_zone()?))
}

/// What a meter of a job has counted, as `status` tells it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeterStatus {
    /// Its name.
    pub name: String,
    /// What all attempts have cost.
    pub spent: Amount,
    /// What may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Amount>,
    /// What the day has cost, where the budget is for each day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Amount>,
    /// Attempts of unknown cost, each counted as what an attempt usually costs.
    pub unmetered: u64,
    /// What an attempt usually costs, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<Amount>,
    /// What the job will have cost, while it has units left and enough is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_the_end: Option<AtTheEnd>,
}

/// What a job is expected to cost, between bounds that hold in 90 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtTheEnd {
    /// Seldom less.
    pub low: Amount,
    /// The most likely sum.
    pub expected: Amount,
    /// Seldom more.
    pub high: Amount,
}

/// Says what the meters of a job have counted, in their order.
pub(super) fn meters_of(job: &Job, spending: &[Spending]) -> Vec<MeterStatus> {
    let of = |meter: &Meter| {
        let spent = spending_of(spending, meter).cloned().unwrap_or_else(|| Spending::none(&meter.name));
        MeterStatus {
            name: meter.name.clone(),
            spent: spent.spent,
            budget: meter.budget.as_ref().map(|budget| budget.amount),
            today: meter.is_daily().then(|| spent.counted(meter)),
            unmetered: spent.unmetered,
            usual: spent.reservation(meter),
            at_the_end: at_the_end(&spent, &job.progress),
        }
    };
    job.limits.meters.iter().map(of).collect()
}

fn at_the_end(spent: &Spending, progress: &Progress) -> Option<AtTheEnd> {
    let of = |count: i64| u64::try_from(count).unwrap_or(0);
    let left = of(progress.unfinished());
    let [low, expected, high] =
        spent.at_the_end(of(progress.completed + progress.failed), left).filter(|_| left > 0)?;
    Some(AtTheEnd { low, expected, high })
}

/// Refuses meters that no job can have, or that could count nothing.
pub(super) fn check_meters(limits: &Limits, handler: &str, spec: &str) -> Result<(), ClientError> {
    let meters = &limits.meters;
    if meters.len() > Meter::MOST {
        return Err(LimitError::TooManyMeters { most: Meter::MOST }.into());
    }
    for (place, meter) in meters.iter().enumerate() {
        let name = || meter.name.clone();
        if !Meter::is_name(&meter.name) || meters[..place].iter().any(|before| before.name == meter.name) {
            return Err(LimitError::MeterName { name: name() }.into());
        }
        if let Some(zone) = meter.budget.as_ref().and_then(|budget| budget.day_zone.as_ref()) {
            zone_of(zone).map_err(|source| LimitError::DayZone { source })?;
        }
        let amounts = [meter.budget.as_ref().map(|budget| budget.amount), meter.rate.map(|rate| rate.amount)];
        if amounts.contains(&Some(Amount::ZERO)) {
            return Err(LimitError::NothingToSpend { name: name() }.into());
        }
        if meter.reserve == Some(Amount::ZERO) {
            return Err(LimitError::NothingReserved { name: name() }.into());
        }
        if let (Some(reserve), Some(budget)) = (meter.reserve, &meter.budget)
            && reserve > budget.amount
        {
            return Err(LimitError::ReserveAboveBudget { name: name(), reserve, budget: budget.amount }.into());
        }
        let keeps_json =
            || handler == COMMAND && CommandSpec::of_json(spec).is_ok_and(|spec| spec.result == ResultMode::Json);
        if let Some(path) = meter.path.as_ref().filter(|_| !keeps_json()) {
            return Err(LimitError::MeterWithoutJson { name: name(), path: path.to_string() }.into());
        }
    }
    Ok(())
}

/// Refuses what is reserved newly where nothing is bounded; a bound that is taken away leaves it behind, for the next one.
pub(super) fn check_reserves(before: Option<&Limits>, after: &Limits) -> Result<(), LimitError> {
    let was_so = |meter: &Meter| {
        before.is_some_and(|before| {
            before.meters.iter().any(|old| old.name == meter.name && old.reserve == meter.reserve)
        })
    };
    let idle = after.meters.iter().filter(|meter| !meter.is_bounded() && !was_so(meter));
    match idle.filter_map(|meter| Some((meter, meter.reserve?))).next() {
        Some((meter, reserve)) => Err(LimitError::ReservedForNothing { name: meter.name.clone(), reserve }),
        None => Ok(()),
    }
}

impl Client {
    /// Refuses to start a job whose budget lets none of its units start.
    pub(super) fn refuse_over_budget(&self, row: &Job) -> Result<(), ClientError> {
        if row.limits.meters.is_empty() {
            return Ok(());
        }
        let spending = self.store().spending(row.id)?;
        let Some((meter, said)) = over_budget(row, &spending) else { return Ok(()) };
        let found = meters_of(row, &spending).into_iter().find(|found| found.name == meter);
        let raised = found.map_or(Amount::ZERO, |found| raised(&found));
        Err(StartError::OverBudget { job: row.id, meter, said, raised }.into())
    }
}

/// Returns the meter whose budget lets no unit of a job start, with a budget that would be enough as far as that is known; of budgets by
/// the day if `by_day`.
pub(super) fn raised_budget(job: &Job, spending: &[Spending], by_day: bool) -> Option<(String, Amount)> {
    let meters = job.limits.meters.iter().zip(meters_of(job, spending));
    let mut found =
        meters.filter(|(meter, _)| meter.budget.is_some() && meter.is_daily() == by_day).map(|(meter, found)| {
            let is_spent = spending_of(spending, meter).is_some_and(|spent| spent.most_under_way(meter) == 0);
            (is_spent, found)
        });
    let first = found.next()?;
    let (_, found) = if first.0 { first } else { found.find(|(is_spent, _)| *is_spent).unwrap_or(first) };
    // What a day costs is not known by what the job will.
    let at_the_end = found.at_the_end.filter(|_| !by_day);
    Some((found.name.clone(), raised(&MeterStatus { at_the_end, spent: found.today.unwrap_or(found.spent), ..found })))
}

/// Returns a budget that would be enough for what is left as far as that is known, and is twice the present one otherwise.
fn raised(found: &MeterStatus) -> Amount {
    let budget = found.budget.unwrap_or_default();
    let twice = budget.saturating_add(budget);
    let spent = found.spent.saturating_add(found.usual.unwrap_or_default()).saturating_add(budget);
    found.at_the_end.map(|end| end.high.about()).filter(|high| *high > budget).unwrap_or(twice.max(spent.about()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(meters: &[&str]) -> Limits {
        Limits { meters: meters.iter().map(|meter| meter.parse().unwrap()).collect(), ..Limits::default() }
    }

    #[test]
    fn meters_that_could_count_nothing_are_refused() {
        let check = |meters: &[&str], handler: &str, spec: &str| {
            check_meters(&limits(meters), handler, spec).map_err(|error| error.to_string())
        };
        let spec = |result: &str| {
            format!(
                r#"{{"argv":["x"],"cwd":"/","creates":null,"then":null,"env_given":null,"unit_key":null,"result":"{result}"}}"#
            )
        };

        assert_eq!(check(&["usd=.cost", "tokens"], COMMAND, &spec("json")), Ok(()));
        assert!(check(&["usd=.cost"], COMMAND, &spec("text")).unwrap_err().contains(".cost"));
        assert!(check(&["usd=.cost"], "square", "{}").is_err());
        assert!(check(&["usd"; 2], "square", "{}").is_err());
        assert_eq!(check(&["usd"], "square", "{}"), Ok(()));
        let nine: Vec<String> = (0..9).map(|number| format!("m{number}")).collect();
        let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
        assert!(check(&nine[..8], "square", "{}").is_ok() && check(&nine, "square", "{}").is_err());
    }
}

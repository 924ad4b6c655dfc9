//! What a job counts of each attempt, how much may be spent, and how fast units start, as flags.

use clap::Args;
use job_manager::client::budget;
use job_manager::model::{Amount, AmountRate, Budget, Limits, Meter, Rate};

use super::error::CliError;
use super::values::spelled;
pub(super) use crate::settings::values::{amount, meter_name, said};

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct MeterArgs {
    /// Attempts that may start in a span of time, such as 60/min, or how much of a meter may be spent in it, such as
    /// tokens=90000/min; may be repeated
    #[arg(long, value_name = "[NAME=]N/TIME", value_parser = rate, help_heading = "Pace and bounds")]
    pub rate: Vec<RateValue>,
    /// What each attempt costs: a number in the JSON that it prints, with --result json; PATH:-0 where it may be missing; without a
    /// path the command says it with unit-spend; may be repeated
    #[arg(long, value_name = "NAME[=PATH]", value_parser = spelled::<Meter>, help_heading = "Pace and bounds")]
    pub meter: Vec<Meter>,
    /// How much of a meter may be spent, such as usd=50, or each day, such as usd=20/day; then the job pauses, or waits for the
    /// next day
    #[arg(long, value_name = "NAME=AMOUNT[/day]", value_parser = of_meter(|text| budget(text).map_err(said)), help_heading = "Pace and bounds")]
    pub budget: Vec<(String, Budget)>,
    /// What an attempt is taken to cost until five have ended
    #[arg(long, value_name = "NAME=AMOUNT", value_parser = of_meter(amount), help_heading = "Pace and bounds")]
    pub reserve: Vec<(String, Amount)>,
}

/// A value of `--rate`.
#[derive(Debug, Clone)]
pub(super) enum RateValue {
    /// Attempts.
    Attempts(Rate),
    /// What a meter counts.
    Meter(String, AmountRate),
}

impl MeterArgs {
    pub fn apply(&self, limits: &mut Limits) -> Result<(), CliError> {
        for meter in &self.meter {
            if limits.meters.iter().any(|before| before.name == meter.name) {
                return Err(CliError::GivenTwice(format!("the meter {}", meter.name)));
            }
            limits.meters.push(meter.clone());
        }
        for (name, budget) in &self.budget {
            put(&mut limits.meter(name).budget, budget, || format!("the budget of {name}"))?;
        }
        for (name, reserve) in &self.reserve {
            put(&mut limits.meter(name).reserve, reserve, || format!("the reserve of {name}"))?;
        }
        for value in &self.rate {
            match value {
                RateValue::Attempts(rate) => put(&mut limits.rate, rate, || "--rate".to_owned())?,
                RateValue::Meter(name, rate) => {
                    put(&mut limits.meter(name).rate, rate, || format!("the rate of {name}"))?;
                }
            }
        }
        Ok(())
    }
}

fn put<T: Clone>(place: &mut Option<T>, value: &T, what: impl FnOnce() -> String) -> Result<(), CliError> {
    if place.replace(value.clone()).is_some() { Err(CliError::GivenTwice(what())) } else { Ok(()) }
}

/// Reads `60/min` or `tokens=90000/min`.
fn rate(text: &str) -> Result<RateValue, String> {
    match text.split_once('=') {
        None => spelled(text).map(RateValue::Attempts),
        Some((name, rate)) => Ok(RateValue::Meter(meter_name(name)?, rate.parse().map_err(said)?)),
    }
}

/// Reads `usd=VALUE`.
pub(super) fn of_meter<T>(
    read: impl Fn(&str) -> Result<T, String> + Clone,
) -> impl Fn(&str) -> Result<(String, T), String> + Clone {
    move |text| {
        let wrong = || format!("{text:?} names no meter, expected e.g. usd=0.5");
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        Ok((meter_name(name)?, read(value)?))
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_one_of_attempts_or_of_a_meter() {
        assert!(matches!(rate("60/min"), Ok(RateValue::Attempts(Rate { units: 60, per_ms: 60_000 }))));
        assert!(matches!(rate("tokens=90000/min"), Ok(RateValue::Meter(name, _)) if name == "tokens"));
        for wrong in ["tokens=0/min", "=1/min", "tokens=90000", "x.y=1/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_that_are_none_are_refused_by_their_fault() {
        let spend = of_meter(amount);
        assert_eq!(spend("usd=0.12").unwrap().1.to_string(), "0.12");
        for (wrong, words) in
            [("usd=NaN", "decimal"), ("usd=-1", "negative"), ("usd=1e99", "too large"), ("usd", "names no meter")]
        {
            let error = spend(wrong).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}

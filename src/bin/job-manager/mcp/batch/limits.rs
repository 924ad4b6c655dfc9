//! How fast, how long and under which conditions the units of a batch run.

use std::fmt::Display;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use job_manager::client::{budget, start_time, windows};
use job_manager::model::{
    Amount, Budget, Conditions, Groups, Limits, MaxFailures, Meter, OnHostLoss, OnInterrupt, Sample, TimeLimit,
};
use job_manager::text::SpellingError;

use super::Batch;
use super::options::{HostLost, Interrupted, Options};
use crate::mcp::ToolError;

impl Batch {
    pub(super) fn limits(&self) -> Result<Limits, ToolError> {
        let options = &self.options;
        let mut limits = Limits::default();
        limits.workers = self.workers.map_or(limits.workers, NonZeroUsize::get);
        limits.max_attempts = self.max_attempts.map_or(limits.max_attempts, NonZeroU32::get);
        limits.set_timeout(self.timeout.as_deref().map(str::parse).transpose()?.unwrap_or_default());
        limits.start = options.conditions()?;
        limits.slots = options.slots.as_deref().map(str::parse).transpose()?.unwrap_or_default();
        limits.rate = options.rate.as_deref().map(str::parse).transpose()?;
        limits.deadline = options.deadline()?;
        limits.max_failures = options.max_failures.as_deref().map(max_failures).transpose()?;
        options.count(&mut limits)?;
        limits.groups = options.groups()?;
        limits.canary = self.canary.map(NonZeroU32::get);
        if options.sample && limits.canary.is_none() {
            return Err(ToolError::Incomplete { given: "sample", missing: "canary" });
        }
        limits.sample = options.sample.then(|| Sample::new(0));
        limits.flag_if = options.flag_if.as_deref().map(str::parse).transpose()?;
        limits.hold_flagged = options.hold_flagged;
        limits.on_interrupt = match options.on_interrupt {
            Some(Interrupted::Retry) | None => OnInterrupt::Retry,
            Some(Interrupted::Fail) => OnInterrupt::Fail,
        };
        limits.on_host_loss = match options.on_host_loss {
            Some(HostLost::Retry) | None => OnHostLoss::Retry,
            Some(HostLost::Wait) => OnHostLoss::Wait,
        };
        if options.at_most_once {
            if limits.max_attempts != 1 && self.max_attempts.is_some() {
                return Err(ToolError::Incomplete { given: "at_most_once", missing: "max_attempts 1, or none" });
            }
            if matches!(options.on_interrupt, Some(Interrupted::Retry)) {
                return Err(ToolError::Incomplete { given: "at_most_once", missing: "on_interrupt fail, or none" });
            }
            limits.set_at_most_once();
        }
        Ok(limits)
    }
}

impl Options {
    fn deadline(&self) -> Result<Option<Duration>, ToolError> {
        let limit: Option<TimeLimit> = self.deadline.as_deref().map(str::parse).transpose()?;
        Ok(limit.and_then(|limit| limit.0))
    }

    /// Reads how units are grouped, and what bounds each group.
    fn groups(&self) -> Result<Option<Groups>, ToolError> {
        let bounds = [
            ("per_group", self.per_group.is_some()),
            ("group_rate", self.group_rate.is_some()),
            ("group_failures", self.group_failures.is_some()),
        ];
        let Some(by) = &self.group else {
            let given = bounds.into_iter().find_map(|(given, is_given)| is_given.then_some(given));
            return given.map_or(Ok(None), |given| Err(ToolError::Incomplete { given, missing: "group" }));
        };
        let mut groups = Groups::by(by.as_str());
        groups.most = self.per_group.map(NonZeroUsize::get);
        groups.rate = self.group_rate.as_deref().map(str::parse).transpose()?;
        groups.max_failures = self.group_failures.map(|most| u64::from(most.get()));
        Ok(Some(groups))
    }

    /// Enters what each attempt costs, and how much may be spent.
    fn count(&self, limits: &mut Limits) -> Result<(), ToolError> {
        for text in &self.meter {
            let meter: Meter = text.parse().map_err(|error| wrong("meter", error))?;
            if limits.meters.iter().any(|before| before.name == meter.name) {
                return Err(wrong("meter", format_args!("{} is given twice", meter.name)));
            }
            limits.meters.push(meter);
        }
        for text in &self.budget {
            let (name, budget) = budget_of(text)?;
            limits.meter(&name).budget = Some(budget);
        }
        for text in &self.reserve {
            let (name, amount) = of_meter("reserve", text)?;
            limits.meter(name).reserve = Some(amount.parse::<Amount>().map_err(|error| wrong("reserve", error))?);
        }
        Ok(())
    }

    fn conditions(&self) -> Result<Conditions, ToolError> {
        let spans = self.window.iter().map(|text| text.parse()).collect::<Result<Vec<_>, SpellingError>>()?;
        let mut conditions = Conditions::default();
        conditions.memfree = self.memfree.as_deref().map(str::parse).transpose()?;
        conditions.load = self.load.as_deref().map(str::parse).transpose()?;
        conditions.diskfree = self.diskfree.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        conditions.window = if spans.is_empty() { None } else { Some(windows(spans)?) };
        conditions.not_before = self.not_before.as_deref().map(start_time).transpose()?;
        Ok(conditions)
    }
}

pub(in crate::mcp) fn wrong(parameter: &'static str, why: impl Display) -> ToolError {
    ToolError::Parameter { parameter, why: why.to_string() }
}

/// Reads `usd=50` or `usd=20/day`.
pub(in crate::mcp) fn budget_of(text: &str) -> Result<(String, Budget), ToolError> {
    let (name, amount) = of_meter("budget", text)?;
    let budget = budget(amount).map_err(|error| wrong("budget", error))?;
    Ok((name.to_owned(), budget))
}

/// Splits `usd=50` into the name of a meter and the rest.
fn of_meter<'t>(parameter: &'static str, text: &'t str) -> Result<(&'t str, &'t str), ToolError> {
    let parts = text.split_once('=').filter(|(name, _)| Meter::is_name(name));
    parts.ok_or_else(|| ToolError::Value { parameter, given: text.to_owned(), example: "usd=50" })
}

/// Reads `20`, or `5%` of all units.
pub(in crate::mcp) fn max_failures(text: &str) -> Result<MaxFailures, ToolError> {
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.parse().ok().filter(|share| (1..=100).contains(share)).map(MaxFailures::Percent),
        None => text.parse().ok().filter(|units| *units > 0).map(MaxFailures::Units),
    };
    read.ok_or_else(|| ToolError::Value { parameter: "max_failures", given: text.to_owned(), example: "20 or 5%" })
}

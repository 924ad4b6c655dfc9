//! How the units of a job are grouped, and what bounds each group, as flags.

use clap::Args;
use job_manager::model::{Groups, Limits, MaxFailures, Rate};

use super::error::CliError;
use super::policy_values;
use crate::settings::values::{group_failures, most};

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct GroupArgs {
    /// Group of each unit, a template such as {customer} or {url/host}: groups take turns, and each has bounds of its own
    #[arg(long, value_name = "TEMPLATE", value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "Pace and bounds")]
    pub group: Option<String>,
    /// Units of a group that run at the same time
    #[arg(long, value_name = "N", value_parser = most, allow_negative_numbers = true, help_heading = "Pace and bounds")]
    pub per_group: Option<usize>,
    /// Attempts at units of a group that may start in a span of time, such as 6/min
    #[arg(long, value_name = "N/TIME", help_heading = "Pace and bounds")]
    pub group_rate: Option<Rate>,
    /// Failed units, or their share, at which the job pauses, or of a group, such as 20/group, at which no more of that group start;
    /// may be given for both
    #[arg(long, value_name = "N|P%|N/group", value_parser = failures, help_heading = "Pace and bounds")]
    pub max_failures: Vec<FailuresValue>,
}

/// A value of `--max-failures`.
#[derive(Debug, Clone, Copy)]
pub(super) enum FailuresValue {
    /// Of the job.
    Job(MaxFailures),
    /// Of each group.
    Group(u64),
}

impl GroupArgs {
    pub fn apply(&self, limits: &mut Limits) -> Result<(), CliError> {
        limits.groups = self.group.as_ref().map(Groups::by);
        for value in &self.max_failures {
            let is_second = match value {
                FailuresValue::Job(most) => limits.max_failures.replace(*most).is_some(),
                FailuresValue::Group(most) => {
                    of_groups(limits, "--max-failures N/group")?.max_failures.replace(*most).is_some()
                }
            };
            if is_second {
                return Err(CliError::GivenTwice("--max-failures".to_owned()));
            }
        }
        if self.per_group.is_some() {
            of_groups(limits, "--per-group")?.most = self.per_group;
        }
        if self.group_rate.is_some() {
            of_groups(limits, "--group-rate")?.rate = self.group_rate;
        }
        Ok(())
    }
}

fn of_groups<'a>(limits: &'a mut Limits, given: &'static str) -> Result<&'a mut Groups, CliError> {
    limits.groups.as_mut().ok_or(CliError::Requires { given, missing: "--group" })
}

/// Reads `20`, `5%` or `20/group`.
pub(super) fn failures(text: &str) -> Result<FailuresValue, String> {
    match text.strip_suffix("/group") {
        Some(units) => group_failures(units).map(FailuresValue::Group),
        None => policy_values::max_failures(text).map(FailuresValue::Job),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_those_of_the_job_or_of_each_group() {
        assert!(matches!(failures("20"), Ok(FailuresValue::Job(MaxFailures::Units(20)))));
        assert!(matches!(failures("20/group"), Ok(FailuresValue::Group(20))));
        for wrong in ["0/group", "5%/group", "/group", "20/host"] {
            assert!(failures(wrong).is_err(), "{wrong}");
        }
    }
}

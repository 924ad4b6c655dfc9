//! What failures mean for a unit and for its job, and how fast units start, as flags.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use job_manager::handler::{ExitCodes, ExitMeaning, ThenSpec, ThenWhen};
use job_manager::model::{FlagIf, Limits, MemorySizes, Sample, TimeLimit, Timeout};

use super::error::CliError;
use super::group_args::GroupArgs;
use super::meter_args::MeterArgs;
use super::{policy_values, values};

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Attempts before a unit is failed permanently [default: 4]
    #[arg(long, value_name = "N", value_parser = values::at_least_one::<u32>, allow_negative_numbers = true, help_heading = "Failures")]
    pub max_attempts: Option<u32>,
    /// Delay before the next attempt, doubled each time, up to the second value
    #[arg(long, value_name = "MIN..MAX", default_value = "1s..5m", value_parser = values::backoff, help_heading = "Failures")]
    pub backoff: (Duration, Duration),
    /// Meaning of exit codes: ok, retry, fail, skip, later:DURATION, busy, pause:DURATION
    #[arg(long, value_name = "CODE=MEANING,…", value_parser = |text: &str| policy_values::exits(text).map(Exits::new), help_heading = "Failures")]
    pub exit: Option<Exits>,
    /// Only these exit codes are worth another attempt
    #[arg(long, value_name = "CODES", value_parser = |text: &str| policy_values::codes(text).map(Codes::new), help_heading = "Failures")]
    pub retry_on: Option<Codes>,
    /// Time that one attempt may take, such as 90s or 1h30m, or a template such as {t}; 0 is no limit
    #[arg(long, value_name = "DURATION|TEMPLATE", help_heading = "Failures")]
    pub timeout: Option<Timeout>,
    /// Time without output, or a word such as `unit-progress`, after which an attempt is ended; 0 is no limit
    #[arg(long, value_name = "DURATION", help_heading = "Failures")]
    pub idle_timeout: Option<TimeLimit>,
    /// Memory limit for all processes of an attempt together; with MAX it doubles, up to that, each time the kernel kills an attempt for want of memory
    #[arg(long, value_name = "SIZE[..MAX]", help_heading = "Failures")]
    pub memory: Option<MemorySizes>,
    /// Script that checks what a successful command has made; a template. Its exit codes mean the same as the command's
    #[arg(long, value_name = "CMD", value_parser = values::not_empty("test -s out"), help_heading = "Failures")]
    pub check: Option<OsString>,
    /// JSON Schema (2020-12) that results satisfy, with --result json
    #[arg(long, value_name = "FILE", help_heading = "Failures")]
    pub schema: Option<PathBuf>,
    /// Time that a unit may wait in all because its attempts were postponed, such as 48h; then it has failed
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = "Failures")]
    pub max_later: Option<Duration>,
    /// Time between TERM and KILL for a unit that has to end
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::kill_after, help_heading = "Failures")]
    pub kill_after: Duration,
    /// Time after which other hosts may have the units of a manager that is not heard of; for a database on a server [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = "Failures")]
    pub lease: Option<Duration>,
    /// Time after its first start at which the job pauses, such as 8h; 0 is no limit
    #[arg(long, value_name = "DURATION", help_heading = "Pace and bounds")]
    pub deadline: Option<TimeLimit>,
    #[command(flatten)]
    pub groups: GroupArgs,
    #[command(flatten)]
    pub meters: MeterArgs,
    /// Run fewer units at a time while the service they call is busy, never fewer than MIN, then more again up to -j
    #[arg(long, value_name = "MIN", value_parser = crate::settings::values::adapt, allow_negative_numbers = true, help_heading = "Pace and bounds")]
    pub adapt: Option<usize>,
    /// Run the first N units and wait for `approve` or `reject`
    #[arg(long, value_name = "N", value_parser = values::at_least_one::<u32>, allow_negative_numbers = true, help_heading = "Pace and bounds")]
    pub canary: Option<u32>,
    /// Draw the units of --canary at random over the whole source; the same seed and source draw the same [default seed: 0]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = policy_values::seed, help_heading = "Pace and bounds")]
    pub sample: Option<u64>,
    /// Flag units for a review whose result makes that true: one path, one comparison, one constant
    #[arg(long, value_name = "COMPARISON", help_heading = "Output and results")]
    pub flag_if: Option<FlagIf>,
    /// Keep flagged results from `results` and --then until `review` has accepted them
    #[arg(long, help_heading = "Output and results")]
    pub hold_flagged: bool,
    /// A unit is skipped when this path exists, and has failed when it did not make it; a template. With {out} in the command it gets
    /// its name only when it is whole
    #[arg(long, value_name = "PATH", help_heading = "The command and its world")]
    pub creates: Option<OsString>,
    /// Keep what an attempt without success left at that path, for commands that continue it; it does not count as made
    #[arg(long, help_heading = "The command and its world")]
    pub keep_partial: bool,
    /// Script that runs as the last unit, with the counts in its environment
    #[arg(long, value_name = "CMD", value_parser = values::not_empty("./send-report"), help_heading = "The job")]
    pub then: Option<OsString>,
    /// When that runs [default: always]
    #[arg(long, value_parser = values::word::<ThenWhen>(["success", "always", "failure"]), help_heading = "The job")]
    pub then_when: Option<ThenWhen>,
}

/// Meanings of exit codes, as one value of a flag.
pub(super) type Exits = std::sync::Arc<BTreeMap<i32, ExitMeaning>>;
/// Exit codes, as one value of a flag.
pub(super) type Codes = std::sync::Arc<Vec<i32>>;

impl PolicyArgs {
    pub fn apply(&self, limits: &mut Limits) -> Result<(), CliError> {
        limits.max_attempts = self.max_attempts.unwrap_or(limits.max_attempts);
        (limits.backoff_base, limits.backoff_cap) = self.backoff;
        limits.set_timeout(self.timeout.clone().unwrap_or_default());
        limits.idle_timeout = self.idle_timeout.and_then(|limit| limit.0);
        limits.memory = self.memory;
        limits.kill_after = self.kill_after;
        limits.lease = self.lease;
        limits.deadline = self.deadline.and_then(|limit| limit.0);
        self.groups.apply(limits)?;
        limits.canary = self.canary;
        if self.sample.is_some() && self.canary.is_none() {
            return Err(CliError::Requires { given: "--sample", missing: "--canary" });
        }
        limits.sample = self.sample.map(Sample::new);
        (limits.flag_if, limits.hold_flagged) = (self.flag_if.clone(), self.hold_flagged);
        (limits.max_later, limits.adapt) = (self.max_later, self.adapt);
        self.meters.apply(limits)
    }

    /// Returns what exit codes mean.
    ///
    /// # Errors
    /// When a code is to be tried again by one of the two options and not by the other.
    pub fn exit_codes(&self) -> Result<ExitCodes, CliError> {
        if let (Some(exits), Some(retried)) = (&self.exit, &self.retry_on) {
            let is_retry = |meaning: &ExitMeaning| matches!(meaning, ExitMeaning::Retry);
            if let Some((code, _)) = exits.iter().find(|(code, meaning)| retried.contains(code) != is_retry(meaning)) {
                return Err(CliError::ExitCodeTwice { code: *code });
            }
        }
        let mut codes = ExitCodes::default();
        for code in self.retry_on.iter().flat_map(|codes| codes.iter()) {
            codes.meanings.insert(*code, ExitMeaning::Retry);
        }
        codes.others_fail = self.retry_on.is_some();
        codes.meanings.extend(self.exit.iter().flat_map(|exits| exits.iter()));
        Ok(codes)
    }

    pub fn then(&self) -> Result<Option<ThenSpec>, CliError> {
        if self.then.is_none() && self.then_when.is_some() {
            return Err(CliError::Requires { given: "--then-when", missing: "--then" });
        }
        let when = self.then_when.unwrap_or(ThenWhen::Always);
        Ok(self.then.clone().map(|script| ThenSpec { script: script.into(), when }))
    }
}

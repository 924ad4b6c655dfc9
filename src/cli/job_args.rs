//! How a job's units run, as flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values;
use crate::model::{Limits, OnInterrupt};

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// Units that run at the same time: a number, or a percentage of the processors
    #[arg(short = 'j', long, value_name = "N", value_parser = values::workers)]
    pub workers: Option<usize>,
    /// Name of the job [default: the name of the command]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// The same key twice is the same job
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub key: Option<String>,
    /// Template of a name for each unit, unique in the job
    #[arg(long, value_name = "TEMPLATE")]
    pub unit_key: Option<String>,
    /// Working directory of the units [default: this one]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Variable for the units; without a value it is taken from this environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<String>,
    /// The command is one script for /bin/sh; placeholders are quoted
    #[arg(long)]
    pub shell: bool,
    /// What units read from standard input
    #[arg(long, value_enum, default_value_t = Stdin::Null)]
    pub stdin: Stdin,
    /// What is kept of the output of units
    #[arg(long, value_enum, default_value_t = KeptOutput::Tail)]
    pub output: KeptOutput,
    /// Attempts before a unit is failed for good
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_attempts, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_attempts: u32,
    /// Delay before the next attempt, doubled each time, up to the second value
    #[arg(long, value_name = "MIN..MAX", default_value = "1s..5m", value_parser = values::backoff)]
    pub backoff: (Duration, Duration),
    /// Time that one attempt may take
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub timeout: Option<Duration>,
    /// Time between TERM and KILL for a unit that has to end
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = values::duration)]
    pub kill_after: Duration,
    /// What becomes of a unit that ran when its manager died: run it again, or fail it
    #[arg(long, value_enum, default_value_t = Interrupted::Retry)]
    pub on_interrupt: Interrupted,
    /// Print the first N commands and create nothing
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10")]
    pub dry_run: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Stdin {
    Null,
    Payload,
    Item,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum KeptOutput {
    None,
    Tail,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Interrupted {
    Retry,
    Fail,
}

impl JobArgs {
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.workers = self.workers.unwrap_or(limits.workers);
        limits.max_attempts = self.max_attempts;
        (limits.backoff_base, limits.backoff_cap) = self.backoff;
        limits.timeout = self.timeout;
        limits.kill_after = self.kill_after;
        limits.on_interrupt = match self.on_interrupt {
            Interrupted::Retry => OnInterrupt::Retry,
            Interrupted::Fail => OnInterrupt::Fail,
        };
        limits
    }
}

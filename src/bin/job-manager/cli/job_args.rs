//! How a job's units run, as flags.

use std::ffi::OsString;
use std::num::NonZeroU32;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use job_manager::handler::{NotifyTo, OutputMode, ResultMode, StdinMode};
use job_manager::model::{Isolation, Limits, OnHostLoss, OnInterrupt};
use job_manager::submission::Several;

use super::config::Config;
use super::error::CliError;
use super::policy_args::PolicyArgs;
use super::start_args::StartArgs;
use super::values;

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// Units that run at the same time: a number, or a percentage of the processors
    #[arg(short = 'j', long, value_name = "N", value_parser = values::workers, allow_negative_numbers = true, help_heading = "The job")]
    pub workers: Option<usize>,
    /// Items per unit; `{}` becomes one argument for each of them
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "commands", value_parser = values::at_least_one::<NonZeroU32>, allow_negative_numbers = true, help_heading = "Sources")]
    pub items_per_unit: Option<NonZeroU32>,
    /// As many items per unit as the system takes in one command, with -n at most N
    #[arg(short = 'X', long, conflicts_with = "commands", help_heading = "Sources")]
    pub fill: bool,
    /// Name of the job [default: the name of the command]
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "The job")]
    pub name: Option<String>,
    /// Word about the job, by which `list` finds it; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::label, help_heading = "The job")]
    pub label: Vec<(String, String)>,
    /// The same key and command twice is the same job
    #[arg(long, visible_alias = "job-key", value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "The job")]
    pub key: Option<String>,
    /// Template of the key of each unit, unique in the job
    #[arg(long, value_name = "TEMPLATE", help_heading = "The command and its world")]
    pub unit_key: Option<OsString>,
    /// Working directory of the units, a template [default: this one]
    #[arg(long, value_name = "DIR", value_parser = values::not_empty("."), help_heading = "The command and its world")]
    pub cwd: Option<OsString>,
    /// Variable for the units, its value a template, besides those of this environment; without a value it is taken from
    /// here. Secrets, such as API_KEY, are passed by name and taken from the environment of whoever starts the job
    #[arg(long, value_name = "NAME[=VALUE]", help_heading = "The command and its world")]
    pub env: Vec<OsString>,
    /// Give units these variables of this environment only, besides those of --env; all but secrets are kept in the
    /// database
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',', help_heading = "The command and its world")]
    pub env_only: Option<Vec<OsString>>,
    /// The command is one script for /bin/sh; placeholders are quoted
    #[arg(long, conflicts_with = "commands", help_heading = "The command and its world")]
    pub shell: bool,
    /// Shell for --shell, --commands, --then and --check, such as bash, instead of /bin/sh
    #[arg(long, value_name = "SHELL", value_parser = values::not_empty("bash"), help_heading = "The command and its world")]
    pub shell_path: Option<OsString>,
    /// What units read from standard input
    #[arg(long, default_value_t, value_parser = values::word::<StdinMode>(["null", "payload", "item"]), help_heading = "The command and its world")]
    pub stdin: StdinMode,
    /// What is kept of the output of units [default: tail, or full where `run` prints it]
    #[arg(long, value_parser = values::word::<OutputMode>(["none", "tail", "full"]), help_heading = "Output and results")]
    pub output: Option<OutputMode>,
    /// Directory for files with the output of each attempt, SEQ.ATTEMPT.out and .err
    #[arg(long, value_name = "DIR", help_heading = "Output and results")]
    pub output_dir: Option<OsString>,
    /// What becomes the result of a unit: all of its output as a text, or as one JSON document; without it the output as it is kept
    #[arg(long, value_parser = result_mode(), help_heading = "Output and results")]
    pub result: Option<ResultMode>,
    /// What becomes of a unit that ran when its manager died: run it again, or fail it
    #[arg(long, default_value_t = OnInterrupt::Retry, value_parser = values::word::<OnInterrupt>(["retry", "fail"]), help_heading = "Failures")]
    pub on_interrupt: OnInterrupt,
    /// What becomes of the units of a host that is not heard of any more: other hosts run them, or they wait until it is back
    #[arg(long, default_value_t = OnHostLoss::Retry, value_parser = values::word::<OnHostLoss>(["retry", "wait"]), help_heading = "Failures")]
    pub on_host_loss: OnHostLoss,
    /// No unit runs twice: one attempt, recorded before it starts
    #[arg(long, conflicts_with_all = ["max_attempts", "on_interrupt", "retry_on", "backoff"], help_heading = "Failures")]
    pub at_most_once: bool,
    /// Print the first N commands and create nothing
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = values::DRY_RUN, value_parser = values::dry_run, help_heading = "The job")]
    pub dry_run: Option<usize>,
    /// No unit starts before that job has completed
    #[arg(long, value_name = "JOB", help_heading = "The job")]
    pub after: Option<String>,
    /// Program to run when a unit fails and when the job ends or pauses; the event is its first argument
    #[arg(long, value_name = "CMD", help_heading = "The job")]
    pub hook: Option<OsString>,
    /// Notify the desktop, or POST to a URL, at the first failed unit and when the job ends or pauses
    #[arg(long, value_name = "desktop|URL", help_heading = "The job")]
    pub notify: Option<NotifyTo>,
    #[command(flatten, next_help_heading = "Survival")]
    pub isolation: IsolationArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub start: StartArgs,
}

/// What the job's managers are isolated from.
#[derive(Debug, Args)]
pub(super) struct IsolationArgs {
    /// Start the manager without the variables by which a CI runner ends, with a build, all that the build has started
    #[arg(long)]
    pub escape_ci: bool,
    /// Start the manager in a systemd scope of its own, which a stop of the service that starts it does not reach
    #[arg(long)]
    pub scope: bool,
}

/// Reads what becomes the result; databases have other words for it.
fn result_mode() -> impl TypedValueParser<Value = ResultMode> {
    PossibleValuesParser::new(["text", "json"])
        .map(|word| if word == "json" { ResultMode::Json } else { ResultMode::Text })
}

impl IsolationArgs {
    pub fn isolation(&self) -> Isolation {
        let mut isolation = Isolation::default();
        isolation.escape_ci = self.escape_ci;
        isolation.scope = self.scope;
        isolation
    }
}

impl JobArgs {
    /// Returns how many items a unit has, when that is more than one.
    pub fn several(&self) -> Option<Several> {
        let at_most = self.items_per_unit;
        let is_one = at_most.map_or(!self.fill, |most| most.get() == 1);
        (!is_one).then_some(Several { at_most, as_fit: self.fill })
    }

    /// Returns the limits; the file of defaults says what no option does.
    pub fn limits(&self, config: &Config) -> Result<Limits, CliError> {
        let mut limits = Limits::default();
        limits.workers = config.workers.as_ref().map_or(limits.workers, |workers| workers.value);
        limits.max_attempts = config.max_attempts.as_ref().map_or(limits.max_attempts, |attempts| attempts.value);
        limits.workers = self.workers.unwrap_or(limits.workers);
        self.policy.apply(&mut limits)?;
        limits.slots = self.start.slots.clone();
        limits.start = self.start.conditions()?;
        (limits.on_interrupt, limits.on_host_loss) = (self.on_interrupt, self.on_host_loss);
        if self.at_most_once {
            limits.set_at_most_once();
        }
        Ok(limits)
    }
}

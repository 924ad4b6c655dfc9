//! The verbs, one file each, and the tree of arguments that they make up.

mod add;
mod approve;
mod cancel;
mod completions;
mod config;
mod copy;
mod create;
mod doctor;
mod explain;
mod failures;
mod help;
mod kill;
mod list;
mod logs;
mod man;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "serve")]
mod metrics;
mod prune;
mod recover;
mod reject;
mod report;
mod results;
mod resume;
mod retry;
mod review;
mod rm;
mod run;
mod scale;
#[cfg(feature = "serve")]
mod serve;
pub(super) mod service;
mod set;
mod skip;
mod start;
mod status;
mod stop;
mod submit;
mod sync;
#[cfg(feature = "top")]
mod top;
mod unit;
mod unit_add;
mod unit_checkpoint;
mod unit_flag;
mod unit_later;
mod unit_progress;
mod unit_result;
mod unit_spend;
mod units;
mod wait;
mod watch;
mod work;

use clap::{Command, Parser, Subcommand};

use super::{CliError, Exit, Global, Output};

/// Runs batches in a detached process that survives the death of whoever asked for them.
#[derive(Debug, Parser)]
#[command(
    name = "job-manager",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = false
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Returns `true` if managers may be started from this process.
    pub fn starts_managers(&self) -> bool {
        match &self.verb {
            Verb::Submit(_) | Verb::Run(_) | Verb::Start(_) | Verb::Resume(_) => true,
            Verb::Recover(_) | Verb::Approve(_) | Verb::Review(_) | Verb::Work(_) => true,
            Verb::Retry(retry) => !retry.no_start,
            #[cfg(feature = "top")]
            Verb::Top(_) => true,
            #[cfg(feature = "serve")]
            Verb::Serve(_) => true,
            #[cfg(feature = "mcp")]
            Verb::Mcp(_) => true,
            _ => false,
        }
    }

    /// Refuses to answer with a document where there is none.
    pub fn expect_document(&self) -> Result<(), CliError> {
        match &self.verb {
            Verb::Help(_) => Err(CliError::NoDocument("help is text for people")),
            Verb::Completions(_) => Err(CliError::NoDocument("completions are a script for the shell")),
            #[cfg(feature = "serve")]
            Verb::Metrics(_) => Err(CliError::NoDocument("metrics are text for Prometheus")),
            Verb::Man(_) => Err(CliError::NoDocument("manual pages are text for `man`")),
            Verb::Report(_) => {
                Err(CliError::NoDocument("a report is a page for people, and `status` answers with documents"))
            }
            Verb::Results(results) => results.table().map_or(Ok(()), |why| Err(CliError::NoDocument(why))),
            _ => Ok(()),
        }
    }

    /// Returns `true` if the answer is to be JSON.
    pub fn wants_json(&self) -> bool {
        let submission = match &self.verb {
            Verb::Submit(verb) => &verb.submission,
            Verb::Run(verb) => &verb.submission,
            Verb::Create(verb) => &verb.submission,
            _ => return self.global.wants_json(),
        };
        submission.source.wants_json()
    }
}

/// Makes the tree of arguments and the groups of its help from a table of verbs: each is a module with a struct and a
/// function of its name.
macro_rules! verbs {
    (($global:ident, $output:ident, $command:ident) $($group:literal {
        $($(#[$cfg:meta])* $verb:ident => $module:ident $(with $extra:ident)?,)+
    })+) => {
        #[derive(Debug, Subcommand)]
        pub(super) enum Verb {
            $($($(#[$cfg])* $verb($module::$verb),)+)+
        }

        impl Verb {
            /// Names the verbs by what they are for, as modules are named.
            pub const GROUPS: &[(&str, &[&str])] = &[$(($group, &[$(stringify!($module)),+])),+];

            /// Does what was asked; `command` returns the whole command line, for those that explain it.
            pub fn run(
                &self,
                $global: &Global,
                $output: &mut Output,
                $command: fn() -> Command,
            ) -> Result<Exit, CliError> {
                match self {
                    $($($(#[$cfg])* Self::$verb(args) => $module::$module($global, args, $output $(, $extra())?).map(Exit::from),)+)+
                }
            }
        }
    };
}

verbs! { (global, output, command)
    "Start and follow" {
        Submit => submit,
        Run => run,
        Create => create,
        Start => start,
        Wait => wait,
        Watch => watch,
        Work => work,
        #[cfg(feature = "top")] Top => top,
    }
    "Look" {
        List => list,
        Status => status,
        Units => units,
        Unit => unit,
        Logs => logs,
        Results => results,
        Failures => failures,
        Report => report,
        Explain => explain,
    }
    "Steer" {
        Stop => stop,
        Resume => resume,
        Scale => scale,
        Set => set,
        Approve => approve,
        Reject => reject,
        Cancel => cancel,
        Kill => kill,
    }
    "Repair and clean up" {
        Retry => retry,
        Review => review,
        Skip => skip,
        Add => add,
        Sync => sync,
        Recover => recover,
        Copy => copy,
        Rm => rm,
        Prune => prune,
    }
    "Serve" {
        #[cfg(feature = "serve")] Serve => serve,
        #[cfg(feature = "serve")] Metrics => metrics,
        #[cfg(feature = "mcp")] Mcp => mcp,
        Service => service,
    }
    "From inside a unit" {
        UnitProgress => unit_progress,
        UnitCheckpoint => unit_checkpoint,
        UnitFlag => unit_flag,
        UnitLater => unit_later,
        UnitResult => unit_result,
        UnitSpend => unit_spend,
        UnitAdd => unit_add,
    }
    "Help" {
        Help => help with command,
        Doctor => doctor,
        Config => config,
        Completions => completions,
        Man => man with command,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

//! `help`: a verb or a topic explained.

use std::io::Write;

use clap::{Args, Command};

use crate::cli::topics;
use crate::cli::{CliError, Global, Output};

/// Explain a verb or a topic: placeholders, exit-codes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager help placeholders")]
pub struct Help {
    /// Verb or topic; without one all verbs are listed
    #[arg(value_name = "VERB|TOPIC")]
    pub about: Option<String>,
}

/// Prints the help of a verb of `command`, or of a topic.
pub fn help(_: &Global, args: &Help, _: &mut Output, mut command: Command) -> Result<(), CliError> {
    command.build();
    let text = match args.about.as_deref() {
        None => command.render_long_help().ansi().to_string(),
        Some(about) => match (topics::text(about), command.find_subcommand_mut(about)) {
            (Some(topic), _) => topic,
            (None, Some(verb)) => verb.render_long_help().ansi().to_string(),
            (None, None) => return Err(CliError::NoTopic(about.to_owned())),
        },
    };
    let mut out = anstream::stdout();
    writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()).map_err(CliError::Output)
}

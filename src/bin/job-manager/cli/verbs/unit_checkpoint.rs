//! `unit-checkpoint`: a command keeps a value for the next attempt at its unit.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use job_manager::model::RawText;

use crate::cli::inside::{Inside, json_or_text};
use crate::cli::{CliError, Global, Output};

/// Keep a value, from inside a unit's command, for the next attempt at the unit, or get what was kept
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager unit-checkpoint put 'page 7'")]
pub struct UnitCheckpoint {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Keep a value; durable when this returns
    Put {
        /// A JSON document, or any text
        value: OsString,
    },
    /// Print what was kept last
    Get,
}

pub fn unit_checkpoint(global: &Global, args: &UnitCheckpoint, output: &mut Output) -> Result<(), CliError> {
    let Inside { job, seq, attempt } = Inside::new()?;
    match &args.action {
        Action::Put { value } => {
            let value = json_or_text(value)?;
            global.open_client()?.keep_checkpoint(job, seq, attempt, &value)?;
            Ok(())
        }
        Action::Get => match global.read_client()?.unit_notes(job, seq)?.checkpoint {
            Some(kept) => {
                // A text is printed as it was given, byte for byte.
                match RawText::of_json(&kept) {
                    Some(text) => output.bytes(&[text.as_bytes(), b"\n"].concat())?,
                    None => output.line(serde_json::from_str::<String>(&kept).unwrap_or(kept))?,
                }
                Ok(())
            }
            None => Err(CliError::NothingKept),
        },
    }
}

//! `copy`: copy a job into another database.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use job_manager::client::{ClientError, CopySource, check_path};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Copy a job that is not running into another database, under a new uid
///
/// The copy has the units in their present states, with their attempts, results and tails of output, and can be run there.
/// Complete outputs and logs stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager copy photos --to photos.db")]
pub struct Copy {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// The other database; it is made if there is none
    #[arg(long, value_name = "DB", value_parser = OsStringValueParser::new().try_map(path))]
    pub to: PathBuf,
    /// Cancel the job here, so that what is left runs in the copy only
    #[arg(long)]
    pub cancel_source: bool,
}

pub fn copy(global: &Global, args: &Copy, output: &mut Output) -> Result<(), CliError> {
    // Before anything repeats it: a URL may hold a password.
    check_path(&args.to).map_err(ClientError::from)?;
    #[cfg(feature = "postgres")]
    crate::cli::args::refuse_password("--to", &args.to)?;
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let source = if args.cancel_source { CopySource::Cancel } else { CopySource::Keep };
    let copied = client.copy_job(job, &args.to, source)?;
    let path = args.to.display();
    let document = json!({
        "schema": 1, "job": { "id": copied.job, "uid": copied.uid }, "database": path.to_string(), "units": copied.units,
        "copied_from": client.job(job)?.uid, "source_cancelled": copied.source_cancelled,
    });
    let units = counted(copied.units, "unit");
    output.answer(&document, copied.job, format_args!("job {} in {path}: {units}", copied.job))?;
    if copied.source_cancelled {
        output.hint(format_args!("job {job} is cancelled here"));
    }
    Ok(())
}

fn path(given: OsString) -> Result<PathBuf, &'static str> {
    if given.is_empty() { Err("it is empty, give a path") } else { Ok(given.into()) }
}

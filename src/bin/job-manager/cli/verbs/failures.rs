//! `failures`: why units failed, by kind.

use clap::Args;
use job_manager::failures::FailureCluster;

use job_manager::text::quote_for_shell;

use crate::cli::table::table;
use crate::cli::text::{one_line, shortened};
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output, values};

const TEXT_WIDTH: usize = 70;

/// Group failed units by why they failed
///
/// What differs from unit to unit, such as numbers, paths and ids, is masked. `retry` and `skip` take the id of a
/// cluster.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager failures photos")]
pub struct Failures {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Units of that group
    #[arg(long, value_name = "GROUP", value_parser = values::unit_key(), help_heading = "Filter")]
    pub group: Option<String>,
}

pub fn failures(global: &Global, args: &Failures, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let report = client.failure_report(job, args.group.as_deref())?;
    if output.json {
        return output.document(&report);
    }
    let clusters = report.clusters;
    if output.quiet {
        for id in clusters.iter().filter_map(|cluster| cluster.id) {
            output.line(id)?;
        }
        return Ok(());
    }
    output.line(table(
        &["CLUSTER", "UNITS", "FIRST", "LAST", "CAUSE", "ERROR"],
        &[1, 2, 3],
        clusters.iter().map(row),
    ))?;
    if let Some(retrying) = &report.retrying {
        output.line(one_line(&retrying.to_string()))?;
        output.hint(format_args!("`job-manager units {job} --status pending` lists them"));
    }
    if let Some((id, first)) = clusters.first().and_then(|cluster| Some((cluster.id?, cluster.first))) {
        let group = args
            .group
            .as_deref()
            .map(|group| format!(" --group {}", quote_for_shell(group.as_bytes())))
            .unwrap_or_default();
        output.hint(format_args!(
            "`job-manager unit {job}:{first}` shows one, `job-manager retry {job} --cluster {id}{group}` tries all like it again"
        ));
    }
    Ok(())
}

fn row(cluster: &FailureCluster) -> Vec<String> {
    vec![
        cluster.id.map(|id| id.to_string()).unwrap_or_default(),
        cluster.count.to_string(),
        cluster.first.to_string(),
        cluster.last.to_string(),
        cluster.cause.to_string(),
        shortened(&cluster.text, TEXT_WIDTH),
    ]
}

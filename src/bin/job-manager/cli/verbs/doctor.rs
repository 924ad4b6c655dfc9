//! `doctor`: what could hurt here.

use std::path::{Path, PathBuf};

use clap::Args;
use job_manager::client::{Client, ClientError};
#[cfg(feature = "postgres")]
use job_manager::client::{is_address, without_password};
use job_manager::doctor::{Finding, Remedy, Severity, examine};
use serde_json::json;

use crate::cli::next_step::next_step;
use crate::cli::text::one_line;
use crate::cli::{CliError, Exit, Global, Output};

/// Look for what could hurt here: the database, its disk, limits of this machine
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager doctor")]
pub struct Doctor {
    /// Bring a database of an older version up to date before
    #[arg(long)]
    pub migrate: bool,
    /// Print what an administrator of PostgreSQL has to run where this user may not make the tables
    #[arg(long, conflicts_with = "migrate")]
    pub sql: bool,
}

pub fn doctor(global: &Global, args: &Doctor, output: &mut Output) -> Result<Exit, CliError> {
    if args.sql {
        return sql(global, output);
    }
    if args.migrate {
        global.open_client()?;
    }
    let path = global.db_path()?;
    let findings: Vec<Finding> = examine(&path).into_iter().map(with_remedy).collect();
    if output.json {
        output.document(&json!({ "schema": 1, "db": shown(&path), "findings": findings }))?;
    } else {
        for finding in &findings {
            output.line(format_args!(
                "{:<5} {:<10} {}",
                finding.severity.word(),
                finding.about,
                one_line(&finding.message)
            ))?;
        }
    }
    if let Err(error @ ClientError::Store(_)) = Client::open_to_read(&path)
        && let Some(next) = next_step(&error)
    {
        output.hint(next);
    }
    let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if broken { Exit::Database } else { Exit::Success })
}

/// Returns the database as people may see it: a URL may have a password in it.
fn shown(db: &Path) -> Option<PathBuf> {
    #[cfg(feature = "postgres")]
    if is_address(db) {
        return without_password(db).map(PathBuf::from);
    }
    Some(db.to_owned())
}

fn sql(global: &Global, output: &mut Output) -> Result<Exit, CliError> {
    let path = global.db_path()?;
    #[cfg(feature = "postgres")]
    let sql = Client::sql_for_administrators_of(&path)?;
    #[cfg(not(feature = "postgres"))]
    let sql: Option<String> = None;
    let Some(sql) = sql else { return Err(CliError::NotOnServer(path)) };
    if output.json {
        output.document(&json!({ "schema": 1, "sql": sql }))?;
    } else {
        output.line(sql.trim_end())?;
    }
    Ok(Exit::Success)
}

/// Adds the verb or the option that helps.
fn with_remedy(mut finding: Finding) -> Finding {
    if let Some(Remedy::Delete(job)) = finding.remedy {
        finding.message.push_str(&format!(", or `rm {job}` deletes the job"));
    }
    finding.message.push_str(match finding.remedy {
        Some(Remedy::EndOrphans) => "; `recover --all` ends them",
        Some(Remedy::EndStrays) => "; the next start of a job, or `kill`, ends them",
        Some(Remedy::Continue) => "; `recover --all` continues them",
        Some(Remedy::StartOrDelete) => "; `recover --created` starts them, `rm` deletes one",
        Some(Remedy::LimitMachineAgain) => "; `scale --machine N` sets another",
        Some(Remedy::LimitMachine) => "; `scale --machine N` sets one",
        Some(Remedy::OwnScope) => ": create jobs with --scope, or give the service KillMode=process",
        Some(Remedy::RecoverInContainer) => ": keep the database outside of it, and run `recover --all` when it starts",
        _ => "",
    });
    finding
}

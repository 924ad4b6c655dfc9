//! `serve`: a dashboard and metrics on this machine.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::json;

use crate::cli::values;
use crate::cli::{CliError, Global, Output};
use crate::dashboard::Dashboard;

/// Serve a dashboard and /metrics, on this machine only, until Ctrl-C
///
/// The printed address signs a browser in until the dashboard ends. Anyone who has it can do with your jobs what you can.
/// Programs send the token from `jobs.db.d/dashboard.token`, which does not change, as `Authorization: Bearer TOKEN`. With
/// --read-only the token is the one in `jobs.db.d/dashboard.read-only.token`, and neither it nor the address can change anything.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager serve --read-only")]
pub struct Serve {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 7878, value_parser = |text: &str| values::whole(text, 0, u16::MAX), allow_negative_numbers = true)]
    pub port: u16,
    /// Show everything and change nothing, with a token of its own
    #[arg(long)]
    pub read_only: bool,
}

pub fn serve(global: &Global, args: &Serve, output: &mut Output) -> Result<(), CliError> {
    let dashboard = Dashboard::open(&global.db_path()?, args.port, args.read_only)?;
    // Before anybody can read the address, so that whoever has it can also end this in the proper way.
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(CliError::Signals)?;
    }
    let (url, address, token) = (dashboard.url(), dashboard.address(), dashboard.token());
    if output.json {
        output.document(&json!({
            "schema": 1, "url": url, "address": address, "token": token, "read_only": args.read_only,
        }))?;
    } else if output.quiet {
        output.line(&url)?;
    } else {
        output.line(format_args!("dashboard at {url}"))?;
        output.hint(match args.read_only {
            true => "anyone with this address can see all jobs; Ctrl-C ends the dashboard, not the jobs",
            false => {
                "anyone with this address can do with the jobs what you can; Ctrl-C ends the dashboard, not the jobs"
            }
        });
    }
    dashboard.serve(&stop)?;
    Ok(())
}

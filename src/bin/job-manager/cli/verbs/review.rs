//! `review`: a person decides about units that completed and are doubtful.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin, stdout};

use clap::Args;
use job_manager::client::{Client, ClientError, FlagRefused, StoreError};
use job_manager::model::{JobId, JobStatus, Seq, UnitDetail, UnitFilter};
use job_manager::text::{counted, printable};
use serde::Serialize;

use crate::cli::filter::ItemArgs;
use crate::cli::secret_args::SecretArgs;
use crate::cli::table::table;
use crate::cli::text::{one_line, shortened};
use crate::cli::verbs::units::shown_item;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output, policy_values, values};

const WIDTH: usize = 50;

/// Look at units that completed and are flagged, and accept each or have it done again
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager review letters --accept --match '^2024/'")]
pub struct Review {
    #[command(flatten)]
    pub job: JobArg,
    /// The unit of that key
    #[arg(long, value_name = "KEY", value_parser = values::unit_key(), help_heading = "Filter")]
    pub key: Option<String>,
    #[command(flatten)]
    pub filter: ItemArgs,
    /// Accept all that are selected
    #[arg(long, conflicts_with = "redo")]
    pub accept: bool,
    /// Have all that are selected done again, by units that replace them
    #[arg(long)]
    pub redo: bool,
    /// What to say about the decision; a unit that does it again has it in JOB_MANAGER_LAST_ERROR
    #[arg(long, value_name = "TEXT", value_parser = values::not_empty("the date is missing"))]
    pub note: Option<std::ffi::OsString>,
    /// Look at that share of the units that completed and are not flagged, drawn at random
    #[arg(long, value_name = "SHARE", value_parser = policy_values::share)]
    pub sample: Option<f64>,
    /// What that draw follows from
    #[arg(long, value_name = "N", default_value_t = 0, requires = "sample")]
    pub seed: u64,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

/// What was decided.
#[derive(Debug, Serialize)]
struct Reviewed {
    schema: u32,
    job: JobId,
    accepted: Vec<Seq>,
    redone: Vec<Seq>,
    /// Units that do it again.
    added: Vec<Seq>,
    /// Flagged units that nobody has decided about.
    undecided: u64,
}

/// Units to decide about.
#[derive(Debug, Serialize)]
struct ToReview {
    schema: u32,
    job: JobId,
    units: Vec<UnitToReview>,
}

#[derive(Debug, Serialize)]
struct UnitToReview {
    flag: Option<String>,
    #[serde(flatten)]
    unit: UnitDetail,
}

pub fn review(global: &Global, args: &Review, output: &mut Output) -> Result<(), CliError> {
    let walks = !args.accept && !args.redo && !output.json && stdin().is_terminal() && stdout().is_terminal();
    let decides = walks || args.accept || args.redo;
    let client = if decides { global.open_client()? } else { global.read_client()? };
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    let filter = UnitFilter { key: args.key.clone(), ..args.filter.filter() };
    let seqs = match (args.sample, args.filter.only().filter(|_| args.key.is_none())) {
        (Some(share), _) => client.sample_to_review(job, &filter, share, args.seed)?,
        // Flagged or not: somebody has named it.
        (None, Some(seq)) => vec![seq],
        (None, None) => client.units_to_review(job, &filter)?,
    };
    if seqs.is_empty() && decides && (args.key.is_some() || !args.filter.is_empty()) {
        return Err(ClientError::NoUnitFits { job }.into());
    }
    if !decides {
        return show(&client, job, &seqs, output);
    }
    let before = client.job(job)?;
    client.check_reviewed_start(&before)?;
    let note = args.note.as_ref().map(|note| note.to_string_lossy().into_owned());
    let mut reviewed =
        Reviewed { schema: 1, job, accepted: Vec::new(), redone: Vec::new(), added: Vec::new(), undecided: 0 };
    if args.accept {
        client.accept_units(job, &seqs, note.as_deref())?;
        reviewed.accepted = seqs;
    } else if args.redo {
        reviewed.added = client.redo_units(job, &seqs, note.as_deref())?;
        reviewed.redone = seqs;
    } else {
        walk(&client, job, &seqs, note.as_deref(), &mut reviewed)?;
    }
    let is_decided = !reviewed.accepted.is_empty() || !reviewed.redone.is_empty();
    if is_decided && client.start_reviewed(&before)?.is_none() && client.job(job)?.status == JobStatus::Paused {
        output.hint(format_args!("job {job} is paused, `job-manager explain {job}` says why"));
    }
    reviewed.undecided = client.undecided(job)?;
    if output.json {
        return output.document(&reviewed);
    }
    let Reviewed { accepted, redone, undecided, .. } = &reviewed;
    let (accepted, redone) = (counted(accepted.len(), "unit"), counted(redone.len(), "unit"));
    output.line(format_args!("{accepted} accepted, {redone} to be done again, {undecided} undecided"))
}

/// Lists the units, where nobody can be asked.
fn show(client: &Client, job: JobId, seqs: &[Seq], output: &mut Output) -> Result<(), CliError> {
    let unit = |seq: &Seq| {
        let flag = client.flag(job, *seq)?.map(|flag| flag.text);
        Ok::<_, ClientError>(UnitToReview { flag, unit: client.unit(job, *seq)? })
    };
    let units = seqs.iter().map(unit).collect::<Result<Vec<_>, _>>()?;
    if output.json {
        return output.document(&ToReview { schema: 1, job, units });
    }
    if output.quiet {
        return seqs.iter().try_for_each(|seq| output.line(seq));
    }
    let row = |found: &UnitToReview| {
        let item = shortened(&shown_item(&found.unit.payload), WIDTH);
        let flag = shortened(found.flag.as_deref().unwrap_or_default(), WIDTH);
        vec![found.unit.seq.to_string(), item, flag, shortened(&said(&found.unit), WIDTH)]
    };
    output.line(table(&["SEQ", "ITEM", "FLAG", "RESULT"], &[0], units.iter().map(row)))?;
    if !seqs.is_empty() {
        output.hint("--accept or --redo decides about them, and a terminal shows one after the other");
    }
    Ok(())
}

/// Shows one unit after the other, and asks about each.
fn walk(
    client: &Client,
    job: JobId,
    seqs: &[Seq],
    note: Option<&str>,
    reviewed: &mut Reviewed,
) -> Result<(), CliError> {
    for (place, seq) in seqs.iter().enumerate() {
        let unit = client.unit(job, *seq)?;
        let flag = client.flag(job, *seq)?.map_or_else(|| "not flagged".to_owned(), |flag| flag.text);
        let mut out = stdout().lock();
        writeln!(out, "\nunit {seq} ({} of {})", place + 1, seqs.len())?;
        writeln!(out, "item      {}", printable(&shown_item(&unit.payload)))?;
        writeln!(out, "flag      {}", one_line(&flag))?;
        writeln!(out, "result\n{}", printable(&said(&unit)))?;
        drop(out);
        let decided = match ask("[a]ccept, [r]edo, [s]kip or [q]uit? ", &["a", "r", "s", "q"])?.as_str() {
            "a" => client.accept_units(job, &[*seq], note).map(|()| reviewed.accepted.push(*seq)),
            "r" => {
                let said = match note {
                    Some(note) => Some(note.to_owned()),
                    None => Some(answer("what is wrong, for the next attempt? ")?).filter(|said| !said.is_empty()),
                };
                client.redo_units(job, &[*seq], said.as_deref()).map(|added| {
                    reviewed.redone.push(*seq);
                    reviewed.added.extend(added);
                })
            }
            "s" => continue,
            _ => return Ok(()),
        };
        match decided {
            // Somebody else reviews them too.
            Err(ClientError::Store(StoreError::FlagRefused(refused @ FlagRefused::Decided { .. }))) => {
                writeln!(stderr(), "{refused}")?;
            }
            decided => decided?,
        }
    }
    Ok(())
}

/// Asks until one of the letters is the answer; the end of the input is the last of them.
fn ask(question: &str, letters: &[&str]) -> Result<String, CliError> {
    loop {
        let answer = answer(question)?;
        if let Some(letter) = letters.iter().find(|letter| answer.to_lowercase().starts_with(**letter)) {
            return Ok((*letter).to_owned());
        }
    }
}

fn answer(question: &str) -> Result<String, CliError> {
    let mut stderr = stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut answer = String::new();
    match stdin().lock().read_line(&mut answer)? {
        // Nobody is there any more.
        0 => Ok("quit".to_owned()),
        _ => Ok(answer.trim().to_owned()),
    }
}

/// Returns what a unit says: its result, or the end of its output.
fn said(unit: &UnitDetail) -> String {
    match (&unit.result, &unit.output.stdout) {
        (Some(json), _) => shown_item(json),
        (None, Some(stdout)) => stdout.to_string_lossy().trim_end().to_owned(),
        (None, None) => String::new(),
    }
}

//! `units`: the units of a job, page by page.

use clap::Args;
use job_manager::client::{ClientError, StoreError};
use job_manager::model::{Flagged, RawText, Seq, Timestamp, UnitDetail, UnitFilter, UnitOrder, UnitStatus, Unreadable};

use crate::cli::filter::FilterArgs;
use crate::cli::output::SEARCH_TIMEOUT;
use crate::cli::table::fitting;
use crate::cli::text::{of_column, one_line, span};
use crate::cli::values;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};
use crate::results::item;

/// List units of a job
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager units photos --failed")]
pub struct Units {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Units that completed and are flagged for a review, whatever was decided
    #[arg(long, help_heading = "Filter")]
    pub flagged: bool,
    /// Only running units, with how long they have run and in which slot
    #[arg(long, conflicts_with_all = ["status", "failed"], help_heading = "Filter")]
    pub running: bool,
    /// Order: `seq`, or the units with the longest `duration`, the latest `finished`, the most `attempts` or the most `spend` (by
    /// the first meter of the job) first
    #[arg(long, value_name = "ORDER", default_value_t = UnitOrder::Seq)]
    pub sort: UnitOrder,
    /// Show no more than N units
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = |text: &str| values::whole(text, 1, 100_000_i64), allow_negative_numbers = true)]
    pub limit: i64,
    /// Show units after that one: the last of a page gives the next page
    #[arg(long, value_name = "SEQ", value_parser = |text: &str| values::whole(text, 0, i64::MAX), allow_negative_numbers = true)]
    pub after: Option<i64>,
}

pub fn units(global: &Global, args: &Units, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let mut filter = UnitFilter { flagged: args.flagged.then_some(Flagged::Any), ..args.filter.filter() };
    filter.statuses.extend(args.running.then_some(UnitStatus::Running));
    let page = client.unit_page(job, &filter, args.sort, args.after.map(Seq), args.limit, SEARCH_TIMEOUT)?;
    if output.json {
        output.document(&page)?;
        return named(output, page.found.unreadable);
    }
    let page = page.found;
    if output.quiet {
        for unit in &page.units {
            output.line(unit.seq)?;
        }
    } else {
        let shown = Shown::of(&page.units);
        let (headings, right) = shown.headings();
        let last = headings.len() - 1;
        output.line(fitting(&headings, &right, &[last, last - 1], page.units.iter().map(|unit| shown.row(unit))))?;
    }
    match (page.searched_through, page.next_after) {
        (Some(seq), _) => {
            let goes_on = match args.sort {
                UnitOrder::Seq => format!("--after {seq} goes on"),
                _ => format!("only those before are in this order; --seq {}- looks at the others", seq.0 + 1),
            };
            output.hint(format_args!(
                "the search took {} s and stopped after unit {seq}: {goes_on}",
                SEARCH_TIMEOUT.as_secs()
            ));
        }
        (None, Some(next)) if !output.quiet => output.hint(format_args!("more: --after {next}")),
        (None, _) => {}
    }
    named(output, page.unreadable)
}

/// Names units that cannot be read after the others were shown: one is the error, the others come before it.
pub(super) fn named(output: &mut Output, mut unreadable: Vec<Unreadable>) -> Result<(), CliError> {
    let Some(last) = unreadable.pop() else { return Ok(()) };
    unreadable.iter().for_each(|unit| output.hint(unit));
    Err(ClientError::from(StoreError::from(last)).into())
}

/// Which columns a list has: those of slots, groups and meters where some unit of it has one.
struct Shown {
    slots: bool,
    groups: bool,
    spent: bool,
}

impl Shown {
    fn of(units: &[UnitDetail]) -> Shown {
        let groups = units.iter().any(|unit| unit.group.is_some());
        let slots = units.iter().any(|unit| unit.status == UnitStatus::Running && unit.slot.is_some());
        Shown { slots, groups, spent: units.iter().any(|unit| !unit.spent.are_none()) }
    }

    /// Returns the headings, and which columns hold numbers.
    fn headings(&self) -> (Vec<&'static str>, Vec<usize>) {
        let optional = [(self.slots, "SLOT"), (self.spent, "SPENT"), (self.groups, "GROUP")];
        let optional = optional.into_iter().filter_map(|(is_shown, heading)| is_shown.then_some(heading));
        let headings = ["SEQ", "STATUS", "ATTEMPTS", "TIME"].into_iter().chain(optional).chain(["ITEM", "ERROR"]);
        let numbers = 4 + usize::from(self.slots) + usize::from(self.spent);
        (headings.collect(), [0, 2, 3].into_iter().chain(4..numbers).collect())
    }

    fn row(&self, unit: &UnitDetail) -> Vec<String> {
        // The end of an attempt before this one is none of one that runs.
        let ended = if unit.status == UnitStatus::Running { Some(Timestamp::now()) } else { unit.finished_at };
        let time = match (unit.started_at, ended) {
            (Some(started), Some(finished)) => span(finished.since(started)),
            _ => String::new(),
        };
        let spent = unit.spent.0.iter().map(|(name, amount)| format!("{amount} {name}"));
        let spent = self.spent.then(|| spent.collect::<Vec<_>>().join(", "));
        let group = self.groups.then(|| of_column(unit.group.as_deref().unwrap_or_default()));
        let mut cells = vec![unit.seq.to_string(), status(unit), unit.attempts.to_string(), time];
        // One that has ended holds none.
        let slot = unit.slot.filter(|_| unit.status == UnitStatus::Running).map(|slot| slot.to_string());
        cells.extend(self.slots.then(|| slot.unwrap_or_default()));
        cells.extend(spent.into_iter().chain(group));
        cells.extend([one_line(&shown_item(&unit.payload)), one_line(&unit.reason().unwrap_or_default())]);
        cells
    }
}

/// Returns where a unit stands, and why the source does not have it any more.
pub fn status(unit: &UnitDetail) -> String {
    match unit.outdated {
        Some(outdated) => format!("{} ({outdated})", unit.status),
        None => unit.status.to_string(),
    }
}

/// Returns the same for people, with bytes that are no text replaced.
pub fn shown_item(payload: &str) -> String {
    RawText::of_json(payload).map_or_else(|| item(payload), |text| text.to_string_lossy().into_owned())
}

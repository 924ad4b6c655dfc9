//! Units of a job, page by page: what a call may ask for, and what it is told about the next page.
//!
//! A page ends with its limit, when its rows fill an answer or when the search has taken its time, whichever comes first; `next_after` leads on from there.

use job_manager::client::SEARCH_TIME;
use job_manager::model::{Flag, Flagged, FoundUnits, Seq, UnitDetail, UnitFilter, Unreadable};
use job_manager::text::counted;
use serde_json::json;
use serde_json::value::RawValue;

use super::answer::{PAGE_BYTES, Page, exactly, line};
use super::shape::{Field, Kind, field};
use super::status_shape::JOB_NUMBER;
use super::{Answer, JobGiven, Jobs, ToolError};

/// Most units that cannot be read which an answer names.
const MOST_NAMED: usize = 10;

/// A page of units that a call asks for.
pub(super) struct Asked {
    /// Number after which it begins.
    pub after: Option<i64>,
    /// Units that were asked for, if a number was.
    pub limit: Option<i64>,
}

/// How pages of one kind look.
pub(super) struct Pages {
    /// What the answer calls its rows.
    pub name: &'static str,
    /// What the sentence calls them.
    pub title: &'static str,
    /// Units of a page, and the most there may be.
    pub default_limit: i64,
    pub max_limit: i64,
    /// A row; with its flag, if flagged units were asked for.
    pub row: fn(&UnitDetail, Option<&Flag>) -> Box<RawValue>,
}

impl Pages {
    /// Returns what an answer holds whose rows have these fields.
    pub fn fields(&self, rows: &'static [Field]) -> Vec<Field> {
        vec![
            JOB_NUMBER,
            field(self.name, Kind::Rows(rows), "The page.").always(),
            field("next_after", Kind::Whole, "after of the next page."),
            field("searched_through", Kind::Whole, "Where the search stopped."),
            field("unreadable", Kind::Wholes, "Units that cannot be read."),
        ]
    }

    /// Answers with the page of a job's units that was asked for.
    pub fn answer(&self, jobs: &Jobs, job: &JobGiven, filter: &UnitFilter, asked: &Asked) -> Result<Answer, ToolError> {
        let (client, job) = jobs.of(job)?;
        let limit = asked.limit.unwrap_or(self.default_limit).clamp(1, self.max_limit);
        let after = asked.after.map(|after| Seq(after.clamp(0, Seq::MAX.0)));
        let found = client.search_units(job, filter, after, limit, SEARCH_TIME)?;
        let mut page = Page::default();
        let FoundUnits { units, unreadable, .. } = found;
        let mut last = None;
        for unit in &units {
            let flag = if filter.flagged == Some(Flagged::Undecided) { client.flag(job, unit.seq)? } else { None };
            if !page.add((self.row)(unit, flag.as_ref())) {
                break;
            }
            last = Some(unit.seq);
        }
        let is_whole = page.len() == units.len();
        let next_after = if is_whole { found.next_after } else { last };
        let searched_through = found.searched_through.filter(|_| is_whole);
        let (title, shown) = (self.title, page.len());
        let gone = UnitFilter { current: Some(false), flagged: None, ..filter.clone() };
        let (skipped, counted_through) = match filter.current {
            Some(true) => client.count_units_within(job, &gone, SEARCH_TIME)?,
            _ => (0, None),
        };
        let mut summary = match next_after {
            Some(next) => format!("{title} of job {job}: {shown} shown; there may be more, with after {next}."),
            None => format!("{title} of job {job}: {shown} shown, no more."),
        };
        if let Some(seq) = searched_through {
            summary.push_str(&format!(" The search took half a second and stopped after unit {seq}."));
        }
        if skipped > 0 {
            let skipped = counted(skipped, "unit");
            let through = counted_through.map(|seq| format!(" up to unit {seq}")).unwrap_or_default();
            summary.push_str(&format!(" {skipped} gone from the source or replaced{through}: all shows them."));
        }
        for unit in unreadable.iter().take(MOST_NAMED) {
            summary.push_str(&format!(" {}.", line(&unit.to_string())));
        }
        let mut document = json!({
            "schema": 1, "job": { "id": job }, "next_after": next_after, "limit": limit, "limit_bytes": PAGE_BYTES,
        });
        if !unreadable.is_empty() {
            document["unreadable"] =
                unreadable.iter().take(MOST_NAMED).filter_map(Unreadable::seq).map(|seq| seq.0).collect();
        }
        if let Some(seq) = searched_through {
            document["searched_through"] = json!(seq);
        }
        Ok(Answer::new(summary, document).with(self.name, exactly(page.into_rows())))
    }
}

//! The last lines of units that failed, as they fail.

use std::collections::BTreeSet;

use job_manager::client::{Client, SEARCH_TIME};
use job_manager::model::{Job, RawText, Seq, UnitDetail, UnitFilter, UnitStatus};

use super::error::CliError;
use super::text::{one_line, shortened};

/// Failures that are shown; with more of them their kinds say more.
const MOST: usize = 10;
const LAST_LINES: usize = 5;
const LINE_WIDTH: usize = 300;
const ITEM_WIDTH: usize = 60;

/// Which failures have been shown.
#[derive(Default)]
pub(super) struct FailuresShown {
    shown: BTreeSet<Seq>,
    /// Failed units at the last look.
    failed: i64,
}

impl FailuresShown {
    /// Returns what there is to say about units that have failed since the last call.
    pub fn news(&mut self, client: &Client, job: &Job) -> Result<Vec<String>, CliError> {
        if job.progress.failed == self.failed || self.shown.len() > MOST {
            self.failed = job.progress.failed;
            return Ok(Vec::new());
        }
        self.failed = job.progress.failed;
        let failed = UnitFilter { statuses: vec![UnitStatus::Failed], ..UnitFilter::all() };
        let most = i64::try_from(MOST).unwrap_or(i64::MAX) + 1;
        let page = client.search_units(job.id, &failed, None, most, SEARCH_TIME)?.page.units;
        let mut news = Vec::new();
        for unit in page {
            if !self.shown.insert(unit.seq) {
                continue;
            }
            if self.shown.len() > MOST {
                news.push(format!("further failures are not shown, `job-manager failures {}` groups them", job.id));
                break;
            }
            news.push(description(&unit));
        }
        Ok(news)
    }
}

fn description(unit: &UnitDetail) -> String {
    let item = serde_json::from_str::<String>(&unit.payload).unwrap_or_else(|_| unit.payload.clone());
    let error = unit.error.as_deref().unwrap_or("failed");
    let mut text = format!("unit {} ({}) failed: {}", unit.seq, shortened(&item, ITEM_WIDTH), one_line(error));
    let [stdout, stderr] =
        [&unit.output.stdout, &unit.output.stderr].map(|written| written.as_ref().map(RawText::to_string_lossy));
    let said = stderr.filter(|text| !text.trim().is_empty()).or(stdout).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
        text.push_str(&format!("\n  | {}", shortened(line, LINE_WIDTH)));
    }
    text
}

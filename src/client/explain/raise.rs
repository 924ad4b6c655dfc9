//! The advice to raise a budget.

use super::next_step::NextStep;
use crate::client::meters::raised_budget;
use crate::client::snapshot::Snapshot;

/// Advises to raise the budget that lets no unit start.
pub(super) fn raise_budget(seen: &Snapshot, daily: bool) -> NextStep {
    let job = seen.job.id;
    match raised_budget(&seen.job, &seen.spending, daily) {
        Some((meter, amount)) => NextStep::RaiseBudget { job, meter, amount, daily },
        None => NextStep::Status(job),
    }
}

//! What one of several managers of a job knows of the others.

use super::Limits;

/// A manager's share of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Units of the job that failed since its latest start.
    pub failures: u64,
    /// Managers that have not ended, this one included.
    pub managers: usize,
    /// How many of them began before this one.
    pub rank: usize,
    /// Managers among them that have units, or are about to claim some; this one counts in any case.
    pub at_work: usize,
    /// Workers that this one was granted of those of all managers.
    pub granted: usize,
}

impl Share {
    /// That of the only manager.
    pub const WHOLE: Share = Share { failures: 0, managers: 1, rank: 0, at_work: 1, granted: 0 };

    /// Returns `true` if this one has no unit run because another manager runs all of them: what bounds each group is counted by one.
    pub fn is_spare(&self, limits: &Limits) -> bool {
        limits.groups.is_some() && self.rank > 0
    }

    /// Returns how many of `total` workers are this manager's: those that are left over by a division go to who began first.
    pub fn of_workers(&self, total: usize) -> usize {
        total / self.managers + usize::from(self.rank < total % self.managers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_managers_are_all_workers() {
        for (managers, total) in [(1, 8), (3, 8), (3, 2), (5, 1)] {
            let shares = (0..managers).map(|rank| Share { managers, rank, ..Share::WHOLE }.of_workers(total));

            assert_eq!(shares.sum::<usize>(), total, "{managers} managers");
        }
    }
}

//! What failed units have in common.

use std::collections::HashMap;

use super::{Client, ClientError};
use crate::model::{ClusterId, FailureCluster, FailureEvidence, JobId, Seq};

/// Units read at a time.
const PAGE_UNITS: i64 = 1000;
/// Kinds of failures that are distinguished; what comes beyond them is counted together.
const MAX_CLUSTERS: usize = 10_000;
/// Longest example that is kept.
const EXAMPLE_CHARS: usize = 1000;

impl Client {
    /// Groups the failed units of a job by why they failed, the most frequent kind first.
    ///
    /// Errors that differ in numbers, ids, paths, addresses, times or quoted text only are of one kind; an error that is
    /// nothing but an exit code is distinguished by the last line of standard error. The same failure has the same id in
    /// every job; [`UnitFilter::of_cluster`](crate::model::UnitFilter::of_cluster) selects its units.
    ///
    /// Reads page by page, beside a running manager: units that fail or are retried meanwhile may be missed. A job with
    /// more than ten thousand kinds gets one more cluster, without an id, for all that is left over.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for cluster in client.failures(client.find_job("last")?)? {
    ///     println!("{} units: {}", cluster.count, cluster.text);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn failures(&self, job: JobId) -> Result<Vec<FailureCluster>, ClientError> {
        Ok(self.failures_while(job, || true)?.0)
    }

    /// Like [`Client::failures`], for as long as `look` wants more; says whether all failed units were read.
    pub fn failures_while(
        &self,
        job: JobId,
        mut look: impl FnMut() -> bool,
    ) -> Result<(Vec<FailureCluster>, bool), ClientError> {
        self.store().job(job)?;
        let mut clusters = Clusters::new(MAX_CLUSTERS);
        let mut after = Seq(0);
        loop {
            // The connection is free for others between two pages.
            let page = self.store().failures(job, after, PAGE_UNITS)?;
            let Some((last, _)) = page.last() else { return Ok((clusters.into_sorted(), true)) };
            after = *last;
            page.iter().for_each(|(seq, failure)| clusters.add(*seq, failure));
            if !look() {
                return Ok((clusters.into_sorted(), false));
            }
        }
    }

    /// Returns up to `limit` failed units and why each failed, those with the highest numbers first, at a cost that does not
    /// depend on how many there are.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for (seq, error) in client.last_failures(client.find_job("last")?, 5)? {
    ///     println!("{seq}: {error}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn last_failures(&self, job: JobId, limit: i64) -> Result<Vec<(Seq, String)>, ClientError> {
        let failures = self.store().last_failures(job, limit)?;
        Ok(failures.into_iter().map(|(seq, failure)| (seq, failure.words())).collect())
    }
}

/// Clusters that grow unit by unit, in a memory that does not grow with the job.
struct Clusters {
    found: HashMap<Option<ClusterId>, FailureCluster>,
    limit: usize,
}

impl Clusters {
    fn new(limit: usize) -> Self {
        Self { found: HashMap::new(), limit }
    }

    fn add(&mut self, seq: Seq, failure: &FailureEvidence) {
        let text = failure.masked();
        let id = Some(ClusterId::of(failure.cause, &text));
        let is_told_apart = self.found.contains_key(&id) || self.found.len() < self.limit;
        let (id, text) = if is_told_apart { (id, text) } else { (None, "failures of other kinds".to_owned()) };
        let cluster = self.found.entry(id).or_insert_with(|| FailureCluster {
            id,
            cause: failure.cause,
            text,
            count: 0,
            first: seq,
            last: seq,
            example: failure.words().chars().take(EXAMPLE_CHARS).collect(),
        });
        cluster.count += 1;
        cluster.last = seq;
    }

    fn into_sorted(self) -> Vec<FailureCluster> {
        let mut sorted: Vec<FailureCluster> = self.found.into_values().collect();
        sorted.sort_by_key(|cluster| (cluster.id.is_none(), -cluster.count, cluster.first));
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cause;

    #[test]
    fn kinds_beyond_the_bound_are_counted_together() {
        let mut clusters = Clusters::new(2);
        let failure = |error: &str| FailureEvidence {
            cause: Cause::Failed,
            exit_code: None,
            error: error.to_owned(),
            stderr: String::new(),
        };

        for (seq, error) in (1..).zip(["a", "b", "c", "b", "d"]) {
            clusters.add(Seq(seq), &failure(error));
        }

        let found = clusters.into_sorted();
        let seen: Vec<_> = found.iter().map(|kind| (kind.text.as_str(), kind.count, kind.id.is_some())).collect();
        assert_eq!(seen, [("b", 2, true), ("a", 1, true), ("failures of other kinds", 2, false)]);
    }
}

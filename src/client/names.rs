//! What somebody may be typing who names a job.

use std::collections::HashSet;

use super::{Client, ClientError};
use crate::model::JobId;

/// Jobs that are offered.
const MOST: i64 = 100;

impl Client {
    /// Returns jobs whose number or name begins with what was typed, without anything typed the newest, each with its name and whether
    /// that name means this job. About a hundred at most, in a time that hardly depends on how many jobs there are.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// for (job, name, _) in client.jobs_begun("pho")? {
    ///     println!("{job} {name}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn jobs_begun(&self, typed: &str) -> Result<Vec<(JobId, String, bool)>, ClientError> {
        let mut found = Vec::new();
        let mut by_number = Vec::new();
        if typed.is_empty() {
            by_number = self.store().names_of_jobs(1, i64::MAX, MOST)?;
        } else {
            let named = self.store().names_from(typed, MOST)?;
            found.extend(named.into_iter().map(|(job, name)| (job, name, true)));
            for (first, last) in numbers_begun(typed) {
                by_number.extend(self.store().names_of_jobs(first, last, MOST)?);
            }
        }
        // Of a name that several jobs have the newest is meant; numbers always mean their own.
        let mut seen = HashSet::new();
        for (job, name) in by_number {
            let is_newest = typed.is_empty() && seen.insert(name.clone());
            found.push((job, name, is_newest));
        }
        found.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
        Ok(found)
    }
}

/// Returns the stretches of numbers that begin with these digits.
fn numbers_begun(typed: &str) -> Vec<(i64, i64)> {
    let Some(number) =
        typed.parse::<i64>().ok().filter(|number| *number > 0 && typed.bytes().all(|c| c.is_ascii_digit()))
    else {
        return Vec::new();
    };
    let is_small = |first: &i64| *first <= i64::from(i32::MAX);
    let widths = std::iter::successors(Some(1_i64), |width| width.checked_mul(10));
    widths
        .map_while(|width| Some((number.checked_mul(width)?, width)))
        .take_while(|(first, _)| is_small(first))
        .map(|(first, width)| (first, first + width - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_begin_with_digits_are_stretches() {
        assert_eq!(numbers_begun("12")[..3], [(12, 12), (120, 129), (1200, 1299)]);
        assert_eq!(numbers_begun("2000000000"), [(2_000_000_000, 2_000_000_000)]);
        for none in ["", "0", "-1", "+1", "a", "1a", "99999999999999999999"] {
            assert!(numbers_begun(none).is_empty(), "{none}");
        }
    }
}

//! How fast a job is and when it ends, as its status says: the same in every face, and true from the first look.

use std::time::{Duration, Instant};

use job_manager::client::{Client, EtaSeconds};
use job_manager::model::JobId;

use super::error::CliError;
use super::text::{one_line, span};

/// Time between two looks; its manager writes it once a second.
const EVERY: Duration = Duration::from_secs(1);

/// How fast a job is and what it waits for, as its status says; read now and then, because that takes more than its row.
#[derive(Default)]
pub(super) struct Pace {
    read: Option<Instant>,
    text: String,
}

impl Pace {
    pub fn of(&mut self, client: &Client, job: JobId) -> Result<&str, CliError> {
        if self.read.is_none_or(|at| at.elapsed() >= EVERY) {
            let status = client.get_manager_status(job)?;
            let retrying = status.retrying.map(|retrying| retrying.to_string());
            self.text =
                pace(status.rate_per_second, status.eta_seconds, retrying.as_deref(), status.waiting_for.as_deref());
            self.read = Some(Instant::now());
        }
        Ok(&self.text)
    }
}

fn pace(rate: Option<f64>, left: Option<EtaSeconds>, retrying: Option<&str>, waiting: Option<&str>) -> String {
    let left = left.map_or_else(String::new, |eta| format!(", {} left", left_of(eta)));
    let rate = rate.filter(|rate| *rate > 0.0).map_or_else(String::new, |rate| format!(", {rate:.1}/s"));
    let retrying = retrying.map_or_else(String::new, |sentence| format!(", {}", one_line(sentence)));
    // The pace of before says nothing about a job whose units wait.
    match waiting {
        Some(what) if left.is_empty() => format!("{retrying}, waits: {}", one_line(what)),
        _ => format!("{rate}{left}{retrying}"),
    }
}

/// Says how much time is left, from and to where the two differ as they are written.
pub(super) fn left_of(eta: EtaSeconds) -> String {
    let [low, high] = [eta.low, eta.high].map(|seconds| span(Duration::from_secs(seconds)));
    if low == high { high } else { format!("{low} to {high}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_whose_units_wait_has_no_end() {
        let left = Some(EtaSeconds { low: 47, high: 53 });

        assert_eq!(pace(Some(10.0), left, None, None), ", 10.0/s, 47s to 53s left");
        assert_eq!(pace(Some(10.0), None, None, Some("a pause of a provider")), ", waits: a pause of a provider");
        assert_eq!(pace(None, None, None, None), "");
    }

    #[test]
    fn a_job_that_only_retries_says_so_behind_its_pace() {
        let left = Some(EtaSeconds { low: 47, high: 53 });
        let retrying = Some("3 units wait for another attempt, last: exited with code 1");

        let with = |left, waiting| pace(Some(10.0), left, retrying, waiting);

        let said = ", 3 units wait for another attempt, last: exited with code 1";
        assert_eq!(with(left, None), format!(", 10.0/s, 47s to 53s left{said}"));
        assert_eq!(with(None, Some("the next attempt")), format!("{said}, waits: the next attempt"));
    }
}

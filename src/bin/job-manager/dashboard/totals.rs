//! The metrics that only grow: what has happened in the database, whatever became of its jobs.

use std::fmt;

use job_manager::model::{DurationTotals, Totals};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

type Labels = Vec<(&'static str, String)>;
type Counts = Family<Labels, Counter>;

/// Adds them to what is scraped. The encoding adds `_total` to the names of counters.
pub(super) fn register(totals: &Totals, registry: &mut Registry) {
    let units = counts(totals.units.iter().map(|(status, count)| (status.to_string(), *count)));
    registry.register("units_ended", "Ends of units, by outcome; a retried unit counts each time", units);
    let attempts = counts(totals.attempts.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)));
    registry.register("attempts", "Attempts that have ended, by outcome", attempts);
    registry.register("retries", "Attempts after which their unit was tried again", counter(totals.retries));
    registry.register("manager_deaths", "Managers found dead", counter(totals.manager_deaths));
    let durations =
        totals.durations.iter().map(|(status, durations)| (of_outcome(status.to_string()), durations.clone()));
    registry.register_collector(Box::new(Histograms {
        name: "unit_duration_seconds",
        help: "Duration of the final attempt of completed and failed units",
        of: durations.collect(),
    }));
    registry.register_collector(Box::new(Histograms {
        name: "commit_duration_seconds",
        help: "Duration of the commits that record what became of units, with the wait for the database",
        of: vec![(Vec::new(), totals.commits.clone())],
    }));
}

fn counts(counted: impl Iterator<Item = (String, u64)>) -> Counts {
    let counts = Counts::default();
    counted.for_each(|(outcome, count)| {
        counts.get_or_create(&of_outcome(outcome)).inc_by(count);
    });
    counts
}

fn counter(count: u64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(count);
    counter
}

fn of_outcome(outcome: String) -> Labels {
    vec![("outcome", outcome)]
}

/// Histograms that are counted elsewhere: those of the library only count themselves.
#[derive(Debug)]
struct Histograms {
    name: &'static str,
    help: &'static str,
    of: Vec<(Labels, DurationTotals)>,
}

impl Collector for Histograms {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Histogram)?;
        let no_exemplars = None::<&std::collections::HashMap<usize, Exemplar<Labels, f64>>>;
        for (labels, durations) in &self.of {
            let count = durations.counts.iter().map(|(_, count)| count).sum();
            family.encode_family(labels)?.encode_histogram(
                durations.sum_seconds,
                count,
                &durations.counts,
                no_exemplars,
            )?;
        }
        Ok(())
    }
}

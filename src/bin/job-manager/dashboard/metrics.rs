//! Metrics, read from the database when they are asked for: they are true also for jobs whose managers are dead.
//!
//! Labels are states, and of unfinished jobs the number and the name, with the host of each manager of a job on a server; never
//! anything of a unit. A database with more unfinished jobs than [`MAX_JOBS`] has series of their own for those that run and for the
//! newest of the others only, and says how many are omitted; where there is room, those that failed last have some too.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use job_manager::client::{Client, ClientError, Health, Snapshot};
use job_manager::model::{Job, JobFilter, JobStatus, JobTotals, Timestamp, Totals, UnitStatus};
use job_manager::text::one_line;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::answer::{Connections, Refused};
use super::totals;

const MAX_JOBS: usize = 100;
/// Most bytes of the answer: jobs that would make it longer, such as those that run on very many hosts, have no series of their own.
const MAX_BYTES: usize = 512 << 10;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Counts = Family<Labels, Gauge>;
type Rates = Family<Labels, Gauge<f64, AtomicU64>>;

pub(super) async fn metrics(State(connections): State<Arc<Connections>>) -> Result<Response, Refused> {
    let text = connections.look(|client| Ok(metrics_text(client)?)).await?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// Returns the metrics of a database as text.
pub fn metrics_text(client: &Client) -> Result<String, ClientError> {
    Ok(Numbers::of(client)?.text())
}

struct Numbers {
    totals: Totals,
    jobs: Vec<JobTotals>,
    /// The jobs that run, and the newest of the others that have not ended.
    seen: Vec<Snapshot>,
    /// Jobs that failed, the newest first, as far as there is room.
    failed: Vec<Job>,
    /// Jobs that have not ended.
    unended: usize,
    unreadable: usize,
    /// When a job of each name last completed.
    successes: Vec<(String, Timestamp)>,
    now: Timestamp,
}

impl Numbers {
    fn of(client: &Client) -> Result<Numbers, ClientError> {
        let unended = client.unended_jobs()?;
        // All that run: whether managers live is not asked of the newest only.
        let is_seen = |place: usize, status: JobStatus| place < MAX_JOBS || status == JobStatus::Running;
        let seen = unended.jobs.iter().enumerate().filter(|(place, (_, status))| is_seen(*place, *status));
        let jobs = Some(seen.map(|(_, (job, _))| *job).collect());
        let mut seen = client.snapshots(&JobFilter { jobs, ..JobFilter::default() })?.jobs;
        seen.sort_by_key(|seen| seen.job.status != JobStatus::Running);
        let room = MAX_JOBS.saturating_sub(seen.len());
        let statuses = vec![JobStatus::Failed];
        let failed = JobFilter { statuses, limit: Some(bounded(room)), ..JobFilter::default() };
        let (totals, jobs) = client.totals()?;
        Ok(Numbers {
            totals,
            jobs,
            seen,
            failed: client.jobs(&failed)?.jobs,
            unended: unended.jobs.len(),
            unreadable: unended.unreadable,
            successes: client.last_successes(bounded(MAX_JOBS))?,
            now: Timestamp::now(),
        })
    }

    fn text(&self) -> String {
        let mut most = MAX_JOBS;
        loop {
            let text = self.with_jobs(most);
            if text.len() <= MAX_BYTES || most == 0 {
                return text;
            }
            most /= 2;
        }
    }

    /// Returns the metrics with series of up to so many jobs.
    fn with_jobs(&self, most: usize) -> String {
        let mut registry = Registry::with_prefix("job_manager");
        totals::register(&self.totals, &mut registry);
        self.sums(&mut registry);
        self.managers(&mut registry);
        self.per_job(most, &mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a string cannot fail");
        text
    }

    fn sums(&self, registry: &mut Registry) {
        let jobs = Counts::default();
        let units = Counts::default();
        for status in JobStatus::ALL.iter().filter(|status| **status != JobStatus::Partial) {
            let found = self.jobs.iter().find(|totals| totals.status == *status);
            jobs.get_or_create(&labels("status", status)).set(found.map_or(0, |totals| totals.jobs));
        }
        for status in UnitStatus::ALL {
            drop(units.get_or_create(&labels("status", status)));
        }
        for (status, count) in self.jobs.iter().flat_map(|totals| totals.units.by_state()) {
            units.get_or_create(&labels("status", &status)).inc_by(count);
        }
        registry.register("jobs", "Jobs by state", jobs);
        let unreadable = Gauge::<i64>::default();
        unreadable.set(bounded(self.unreadable));
        registry.register("jobs_unreadable", "Jobs that have not ended and cannot be read", unreadable);
        registry.register("units", "Units of all jobs by state", units);
        let successes = Rates::default();
        for (name, at) in &self.successes {
            successes.get_or_create(&labels("name", &one_line(name))).set(seconds(*at));
        }
        registry.register("last_success_timestamp_seconds", "When a job of that name last completed", successes);
    }

    fn managers(&self, registry: &mut Registry) {
        let managers = Counts::default();
        for (word, health) in [("running", Health::Running), ("lost", Health::Stopped), ("unknown", Health::Unknown)] {
            let running = self.seen.iter().filter(|seen| seen.job.status == JobStatus::Running);
            let count = running.filter(|seen| seen.health == health).count();
            managers.get_or_create(&labels("health", &word)).set(bounded(count));
        }
        registry.register("managers", "Managers of jobs that are running, by whether they live", managers);
    }

    fn per_job(&self, most: usize, registry: &mut Registry) {
        let (units, up, workers, busy) = (Counts::default(), Counts::default(), Counts::default(), Counts::default());
        let (running, silent) = (Counts::default(), Counts::default());
        let (rate, heard) = (Rates::default(), Rates::default());
        let spent: Family<Labels, Counter<f64, AtomicU64>> = Family::default();
        for seen in self.seen.iter().take(most) {
            let job = &seen.job;
            let of_job = of_job(job);
            for meter in seen.status().meters {
                spent
                    .get_or_create(&[of_job.clone(), labels("meter", &meter.name)].concat())
                    .inc_by(meter.spent.as_f64());
            }
            of_units(&units, job);
            busy.get_or_create(&of_job).set(job.progress.running);
            if seen.managers.is_empty() {
                up.get_or_create(&of_job).set((seen.health == Health::Running).into());
                workers.get_or_create(&of_job).set(bounded(job.limits.workers));
                rate.get_or_create(&of_job).set(seen.rate.unwrap_or(0.0));
                if let Some(silence) = seen.silence().filter(|_| job.status == JobStatus::Running) {
                    heard.get_or_create(&of_job).set(seconds(self.now) - silence.as_secs_f64());
                }
            }
            for run in &seen.managers {
                // Two hosts may have one name: their numbers are added.
                let of_host = [of_job.clone(), labels("host", &one_line(&run.host))].concat();
                up.get_or_create(&of_host).inc_by(run.reason.is_none().into());
                let Some(load) = &run.load else { continue };
                workers.get_or_create(&of_host).inc_by(load.workers.unwrap_or(0));
                running.get_or_create(&of_host).inc_by(load.running.unwrap_or(0));
                rate.get_or_create(&of_host).inc_by(load.rate.unwrap_or(0.0));
                let silence = silent.get_or_create(&of_host);
                silence.set(silence.get().max(i64::try_from(load.silent_s).unwrap_or(i64::MAX)));
            }
        }
        self.failed.iter().take(most.saturating_sub(self.seen.len())).for_each(|job| of_units(&units, job));
        registry.register("job_units", "Units by state, for jobs that are unfinished or failed recently", units);
        // The encoding adds `_total` to the name.
        registry.register("job_spent", "What the attempts of a job have cost by each of its meters", spent);
        registry.register("job_manager_up", "Whether the manager of a job lives", up);
        registry.register("job_heartbeat_timestamp_seconds", "When the manager of a job last wrote", heard);
        registry.register("job_workers", "Units of a job that may run at the same time", workers);
        registry.register("job_workers_busy", "Units of a job that run", busy);
        registry.register("job_units_per_second", "Units of a job that ended per second lately", rate);
        registry.register("job_manager_running", "Units that a manager runs, on a server", running);
        registry.register("job_manager_silent_seconds", "Time since a manager was last heard of, on a server", silent);
        let omitted = Gauge::<i64>::default();
        omitted.set(bounded(self.unended.saturating_sub(most)));
        registry.register("jobs_omitted", "Jobs that have not ended and have no series of their own", omitted);
    }
}

fn of_job(job: &Job) -> Labels {
    vec![("job_id", job.id.to_string()), ("name", one_line(&job.name))]
}

fn of_units(units: &Counts, job: &Job) {
    for (status, count) in job.progress.by_state() {
        units.get_or_create(&[of_job(job), labels("status", &status)].concat()).set(count);
    }
}

fn labels(name: &'static str, value: &impl ToString) -> Labels {
    vec![(name, value.to_string())]
}

fn seconds(at: Timestamp) -> f64 {
    at.as_micros() as f64 / 1e6
}

fn bounded(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

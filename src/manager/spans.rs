//! Spans of a job and of its attempts, for a collector of OpenTelemetry that the environment names.
//!
//! Off unless `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Attempts never wait for the
//! collector: what it does not take in time is dropped, counted, and said in the log. A manager that is killed takes along
//! what it has not sent, and the span of its run.

mod collector;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::{info, warn};

use self::collector::Collector;
use crate::handler::{Attempt, JobContext};
use crate::model::{JobStatus, Timestamp, TraceContext, UnitStatus};
use crate::store::UnitChange;

/// Most spans of attempts that a manager sends.
const MOST_SPANS: u64 = 10_000;
/// Spans that wait to be sent.
const QUEUE: usize = 2_048;
/// Most spans in one request, and the longest that one waits for others.
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(2);
/// How long a manager that has ended waits for the collector.
const LAST_WAIT: Duration = Duration::from_secs(3);
/// The finest share of attempts that can be sampled.
const SHARES: u64 = 1_000_000;

/// Sends spans from a thread of its own.
pub(super) struct SpanExport {
    job: JobContext,
    /// The trace, with the span of this manager as the parent of all others.
    trace: TraceContext,
    began: Timestamp,
    /// How many of a million attempts are sampled.
    sampled: u64,
    queue: Option<SyncSender<Value>>,
    lost: Mutex<Receiver<u64>>,
    offered: AtomicU64,
    omitted: AtomicU64,
}

impl SpanExport {
    /// Begins to send spans of a job; none where the environment names no collector, or the job's trace is not sampled.
    pub fn begin(job: &JobContext, began: Timestamp) -> Option<SpanExport> {
        let collector = match Collector::of_environment(|name| std::env::var(name).ok()) {
            Ok(collector) => collector?,
            Err(error) => {
                warn!("no spans are sent: {error}");
                return None;
            }
        };
        if job.trace.as_ref().is_some_and(|trace| !trace.is_sampled()) {
            return None;
        }
        let trace = TraceContext::of_manager(job.trace.as_ref(), &job.uid, job.epoch)?;
        let sampled = (collector.ratio * SHARES as f64) as u64;
        info!("spans go to {collector}");
        let (queue, inbox) = mpsc::sync_channel(QUEUE);
        let (tell, lost) = mpsc::channel();
        let thread = std::thread::Builder::new().name("spans".to_owned()).spawn(move || {
            // Nobody listens when the wait is over.
            let _ = tell.send(send_all(&collector, &inbox));
        });
        if let Err(error) = thread {
            warn!("no spans are sent: {error}");
            return None;
        }
        let (offered, omitted) = (AtomicU64::new(0), AtomicU64::new(0));
        let (job, queue, lost) = (job.clone(), Some(queue), Mutex::new(lost));
        Some(SpanExport { job, trace, began, sampled, queue, lost, offered, omitted })
    }

    /// Offers the span of an attempt that has ended.
    pub fn attempt(&self, attempt: &Attempt<'_>, change: &UnitChange) {
        let (seq, number, started_at) = (attempt.unit.id.seq(), attempt.number, attempt.started_at);
        let Some(own) = self.trace.of_attempt(&self.job.uid, seq, number, started_at) else { return };
        let Ok(own) = TraceContext::new(&own, None) else { return };
        if u64::from_str_radix(own.span(), 16).is_ok_and(|id| id % SHARES >= self.sampled) {
            return;
        }
        if self.offered.fetch_add(1, Ordering::Relaxed) >= MOST_SPANS {
            self.omitted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut attributes = vec![
            whole("job_manager.job.id", self.job.id.0),
            whole("job_manager.unit.seq", seq.0),
            whole("job_manager.attempt", i64::from(number)),
            whole("job_manager.slot", i64::try_from(attempt.slot + 1).unwrap_or(i64::MAX)),
            text("job_manager.unit.status", change.to.as_str()),
        ];
        attributes.extend(attempt.unit.key.as_deref().map(|key| text("job_manager.unit.key", key)));
        attributes.extend(change.failure().map(|(cause, _)| text("job_manager.cause", cause.as_str())));
        let exit_code = change.end.as_ref().and_then(|end| end.exit_code);
        attributes.extend(exit_code.map(|code| whole("process.exit.code", i64::from(code))));
        let status = match change.error() {
            Some(error) => json!({ "code": 2, "message": error }),
            None if change.to == UnitStatus::Completed => json!({ "code": 1 }),
            None => json!({}),
        };
        self.offer(json!({
            "traceId": own.trace(), "spanId": own.span(), "parentSpanId": self.trace.span(), "name": "attempt", "kind": 1,
            "startTimeUnixNano": nanos(started_at), "endTimeUnixNano": nanos(change.ended_at.unwrap_or(started_at)),
            "attributes": attributes, "status": status,
        }));
    }

    /// Offers the span of this manager's run, and waits a little until everything is sent.
    pub fn end(mut self, status: Option<JobStatus>, now: Timestamp) {
        let omitted = self.omitted.load(Ordering::Relaxed);
        let attributes = [
            whole("job_manager.job.id", self.job.id.0),
            text("job_manager.job.uid", &self.job.uid),
            text("job_manager.job.name", &self.job.name),
            text("job_manager.job.status", status.map_or("unknown", JobStatus::as_str)),
            whole("job_manager.epoch", self.job.epoch.0),
            whole("job_manager.spans.omitted", i64::try_from(omitted).unwrap_or(i64::MAX)),
        ];
        let code = match status {
            Some(JobStatus::Completed) => json!({ "code": 1 }),
            Some(JobStatus::Failed) | None => json!({ "code": 2 }),
            Some(_) => json!({}),
        };
        let mut span = json!({
            "traceId": self.trace.trace(), "spanId": self.trace.span(), "name": "job", "kind": 1,
            "startTimeUnixNano": nanos(self.began), "endTimeUnixNano": nanos(now.max(self.began)),
            "attributes": attributes, "status": code,
        });
        if let Some(parent) = &self.job.trace {
            span["parentSpanId"] = parent.span().into();
        }
        self.offer(span);
        drop(self.queue.take());
        let lost = self.lost.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LAST_WAIT);
        let omitted = self.omitted.load(Ordering::Relaxed);
        match lost {
            Ok(0) if omitted == 0 => {}
            Ok(lost) => warn!("{} spans were not sent", omitted + lost),
            Err(_) => warn!("the span collector did not answer in time: unsent spans are lost"),
        }
    }

    fn offer(&self, span: Value) {
        let is_taken = self.queue.as_ref().is_some_and(|queue| queue.try_send(span).is_ok());
        if !is_taken {
            self.omitted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends what comes in until nobody offers any more; returns how many spans the collector did not take.
fn send_all(collector: &Collector, inbox: &Receiver<Value>) -> u64 {
    let (mut lost, mut said) = (0, HashSet::new());
    let mut is_open = true;
    while is_open {
        let Ok(first) = inbox.recv() else { break };
        let (mut spans, until) = (vec![first], Instant::now() + EVERY);
        while spans.len() < BATCH {
            match inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(span) => spans.push(span),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    is_open = false;
                    break;
                }
            }
        }
        let count = spans.len() as u64;
        if let Err(error) = collector.post(spans) {
            lost += count;
            let error = error.to_string();
            if said.insert(error.clone()) {
                warn!("the collector at {collector} has not taken {count} spans: {error}");
            }
        }
    }
    lost
}

fn nanos(time: Timestamp) -> String {
    (i128::from(time.as_micros()) * 1000).to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Integers are texts in this form of JSON.
fn whole(key: &str, value: i64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

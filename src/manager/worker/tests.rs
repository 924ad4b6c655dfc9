//! What a worker runs, and what it waits for before.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::Receiver;

use super::*;
use crate::manager::Clock;
use crate::manager::events::channel;
use crate::model::{AttemptEnd, DatabaseFile, Epoch, JobId, Limits, Seq, StateDir};
use crate::store::UnitRange;

/// Counts the attempts that it is given.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Runner for Counter {
    fn run(&self, _: &Attempt<'_>) -> AttemptEnd {
        self.0.fetch_add(1, Ordering::SeqCst);
        UnitOutcome::Completed { result: None }.into()
    }

    fn commits_each_unit(&self) -> bool {
        true
    }
}

/// Lets one worker take `count` units, gives what it says to `recorder`, and returns how many of them ran.
fn run_in_one_slot(on_interrupt: OnInterrupt, count: i64, recorder: impl FnOnce(&Shared, Receiver<Event>)) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let job = JobContext {
        id: JobId(1),
        uid: "uid".to_owned(),
        name: "job".to_owned(),
        epoch: Epoch(1),
        limits: Limits { on_interrupt, ..Limits::default() },
        spec: "null".to_owned(),
        files: StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1)),
        database: DatabaseFile { path: dir.path().join("jobs.db"), device: 1, inode: 1 },
        trace: None,
    };
    let notes = SlotNotes::open(&dir.path().join("notes"), 1).unwrap();
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    shared.feed.add(UnitRange { after: Seq(0), through: Seq::MAX });
    shared.feed.put_after(Seq(0), (1..=count).map(|seq| Unit::pending(JobId(1), seq)).collect());
    let counter = Arc::new(Counter::default());
    let (runner, dispatcher) = (Arc::clone(&counter), CallbackDispatcher::new([]));
    let worker_context = WorkerContext {
        spans: None,
        job: &job,
        runner,
        dispatcher: &dispatcher,
        shared: &shared,
        notes: &notes,
        last_attempts: &LastAttempts::of(job.database.path.clone()),
        span: &Span::none(),
    };
    let (events, inbox) = channel(&shared.feed);

    std::thread::scope(|threads| {
        threads.spawn(|| work(&worker_context, 0, events));
        recorder(&shared, inbox);
    });

    counter.0.load(Ordering::SeqCst)
}

#[test]
fn an_at_most_once_unit_does_not_run_before_its_start_is_committed() {
    let ran = run_in_one_slot(OnInterrupt::Fail, 1, |shared, inbox| {
        let Ok(Event::Started(_, Some(waiter))) = inbox.recv() else { panic!("nobody waits for the commit") };
        shared.feed.close();
        // The commit found that a client had changed the unit; a worker that did not wait has not heard of it.
        let _ = waiter.send(false);
    });

    assert_eq!(ran, 0);
}

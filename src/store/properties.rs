//! The recorder against a model: any order of events and crashes ends in rows that the model allows.

use diesel::prelude::*;
use proptest::prelude::*;

use super::conformance::{NOW, end, manager};
use super::schema::spends;
use super::{Access, Batch, CreateOutcome, Lease, Standing, Store, StoreError, UnitChange};
use crate::model::{Amount, JobId, Meter, Metered, NewJob, NewUnit, Seq, UnitDetail, UnitFilter, UnitId, UnitStatus};

const UNITS: usize = 4;

/// Something that happens to one unit, or to the manager.
#[derive(Debug, Clone)]
enum Event {
    Start(usize),
    End(usize, UnitStatus),
    /// Start and end within one commit.
    StartAndEnd(usize, UnitStatus),
    /// The manager dies, and the next one gives its running units back.
    Crash,
    /// A manager that has been superseded writes.
    Stale(usize, UnitStatus),
    Retry,
    Cancel(usize),
    Skip(usize),
    /// The attempt under way, if there is one, says what it has spent.
    Spend(usize, i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let unit = 0..UNITS;
    let end = prop::sample::select(vec![
        UnitStatus::Pending,
        UnitStatus::Completed,
        UnitStatus::Failed,
        UnitStatus::Skipped,
        UnitStatus::Cancelled,
    ]);
    let event = prop_oneof![
        3 => unit.clone().prop_map(Event::Start),
        4 => (unit.clone(), end.clone()).prop_map(|(unit, end)| Event::End(unit, end)),
        3 => (unit.clone(), end.clone()).prop_map(|(unit, end)| Event::StartAndEnd(unit, end)),
        1 => Just(Event::Crash),
        1 => (unit.clone(), end).prop_map(|(unit, end)| Event::Stale(unit, end)),
        1 => Just(Event::Retry),
        1 => unit.clone().prop_map(Event::Cancel),
        1 => unit.clone().prop_map(Event::Skip),
        2 => (unit, 0..1_000_i64).prop_map(|(unit, amount)| Event::Spend(unit, amount)),
    ];
    prop::collection::vec(event, 1..40)
}

/// What the rows must say.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Expected {
    status: UnitStatus,
    attempts: u32,
    revision: i64,
}

struct World {
    store: Store,
    job: JobId,
    lease: Lease,
    before: Option<Lease>,
    units: [Expected; UNITS],
    meters: Vec<Meter>,
    /// Ends that were recorded; of each third one nobody knows what it cost.
    ends: i64,
    /// What is known to have been spent, and attempts of unknown cost.
    spent: (i64, u64),
}

impl World {
    fn new(dir: &tempfile::TempDir) -> World {
        let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
        let units: Vec<NewUnit> = (0..UNITS).map(|unit| NewUnit::new(&unit).unwrap()).collect();
        let mut new = NewJob::new("job", "x");
        new.limits.meters = vec![Meter::new("usd")];
        let CreateOutcome::Created(job) = store.create_job(&new, &units, true, NOW).unwrap() else {
            panic!("there was a job")
        };
        let (lease, _) = store.join(job, &manager(), "program".as_ref(), NOW).unwrap();
        let fresh = Expected { status: UnitStatus::Pending, attempts: 0, revision: 0 };
        World {
            store,
            job,
            lease,
            before: None,
            units: [fresh; UNITS],
            meters: new.limits.meters,
            ends: 0,
            spent: (0, 0),
        }
    }

    /// The change that a manager would record which believes the unit to be in `from`.
    fn change(&self, unit: usize, from: UnitStatus, to: UnitStatus) -> UnitChange {
        let seen = self.units[unit].attempts;
        let attempts = if from == UnitStatus::Running { seen } else { seen + 1 };
        UnitChange {
            unit: UnitId::new(self.job, Seq(unit as i64 + 1)),
            from,
            to,
            seen_attempts: seen,
            revision: self.units[unit].revision,
            attempts,
            crashes: 0,
            not_before: (to == UnitStatus::Pending).then_some(NOW),
            started_at: Some(NOW),
            slot: Some(1),
            ended_at: (to != UnitStatus::Running).then_some(NOW),
            epoch: self.lease.epoch,
            end: end(to),
        }
    }

    /// Records a change and expects it to hit exactly when the unit is where the manager believes it to be.
    fn record(&mut self, unit: usize, from: UnitStatus, to: UnitStatus) {
        let mut change = self.change(unit, from, to);
        let said = self.said(unit);
        if let Some(end) = &mut change.end {
            self.ends += 1;
            let cost = (self.ends % 3 != 0).then_some(self.ends * 1_000);
            match (cost, said) {
                (None, false) => self.spent.1 += 1,
                (cost, _) => self.spent.0 += cost.unwrap_or(0),
            }
            end.metered = vec![Metered { name: "usd".to_owned(), amount: cost.and_then(Amount::from_millionths) }];
        }
        let batch = Batch { meters: &self.meters, ..Batch::of(std::slice::from_ref(&change)) };
        let recorded = self.store.record(self.lease, &batch).unwrap();
        let hits = self.units[unit].status == from;
        assert_eq!(recorded.lost.is_empty(), hits, "{change:?}");
        if hits {
            self.units[unit] = Expected { status: to, attempts: change.attempts, ..self.units[unit] };
        }
    }

    /// Says whether an attempt at the unit has said what it has spent, and has not ended.
    fn said(&mut self, unit: usize) -> bool {
        let id = UnitId::new(self.job, Seq(unit as i64 + 1)).raw();
        let of_unit = spends::table.filter(spends::unit_id.eq(id).and(spends::under_way.is_not_null()));
        of_unit.count().get_result::<i64>(&mut self.store.conn).unwrap() > 0
    }

    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Spend(unit, amount) => {
                let id = UnitId::new(self.job, Seq(unit as i64 + 1));
                let (name, status) = (self.units[unit].attempts, self.units[unit].status);
                let said = [("usd".to_owned(), Amount::from_millionths(amount).unwrap())];
                let spent = self.store.spend(id, name.into(), &said);
                assert_eq!(spent.is_ok(), status == UnitStatus::Running, "{spent:?}");
                self.spent.0 += if spent.is_ok() { amount } else { 0 };
            }
            Event::Start(unit) => self.record(unit, UnitStatus::Pending, UnitStatus::Running),
            Event::End(unit, end) => self.record(unit, UnitStatus::Running, end),
            Event::StartAndEnd(unit, end) => self.record(unit, UnitStatus::Pending, end),
            Event::Crash => self.crash(),
            Event::Stale(unit, end) => {
                if let Some(before) = self.before {
                    let change = self.change(unit, self.units[unit].status, end);
                    let refused = self.store.record(before, &Batch::of(&[change]));
                    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
                }
            }
            Event::Retry => {
                self.store.retry_units(self.job, &UnitFilter::all(), NOW).unwrap();
                for unit in &mut self.units {
                    if matches!(unit.status, UnitStatus::Failed | UnitStatus::Cancelled) {
                        *unit = Expected { status: UnitStatus::Pending, attempts: 0, revision: unit.revision + 1 };
                    }
                }
            }
            Event::Cancel(unit) => {
                let filter = UnitFilter::one(Seq(unit as i64 + 1));
                self.store.cancel_pending_units(self.job, &filter, "no need", NOW).unwrap();
                if self.units[unit].status == UnitStatus::Pending {
                    self.units[unit].status = UnitStatus::Cancelled;
                    self.units[unit].revision += 1;
                }
            }
            Event::Skip(unit) => {
                let filter = UnitFilter::one(Seq(unit as i64 + 1));
                self.store.skip_units(self.job, &filter, "no need", NOW).unwrap();
                if matches!(self.units[unit].status, UnitStatus::Pending | UnitStatus::Failed) {
                    self.units[unit].status = UnitStatus::Skipped;
                    self.units[unit].revision += 1;
                }
            }
        }
    }

    fn crash(&mut self) {
        self.before = Some(self.lease);
        self.lease = self.store.join(self.job, &manager(), "program".as_ref(), NOW).unwrap().0;
        let running: Vec<usize> = self.store.running_units(self.lease).unwrap().iter().map(place).collect();
        let expected: Vec<usize> = (0..UNITS).filter(|&unit| self.units[unit].status == UnitStatus::Running).collect();
        assert_eq!(running, expected);
        for unit in running {
            self.record(unit, UnitStatus::Running, UnitStatus::Pending);
        }
    }

    /// Compares rows and counters with the model.
    fn check(&mut self, seen: &[UnitDetail]) -> Vec<UnitDetail> {
        let rows = self.store.units(self.job, &UnitFilter::all(), None, 100).unwrap();
        for (row, expected) in rows.iter().zip(&self.units) {
            let Standing { unit, status, .. } = self.store.standing(UnitId::new(self.job, row.seq)).unwrap().unwrap();
            let seen = Expected { status, attempts: unit.attempts, revision: unit.revision };
            assert_eq!((seen, row.status, row.attempts), (*expected, status, unit.attempts));
        }
        for (before, after) in seen.iter().zip(&rows) {
            assert!(before.status != UnitStatus::Completed || after.status == UnitStatus::Completed);
        }
        let progress = self.store.job(self.job).unwrap().progress;
        let count = |status| self.units.iter().filter(|unit| unit.status == status).count() as i64;
        assert_eq!(
            [
                progress.pending,
                progress.running,
                progress.completed,
                progress.failed,
                progress.skipped,
                progress.cancelled
            ],
            [
                count(UnitStatus::Pending),
                count(UnitStatus::Running),
                count(UnitStatus::Completed),
                count(UnitStatus::Failed),
                count(UnitStatus::Skipped),
                count(UnitStatus::Cancelled)
            ]
        );
        let spending = self.store.spending(self.job).unwrap();
        let of_units = rows.iter().flat_map(|row| &row.spent.0).map(|(_, sum)| sum.millionths()).sum::<i64>();
        let (spent, unmetered) = spending.first().map_or((0, 0), |usd| (usd.spent.millionths(), usd.unmetered));
        assert_eq!(spent, of_units, "what the job has spent is not what its units have");
        assert_eq!(unmetered, self.spent.1);
        assert!(spent >= self.spent.0, "{spent} of {}", self.spent.0);
        let kinds = self.store.failures(self.job, 9).unwrap();
        assert_eq!(kinds.iter().map(|kind| kind.count).sum::<i64>(), progress.failed);
        rows
    }
}

fn place(unit: &crate::model::Unit) -> usize {
    unit.id.seq().0 as usize - 1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_and_crashes_ends_in_rows_that_the_model_allows(events in events()) {
        let dir = tempfile::tempdir().unwrap();
        let mut world = World::new(&dir);
        let mut seen = Vec::new();

        for event in &events {
            world.apply(event);
            seen = world.check(&seen);
        }
    }

    #[test]
    fn a_database_with_changed_bytes_is_read_or_refused_and_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        length in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let mut world = World::new(&dir);
        world.store.release_space().unwrap();
        drop(world);
        let mut bytes = std::fs::read(&path).unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(length) = length {
            bytes.truncate(length.index(bytes.len()));
        }
        std::fs::write(&path, &bytes).unwrap();

        if let Ok(mut store) = Store::open(&path, Access::Read)
            && let Ok(crate::model::FoundJobs { jobs, .. }) = store.jobs(&crate::model::JobFilter::default())
        {
            for job in jobs {
                // Whatever comes of it: an error, or rows.
                let _ = (store.units(job.id, &UnitFilter::all(), None, 100), store.manager_record(job.id));
            }
        }
    }
}

//! Holds the next start while the machine is short of what a job wants to be there.
//!
//! Looks at the machine only for jobs with such limits, and only while units wait: at most five times a second. Once
//! units wait for something, they go on when two looks in a row find a tenth more than the limit, so that a value near it
//! does not let them start and wait in turns. What cannot be looked at holds too, because nobody knows that there is enough.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tracing::info;

use super::feed::Feed;
use super::gate::Gate;
use crate::model::{Bytes, Conditions, DiskFree, Percent, RawText, Resource, Waits};
use crate::sys::{Load, Machine};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks in a row that must find enough before units that waited go on.
const GOOD_LOOKS: u32 = 2;

/// Where figures about the machine come from.
pub(super) trait Readings {
    /// Returns the bytes of memory that are available.
    fn memory(&self) -> io::Result<Bytes>;
    /// Returns the runnable threads and the processors; exactly where `is_enough`.
    fn load(&self, is_enough: &dyn Fn(&Load) -> bool) -> io::Result<Load>;
    /// Returns the bytes that are free on the file system of a path.
    fn disk(&self, path: &Path) -> io::Result<Bytes>;
}

impl Readings for Machine {
    fn memory(&self) -> io::Result<Bytes> {
        self.available_memory().map(Bytes)
    }

    fn load(&self, is_enough: &dyn Fn(&Load) -> bool) -> io::Result<Load> {
        Machine::load(self, is_enough)
    }

    fn disk(&self, path: &Path) -> io::Result<Bytes> {
        self.free_space(path).map(Bytes)
    }
}

/// What one manager has seen of the machine.
pub(super) struct MachineWatch {
    readings: Box<dyn Readings>,
    looked_at: Option<Instant>,
    /// What units wait for.
    waits: Option<Waits>,
    good_looks: u32,
}

/// How much room there is.
enum Room {
    Short(Waits),
    /// For one unit, before there is another look.
    Near,
    /// For so many more.
    More(usize),
}

impl MachineWatch {
    pub fn new(readings: impl Readings + 'static) -> Self {
        Self { readings: Box::new(readings), looked_at: None, waits: None, good_looks: 0 }
    }

    /// Lets the feed start what there is room for, and returns what units wait for.
    pub fn settle(&mut self, feed: &Feed, start: &Conditions) -> Option<&Waits> {
        if !start.need_machine() {
            feed.set_gate(Gate::OPEN);
            (self.looked_at, self.waits) = (None, None);
            return None;
        }
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return self.waits.as_ref();
        }
        let level = feed.level();
        if level.queued == 0 {
            // What is read next does not start on an old look.
            feed.set_gate(Gate::CLOSED);
            self.looked_at = None;
            return None;
        }
        // Units that start between this and the look only make fewer start.
        let running = level.running;
        feed.set_gate(self.look(start, running));
        self.looked_at = Some(Instant::now());
        self.waits.as_ref()
    }

    fn look(&mut self, start: &Conditions, running: usize) -> Gate {
        let mut gate = Gate::OPEN;
        for room in self.rooms(start) {
            match room {
                Room::Short(waits) => {
                    if self.waits.is_none() {
                        info!("no unit starts: it waits for {waits}");
                    }
                    (self.waits, self.good_looks) = (Some(waits), 0);
                    return Gate::CLOSED;
                }
                Room::Near => gate = gate.narrower(Gate::ONE),
                Room::More(more) => gate = gate.narrower(Gate::more(running, more)),
            }
        }
        if self.waits.is_some() {
            self.good_looks += 1;
            if self.good_looks < GOOD_LOOKS {
                return Gate::CLOSED;
            }
            info!("units start again");
            self.waits = None;
        }
        gate
    }

    fn rooms(&self, start: &Conditions) -> Vec<Room> {
        let mut rooms = Vec::new();
        let margin = |wanted: Bytes| if self.waits.is_some() { wanted.0 / 10 } else { 0 };
        let again = |wanted: Bytes| Bytes(wanted.0.saturating_add(margin(wanted)));
        let unreadable = |what, error: io::Error| Room::Short(Waits::Unreadable { what, error: error.to_string() });
        if let Some(wanted) = start.memfree {
            rooms.push(match self.readings.memory() {
                Ok(available) if available < again(wanted) => {
                    Room::Short(Waits::Memory { available, wanted, again: again(wanted) })
                }
                Ok(available) => room(available, wanted),
                Err(error) => unreadable(Resource::Memory, error),
            });
        }
        for DiskFree { path, bytes: wanted } in &start.diskfree {
            rooms.push(match self.readings.disk(path) {
                Ok(free) if free < again(*wanted) => {
                    let path = RawText::from(path.clone().into_os_string());
                    Room::Short(Waits::Disk { path, free, wanted: *wanted, again: again(*wanted) })
                }
                Ok(free) => room(free, *wanted),
                Err(error) => unreadable(Resource::disk(path.clone()), error),
            });
        }
        if let Some(limit @ Percent(percent)) = start.load {
            let allowed = |load: &Load| load.processors * f64::from(percent) / 100.0;
            rooms.push(match self.readings.load(&|load| load.runnable as f64 >= allowed(load)) {
                Ok(load) if load.runnable as f64 >= allowed(&load) => {
                    Room::Short(Waits::Load { runnable: load.runnable, processors: load.processors, limit })
                }
                Ok(load) => match (allowed(&load) - load.runnable as f64).ceil() as usize {
                    0 | 1 => Room::Near,
                    more => Room::More(more),
                },
                Err(error) => unreadable(Resource::Load, error),
            });
        }
        rooms
    }
}

/// Returns how many units there is room for, each counted with the whole limit.
fn room(Bytes(there): Bytes, Bytes(limit): Bytes) -> Room {
    if there < limit.saturating_add(limit / 4) {
        return Room::Near;
    }
    Room::More(usize::try_from((there - limit) / limit.max(1)).unwrap_or(usize::MAX).max(1))
}

#[cfg(test)]
mod tests;

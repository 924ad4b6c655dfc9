//! What the units of a job wrote, that of each unit once, as they end: in the order of their ends or of their numbers.
//!
//! The whole output is read from the files of a job that keeps it, and the rows say which attempt is a unit's last: what
//! an attempt wrote that failed and came again is passed over. Memory does not grow with the number of units or the
//! length of their output; what waits for its turn in the order of numbers is noted in a file.
//!
//! It relies on two orders: an attempt's frames are in their file before its end is in its row, and the end of an
//! attempt is in its row before the unit's next attempt begins.

mod places;

use std::io;
use std::path::{Path, PathBuf};

use super::{Client, ClientError};
use crate::files::create_private_dir;
use crate::model::{JobId, Seq, Timestamp, UnitDetail, UnitFilter, UnitStatus};
use crate::sys::{AttemptPlace, AttemptWalk, Stream, attempt_output};

use places::Places;

/// Units read at once; each holds up to 128 KiB of output.
const PAGE_UNITS: i64 = 32;

/// The order in which the outputs of units come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputOrder {
    /// As units end.
    OfEnds,
    /// By their numbers: a unit waits for those before it.
    OfNumbers,
}

/// Receives what units wrote.
pub trait TakeOutput {
    /// Why it takes no more.
    type Error: From<ClientError>;

    /// Takes a piece of one of the unit's streams.
    fn take(&mut self, unit: &UnitDetail, stream: Stream, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Is told that it has all of the unit's output.
    fn end(&mut self, unit: &UnitDetail) -> Result<(), Self::Error>;
}

/// Reads the output of the units of a job as they end.
pub struct EndedOutputs<'c> {
    client: &'c Client,
    job: JobId,
    dir: PathBuf,
    walk: AttemptWalk,
    /// In the order of numbers: the last unit that was given, and where the outputs of those after it are.
    ordered: Option<(Seq, Places)>,
}

/// Whether an attempt's output is to be given.
enum Turn {
    Now(Box<UnitDetail>),
    Later,
    Never,
}

impl Client {
    /// Prepares to read what the units of a job wrote, from its first unit on.
    ///
    /// # Errors
    /// When the job does not keep all of its units' output.
    pub fn ended_outputs(&self, job: JobId, order: OutputOrder) -> Result<EndedOutputs<'_>, ClientError> {
        if !self.keeps_output(&self.job(job)?)? {
            return Err(ClientError::OutputNotKept { job });
        }
        let files = self.job_files(job);
        let ordered = match order {
            OutputOrder::OfEnds => None,
            OutputOrder::OfNumbers => {
                create_private_dir(files.path()).map_err(ClientError::files("create", files.path()))?;
                let places = Places::create(files.path());
                Some((Seq(0), places.map_err(ClientError::files("note the places of outputs in", files.path()))?))
            }
        };
        let dir = files.output();
        Ok(EndedOutputs { client: self, job, walk: AttemptWalk::new(dir.clone()), dir, ordered })
    }
}

impl EndedOutputs<'_> {
    /// Gives `to` the outputs of units that have ended since the last call.
    ///
    /// # Errors
    /// When the rows or the files cannot be read, and what `to` says.
    pub fn read_more<T: TakeOutput>(&mut self, to: &mut T) -> Result<(), T::Error> {
        let Some((last, _)) = self.ordered else { return self.read_by_end(to) };
        let mut last = last;
        while self.page(UnitFilter::all(), last, 1)?.first().is_some_and(|unit| unit.status.is_terminal()) {
            let page = self.page(UnitFilter::all(), last, PAGE_UNITS)?;
            let ended: Vec<UnitDetail> = page.into_iter().take_while(|unit| unit.status.is_terminal()).collect();
            last = self.give_page(&ended, to)?.unwrap_or(last);
        }
        Ok(())
    }

    /// Gives `to` what is left when the job has ended or pauses: units that have ended after one that has not.
    ///
    /// # Errors
    /// As for [`read_more`](Self::read_more).
    pub fn read_rest<T: TakeOutput>(&mut self, to: &mut T) -> Result<(), T::Error> {
        self.read_more(to)?;
        let Some((mut last, _)) = self.ordered else { return Ok(()) };
        let statuses: Vec<UnitStatus> = UnitStatus::ALL.iter().copied().filter(|status| status.is_terminal()).collect();
        let ended = UnitFilter { statuses, ..UnitFilter::all() };
        while let Some(given) = self.give_page(&self.page(ended.clone(), last, PAGE_UNITS)?, to)? {
            last = given;
        }
        Ok(())
    }

    fn page(&self, filter: UnitFilter, after: Seq, limit: i64) -> Result<Vec<UnitDetail>, ClientError> {
        self.client.units(self.job, &filter, Some(after), limit)
    }

    fn read_by_end<T: TakeOutput>(&mut self, to: &mut T) -> Result<(), T::Error> {
        let mut ended: Vec<(Option<Timestamp>, AttemptPlace, Box<UnitDetail>)> = Vec::new();
        let mut heads = self.walk.heads().map_err(|error| failed(&self.dir, error))?;
        loop {
            while let Some(place) = heads.pop() {
                match self.turn_of(place)? {
                    Turn::Now(unit) => ended.push((unit.finished_at, place, unit)),
                    Turn::Later => {}
                    Turn::Never => heads.extend(self.pass(place)?),
                }
            }
            let first = (0..ended.len()).min_by_key(|index| ended[*index].0);
            let Some((_, place, unit)) = first.map(|index| ended.swap_remove(index)) else { return Ok(()) };
            self.give(&unit, place, to)?;
            heads.extend(self.pass(place)?);
        }
    }

    /// Tells from a unit's row whether an attempt that wrote something is the one that ended it.
    fn turn_of(&self, place: AttemptPlace) -> Result<Turn, ClientError> {
        let unit = self.client.unit(self.job, Seq(place.seq))?;
        let is_in_row = self.started_us(&unit)? == place.started_us;
        Ok(match (unit.status, is_in_row) {
            (UnitStatus::Running, true) => Turn::Later,
            (UnitStatus::Running, false) => Turn::Never,
            (status, true) if status.is_terminal() => Turn::Now(Box::new(unit)),
            (status, false) if status.is_terminal() => Turn::Never,
            // It waits for another attempt; or this one has begun, and its row does not say so yet.
            (_, true) => Turn::Never,
            (_, false) => Turn::Later,
        })
    }

    /// Gives units in the order of their numbers, and returns the last of them.
    fn give_page<T: TakeOutput>(&mut self, page: &[UnitDetail], to: &mut T) -> Result<Option<Seq>, T::Error> {
        self.note_places()?;
        for unit in page {
            match self.place_of(unit)? {
                Some(place) => self.give(unit, place, to)?,
                None => to.end(unit)?,
            }
            if let Some((last, _)) = &mut self.ordered {
                *last = unit.seq;
            }
        }
        Ok(page.last().map(|unit| unit.seq))
    }

    /// Notes where the outputs of all attempts are that have written something since the last look.
    fn note_places(&mut self) -> Result<(), ClientError> {
        let mut heads = self.walk.heads().map_err(|error| failed(&self.dir, error))?;
        while let Some(place) = heads.pop() {
            if let Some((_, places)) = &self.ordered {
                places.put(place).map_err(|error| failed(&self.dir, error))?;
            }
            heads.extend(self.pass(place)?);
        }
        Ok(())
    }

    fn place_of(&self, unit: &UnitDetail) -> Result<Option<AttemptPlace>, ClientError> {
        let Some((_, places)) = &self.ordered else { return Ok(None) };
        let noted = places.get(unit.seq).map_err(|error| failed(&self.dir, error))?;
        let started_us = self.started_us(unit)?;
        match noted {
            // The note is about another attempt, in a file that was read later: all of them are looked through.
            Some(place) if place.started_us != started_us => {
                let mut walk = AttemptWalk::new(self.dir.clone());
                let mut heads = walk.heads().map_err(|error| failed(&self.dir, error))?;
                while let Some(place) = heads.pop() {
                    if (place.seq, place.started_us) == (unit.seq.0, started_us) {
                        return Ok(Some(place));
                    }
                    heads.extend(walk.pass(place).map_err(|error| failed(&self.dir, error))?);
                }
                Ok(None)
            }
            noted => Ok(noted),
        }
    }

    fn give<T: TakeOutput>(&self, unit: &UnitDetail, place: AttemptPlace, to: &mut T) -> Result<(), T::Error> {
        for piece in attempt_output(&self.dir, place).map_err(|error| failed(&self.dir, error))? {
            let (stream, bytes) = piece.map_err(|error| failed(&self.dir, error))?;
            to.take(unit, stream, &bytes)?;
        }
        to.end(unit)
    }

    /// Returns when the attempt started of which a unit has its output; one that was skipped or cancelled later has it from the last.
    fn started_us(&self, unit: &UnitDetail) -> Result<i64, ClientError> {
        let started_at = match unit.started_at {
            None if unit.attempts > 0 => {
                self.client.attempts(self.job, unit.seq)?.pop().and_then(|last| last.started_at)
            }
            started_at => started_at,
        };
        Ok(started_at.map_or(0, Timestamp::as_micros))
    }

    fn pass(&mut self, place: AttemptPlace) -> Result<Option<AttemptPlace>, ClientError> {
        self.walk.pass(place).map_err(|error| failed(&self.dir, error))
    }
}

fn failed(dir: &Path, source: io::Error) -> ClientError {
    ClientError::Files { operation: "read the output of units in", path: dir.to_owned(), source }
}

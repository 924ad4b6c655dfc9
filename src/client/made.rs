//! Paths that the units of a job make, as its settings say.

use std::collections::HashMap;
use std::path::PathBuf;

use super::{Client, ClientError};
use crate::handler::{COMMAND, CommandSpec, UnitTemplates, UnitValues};
use crate::model::{Job, NewUnit, Seq};
use crate::store::StoreError;

pub(super) use crate::store::MadePath;

/// Returns what tells the paths of a job's units; `None` when they make none.
///
/// Settings that cannot be read are told of by whoever runs them.
pub(super) fn made_path(handler: &str, spec: &str) -> Option<MadePath> {
    if handler != COMMAND {
        return None;
    }
    let spec = CommandSpec::of_json(spec).ok()?;
    spec.creates.as_ref()?;
    let templates = UnitTemplates::of(&spec).ok()?;
    Some(Box::new(move |payload, seq| {
        let values = UnitValues::parse(payload).ok()?;
        templates.creates(&values, 0, seq).ok().flatten()
    }))
}

/// The paths that the units of one source make, for whoever looks at all of them before the first is written.
pub(super) struct SourcePaths {
    made: Option<MadePath>,
    seen: HashMap<PathBuf, (Seq, Option<String>)>,
    last: Seq,
}

impl Client {
    /// Returns what tells the paths that the units of a job make, if they make any.
    pub(super) fn made_path(&self, job: &Job) -> Result<Option<MadePath>, ClientError> {
        Ok(made_path(&job.handler, &self.spec(job.id)?))
    }
}

impl SourcePaths {
    /// Begins with no unit.
    pub fn of(made: Option<MadePath>) -> SourcePaths {
        SourcePaths { made, seen: HashMap::new(), last: Seq(0) }
    }

    /// Refuses a unit that makes what an earlier one makes, unless both have the same key and are the same unit.
    pub fn check(&mut self, unit: &NewUnit) -> Result<(), ClientError> {
        let Some(made) = &self.made else { return Ok(()) };
        self.last = Seq(self.last.0 + 1);
        let Some(path) = made(&unit.payload, self.last) else { return Ok(()) };
        let path: PathBuf = path.components().collect();
        match self.seen.insert(path.clone(), (self.last, unit.key.clone())) {
            Some((first, key)) if key.is_none() || key != unit.key => {
                Err(StoreError::SamePath { first, second: self.last, path }.into())
            }
            _ => Ok(()),
        }
    }
}

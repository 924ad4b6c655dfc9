//! What an original left behind of which this database is a copy.
//!
//! As long as the original is where it was, its processes are its own. When it is gone they are nobody's, and no row here
//! says which of them live: they are looked for by their cookies.

use std::collections::HashSet;
use std::path::Path;

use super::error::RecoveryError;
use crate::handler::JobContext;
use crate::model::{DatabaseFile, Seq, UnitId, UnitStatus};
use crate::store::Store;
use crate::sys::{is_in_place, strays};

/// Returns the other databases under which a job was run before this copy of it, as far as they are not where they were.
pub fn former_databases_gone(store: &mut Store, job: &JobContext) -> Result<Vec<DatabaseFile>, RecoveryError> {
    let mut gone = store.former_databases(job.id)?;
    gone.retain(|database| !is_in_place(database, Path::new("/")));
    Ok(gone)
}

/// Returns the units of which an original that is gone left processes, without those that have completed here: what these
/// left they may have left on purpose.
pub fn strays_of(store: &mut Store, job: &JobContext) -> Result<HashSet<Seq>, RecoveryError> {
    let found = strays(|uid| (uid == job.uid).then_some(()), &job.database)
        .map_err(RecoveryError::system("look for processes of an original"))?;
    let mut units: HashSet<Seq> = found.into_iter().map(|((), stray)| stray.unit).collect();
    for unit in units.clone() {
        let row = store.standing(UnitId::new(job.id, unit))?;
        if row.is_some_and(|row| row.status == UnitStatus::Completed) {
            units.remove(&unit);
        }
    }
    Ok(units)
}
